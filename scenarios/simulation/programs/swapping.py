"""Programs that use the conditional operations of the dictionary itself."""

from __future__ import annotations

from functools import partial
from typing import Any

from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    NEVER_RETRIEVE,
    PersiDict,
)
from scenarios.simulation.limits import DELETABLE, LASTING
from scenarios.simulation.worker import UNDONE, Worker

KEYS = ("x", "y")


def _place(worker: Worker, folder: str) -> tuple[PersiDict[Any], str, str]:
    d: PersiDict[Any] = worker.host.shared(
        f"register/{folder}", lambda: worker.host.dictionary.get_subdict(folder)
    )
    key = worker.random.choice(KEYS)
    return d, key, f"register/{folder}-{key}"


def read(worker: Worker, folder: str = LASTING) -> None:
    """Read."""
    d, key, object = _place(worker, folder)  # noqa: A001
    worker.perform(object, "read", {}, lambda: d.get(key))


def insert(worker: Worker, folder: str = LASTING) -> None:
    """Write where there is nothing."""
    d, key, object = _place(worker, folder)  # noqa: A001
    value = worker.fresh()
    worker.perform(
        object,
        "cas",
        {"expected": None, "value": value},
        lambda: d.setdefault_if(
            key,
            default_value=value,
            condition=ETAG_IS_THE_SAME,
            expected_etag=ITEM_NOT_AVAILABLE,
        ),
        shown=lambda result: result.value_was_mutated,
    )


def write(worker: Worker, folder: str = LASTING) -> None:
    """Write whatever is there."""
    d, key, object = _place(worker, folder)  # noqa: A001
    value = worker.fresh()
    worker.perform(
        object,
        "write",
        {"value": value},
        lambda: d.set_item_if(
            key, value=value, condition=ANY_ETAG, expected_etag=ITEM_NOT_AVAILABLE
        ),
        shown=lambda _: None,
    )


def swap(worker: Worker, folder: str = LASTING) -> None:
    """Read, think, and replace what was read, or delete it where that is done."""
    d, key, object = _place(worker, folder)  # noqa: A001
    seen = worker.perform(
        object, "read", {}, lambda: d.get_with_etag(key), shown=lambda it: _shown(it.new_value)
    )
    if seen is UNDONE:
        return
    worker.sleep(worker.random.random() * 0.3)
    deletes = folder == DELETABLE and worker.random.random() < 0.5
    value = None if deletes else worker.fresh()
    worker.perform(
        object,
        "cas",
        {"expected": _shown(seen.new_value), "value": value},
        lambda: d.set_item_if(
            key,
            value=DELETE_CURRENT if deletes else value,
            condition=ETAG_IS_THE_SAME,
            expected_etag=seen.actual_etag,
            retrieve_value=NEVER_RETRIEVE,
        ),
        shown=lambda result: result.condition_was_satisfied,
    )


def transform(worker: Worker, folder: str = LASTING) -> None:
    """Replace what is there by what a function makes of it."""
    d, key, object = _place(worker, folder)  # noqa: A001
    deletes = folder == DELETABLE and worker.random.random() < 0.3
    value, before = None if deletes else worker.fresh(), None

    def change(now: Any) -> Any:
        nonlocal before
        before = _shown(now)
        return DELETE_CURRENT if deletes else value

    worker.perform(
        object,
        "update",
        {"value": value},
        lambda: d.transform_item(key, transformer=change),
        shown=lambda _: before,
    )


def pop(worker: Worker) -> None:
    """Take what is there."""
    d, key, object = _place(worker, DELETABLE)  # noqa: A001
    worker.perform(object, "update", {"value": None}, lambda: d.pop(key, None))


def _shown(value: Any) -> Any:
    return None if value is ITEM_NOT_AVAILABLE else value


def read_all(worker: Worker) -> None:
    """Read all keys."""
    for folder in (LASTING, DELETABLE):
        for key in KEYS:
            d = worker.host.dictionary.get_subdict(folder)
            worker.perform(f"register/{folder}-{key}", "read", {}, partial(d.get, key))
