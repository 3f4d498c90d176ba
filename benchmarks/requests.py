"""How many requests each operation of a `BasicS3Dict` sends, measured; prints a Markdown table.

Run it from the root of the project: `python -m benchmarks.requests`. It starts an embedded S3
server of its own and counts what botocore is about to send, each attempt of each request.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from benchmarks.counting import HEADER, counted, row
from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    NEVER_RETRIEVE,
    BasicS3Dict,
    ETagIfExists,
    ETagValue,
)
from persidict.testing import EmbeddedS3
from persidict.testing.command_line import status_of

ITEMS = 1_001
STALE = ETagValue('"0123456789abcdef0123456789abcdef"')

Dict = BasicS3Dict[int]
Call = Callable[[Dict, ETagIfExists], object]
"""An operation on a dictionary with the item `k` and no item `absent`, given the etag of `k`."""


def _assign(d: Dict, _etag: ETagIfExists) -> None:
    d["k"] = 2


def _delete(d: Dict, _etag: ETagIfExists) -> None:
    del d["k"]


def _get_if(retrieve: Any = None) -> Call:
    settings = {} if retrieve is None else {"retrieve_value": retrieve}
    return lambda d, etag: d.get_item_if(
        "k", condition=ETAG_IS_THE_SAME, expected_etag=etag, **settings
    )


def _set_if(key: str, condition: Any, expected: ETagIfExists | None = None) -> Call:
    return lambda d, etag: d.set_item_if(
        key, value=2, condition=condition, expected_etag=etag if expected is None else expected
    )


def _discard_if(condition: Any, expected: ETagIfExists | None = None) -> Call:
    return lambda d, etag: d.discard_if(
        "k", condition=condition, expected_etag=etag if expected is None else expected
    )


def _default_if(key: str) -> Call:
    return lambda d, _: d.setdefault_if(
        key, default_value=2, condition=ETAG_IS_THE_SAME, expected_etag=ITEM_NOT_AVAILABLE
    )


OF_ONE_ITEM: dict[str, Call] = {
    "`d[k]`": lambda d, _: d["k"],
    "`d[k]`, absent": lambda d, _: d.get("absent"),
    "`k in d`": lambda d, _: "k" in d,
    "`k in d`, absent": lambda d, _: "absent" in d,
    "`etag`": lambda d, _: d.etag("k"),
    "`timestamp`": lambda d, _: d.timestamp("k"),
    "`age`": lambda d, _: d.age("k"),
    "`get_with_etag`": lambda d, _: d.get_with_etag("k"),
    "`get_item_if`, unchanged (304)": _get_if(),
    "`get_item_if`, never retrieve": _get_if(NEVER_RETRIEVE),
    "`d[k] = v`": _assign,
    "`setdefault`, inserted": lambda d, _: d.setdefault("absent", 2),
    "`setdefault`, present": lambda d, _: d.setdefault("k", 2),
    "`setdefault_if`, inserted": _default_if("absent"),
    "`setdefault_if`, present": _default_if("k"),
    "`set_item_if` expected absent: won": _set_if("absent", ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE),
    "`set_item_if` expected absent: lost": _set_if("k", ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE),
    "`set_item_if` `ETAG_IS_THE_SAME`: won": _set_if("k", ETAG_IS_THE_SAME),
    "`set_item_if` `ETAG_IS_THE_SAME`: lost": _set_if("k", ETAG_IS_THE_SAME, STALE),
    "`set_item_if` `ETAG_HAS_CHANGED`: won": _set_if("k", ETAG_HAS_CHANGED, STALE),
    "`set_item_if` `ETAG_HAS_CHANGED`: lost": _set_if("k", ETAG_HAS_CHANGED),
    "`set_item_if` `ANY_ETAG`": _set_if("k", ANY_ETAG, STALE),
    "`transform_item`": lambda d, _: d.transform_item("k", transformer=lambda _: 2),
    "`transform_item`, deleting": lambda d, _: d.transform_item(
        "k", transformer=lambda _: DELETE_CURRENT
    ),
    "`discard_if` `ETAG_IS_THE_SAME`: won": _discard_if(ETAG_IS_THE_SAME),
    "`discard_if` `ETAG_IS_THE_SAME`: lost": _discard_if(ETAG_IS_THE_SAME, STALE),
    "`discard_if` `ANY_ETAG`": _discard_if(ANY_ETAG, STALE),
    "`pop`": lambda d, _: d.pop("k"),
    "`pop`, absent": lambda d, _: d.pop("absent", None),
    "`discard`": lambda d, _: d.discard("k"),
    "`discard`, absent": lambda d, _: d.discard("absent"),
    "`del`": _delete,
    "`get_subdict`": lambda d, _: d.get_subdict("k"),
}
OF_ALL_ITEMS: dict[str, Callable[[Dict], object]] = {
    "`bool(d)`": bool,
    "`next(iter(d))`": lambda d: next(iter(d)),
    "`len(d)`": len,
    "`list(d.keys())`": lambda d: list(d.keys()),
    "`list(d.values())`": lambda d: list(d.values()),
    "`clear`": lambda d: d.clear(),
}


def _of_one_item(d: Dict) -> Iterator[str]:
    events = d.s3_client.meta.events
    d["k"] = 1
    with counted(events) as sent:
        d.pop("k")
    yield row("`pop`, the first in this bucket (with the probe)", sent)
    for label, call in OF_ONE_ITEM.items():
        d.discard("absent")
        d["k"] = 1
        etag = d.etag("k")
        with counted(events) as sent, suppress(KeyError):
            call(d, etag)
        yield row(label, sent)


def _of_all_items(d: Dict) -> Iterator[str]:
    for number in range(ITEMS):
        d[f"{number:04}"] = number
    for label, call in OF_ALL_ITEMS.items():
        with counted(d.s3_client.meta.events) as sent:
            call(d)
        yield row(f"{label}, {ITEMS:,} items", sent)


def _table(server: EmbeddedS3) -> Iterator[str]:
    client = server.client(retries={"total_max_attempts": 1}, max_pool_connections=32)
    where: dict[str, Any] = {"bucket_name": server.create_bucket(), "s3_client": client}
    yield from HEADER
    with counted(client.meta.events) as sent:
        BasicS3Dict(**where)
    yield row("construct over an existing bucket", sent)
    with counted(client.meta.events) as sent:
        d: Dict = BasicS3Dict(**where, create_bucket=False)
    yield row("construct with `create_bucket=False`", sent)
    yield from _of_one_item(d.get_subdict("one"))
    yield from _of_all_items(d.get_subdict("all"))
    client.close()


def main() -> int:
    """Measure and print."""
    with EmbeddedS3() as server:
        for line in _table(server):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(status_of(main))
