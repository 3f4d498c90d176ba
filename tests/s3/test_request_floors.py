"""Each operation sends as many requests as the contract says, whether it succeeds or not."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ALWAYS_RETRIEVE,
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    IF_ETAG_CHANGED,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    NEVER_RETRIEVE,
    BasicS3Dict,
    MutationPolicyError,
    PersiDict,
)
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

STALE = '"0123456789abcdef0123456789abcdef"'
RETRIEVALS = (ALWAYS_RETRIEVE, IF_ETAG_CHANGED, NEVER_RETRIEVE)
SAME, CHANGED, ANY = ETAG_IS_THE_SAME, ETAG_HAS_CHANGED, ANY_ETAG
ABSENT = ITEM_NOT_AVAILABLE


@dataclass
class Stage:
    """A dictionary with an item `there`, whose etag is `now`, and none `gone`."""

    d: BasicS3Dict[Any]
    now: Any

    def get_if(self, key: str, expected: Any, retrieve: Any, condition: Any = SAME) -> object:
        return self.d.get_item_if(
            key, condition=condition, expected_etag=expected, retrieve_value=retrieve
        )

    def set_if(
        self, key: str, expected: Any, *, condition: Any = SAME, value: Any = 2, retrieve: Any
    ) -> object:
        return self.d.set_item_if(
            key,
            value=value,
            condition=condition,
            expected_etag=expected,
            retrieve_value=retrieve,
        )

    def default_if(self, key: str, retrieve: Any, condition: Any = SAME) -> object:
        return self.d.setdefault_if(
            key,
            default_value=2,
            condition=condition,
            expected_etag=ABSENT,
            retrieve_value=retrieve,
        )

    def discard_if(self, key: str, expected: Any, condition: Any = SAME) -> object:
        return self.d.discard_if(key, condition=condition, expected_etag=expected)


Row = tuple[str, int, "Callable[[Stage], object]"]


def delete(d: PersiDict[Any], key: str) -> None:
    del d[key]


def assign(d: PersiDict[Any], key: str, value: object) -> None:
    d[key] = value


READS: tuple[Row, ...] = (
    ("d[k]", 1, lambda s: s.d["there"]),
    ("d[k], absent", 1, lambda s: s.d["gone"]),
    ("get", 1, lambda s: s.d.get("there")),
    ("get, absent", 1, lambda s: s.d.get("gone")),
    ("in", 1, lambda s: "there" in s.d),
    ("in, absent", 2, lambda s: "gone" in s.d),
    ("etag", 1, lambda s: s.d.etag("there")),
    ("etag, absent", 2, lambda s: s.d.etag("gone")),
    ("timestamp", 1, lambda s: s.d.timestamp("there")),
    ("timestamp, absent", 2, lambda s: s.d.timestamp("gone")),
    ("age", 1, lambda s: s.d.age("there")),
    ("age, absent", 2, lambda s: s.d.age("gone")),
    ("get_with_etag", 1, lambda s: s.d.get_with_etag("there")),
    ("get_with_etag, absent", 1, lambda s: s.d.get_with_etag("gone")),
)
CONDITIONAL_READS: tuple[Row, ...] = tuple(
    row
    for retrieve in RETRIEVALS
    for condition in (SAME, CHANGED, ANY)
    for row in (
        (
            f"get_item_if, unchanged, {condition}, {retrieve}",
            1,
            lambda s, r=retrieve, c=condition: s.get_if("there", s.now, r, c),
        ),
        (
            f"get_item_if, changed, {condition}, {retrieve}",
            1,
            lambda s, r=retrieve, c=condition: s.get_if("there", STALE, r, c),
        ),
        (
            f"get_item_if, unexpected, {condition}, {retrieve}",
            1,
            lambda s, r=retrieve, c=condition: s.get_if("there", ABSENT, r, c),
        ),
        (
            f"get_item_if, absent, {condition}, {retrieve}",
            2 if retrieve is NEVER_RETRIEVE else 1,
            lambda s, r=retrieve, c=condition: s.get_if("gone", STALE, r, c),
        ),
    )
)
WRITES: tuple[Row, ...] = (
    ("d[k]=v", 1, lambda s: assign(s.d, "there", 2)),
    ("d[k]=v, new", 1, lambda s: assign(s.d, "gone", 2)),
    ("d[k]=KEEP_CURRENT", 0, lambda s: assign(s.d, "there", KEEP_CURRENT)),
    ("d[k]=DELETE_CURRENT", 2, lambda s: assign(s.d, "there", DELETE_CURRENT)),
    ("setdefault, inserted", 1, lambda s: s.d.setdefault("gone", 2)),
    ("setdefault, present", 2, lambda s: s.d.setdefault("there", 2)),
    ("discard", 2, lambda s: s.d.discard("there")),
    ("discard, absent", 2, lambda s: s.d.discard("gone")),
    ("del", 2, lambda s: delete(s.d, "there")),
    ("del, absent", 2, lambda s: delete(s.d, "gone")),
    ("pop", 2, lambda s: s.d.pop("there")),
    ("pop, absent", 1, lambda s: s.d.pop("gone", None)),
    ("transform_item", 2, lambda s: s.d.transform_item("there", transformer=lambda n: n + 1)),
    ("transform_item, new", 2, lambda s: s.d.transform_item("gone", transformer=lambda _: 1)),
    (
        "transform_item, kept",
        1,
        lambda s: s.d.transform_item("there", transformer=lambda _: KEEP_CURRENT),
    ),
    (
        "transform_item, deleted",
        2,
        lambda s: s.d.transform_item("there", transformer=lambda _: DELETE_CURRENT),
    ),
    ("discard_if", 1, lambda s: s.discard_if("there", s.now)),
    ("discard_if, changed", 2, lambda s: s.discard_if("there", STALE)),
    ("discard_if, absent", 3, lambda s: s.discard_if("gone", STALE)),
    ("discard_if, expected absent", 2, lambda s: s.discard_if("gone", ABSENT)),
    ("discard_if ANY_ETAG", 2, lambda s: s.discard_if("there", STALE, ANY)),
    ("discard_if ETAG_HAS_CHANGED", 2, lambda s: s.discard_if("there", STALE, CHANGED)),
    ("discard_if ETAG_HAS_CHANGED, unchanged", 1, lambda s: s.discard_if("there", s.now, CHANGED)),
)
CONDITIONAL_WRITES: tuple[Row, ...] = tuple(
    row
    for retrieve in RETRIEVALS
    for row in (
        (
            f"set_item_if, created, {retrieve}",
            1,
            lambda s, r=retrieve: s.set_if("gone", ABSENT, retrieve=r),
        ),
        (
            f"set_item_if, swapped, {retrieve}",
            1,
            lambda s, r=retrieve: s.set_if("there", s.now, retrieve=r),
        ),
        (
            f"set_item_if, changed, {retrieve}",
            2,
            lambda s, r=retrieve: s.set_if("there", STALE, retrieve=r),
        ),
        (
            f"set_item_if, present, {retrieve}",
            2,
            lambda s, r=retrieve: s.set_if("there", ABSENT, retrieve=r),
        ),
        (
            f"set_item_if ANY_ETAG, {retrieve}",
            2,
            lambda s, r=retrieve: s.set_if("there", STALE, condition=ANY, retrieve=r),
        ),
        (
            f"set_item_if ANY_ETAG, new, {retrieve}",
            2,
            lambda s, r=retrieve: s.set_if("gone", STALE, condition=ANY, retrieve=r),
        ),
        (
            f"set_item_if ETAG_HAS_CHANGED, {retrieve}",
            2,
            lambda s, r=retrieve: s.set_if("there", STALE, condition=CHANGED, retrieve=r),
        ),
        (
            f"set_item_if ETAG_HAS_CHANGED, unchanged, {retrieve}",
            1,
            lambda s, r=retrieve: s.set_if("there", s.now, condition=CHANGED, retrieve=r),
        ),
        (
            f"set_item_if DELETE_CURRENT, {retrieve}",
            1,
            lambda s, r=retrieve: s.set_if("there", s.now, value=DELETE_CURRENT, retrieve=r),
        ),
        (
            f"set_item_if DELETE_CURRENT, changed, {retrieve}",
            2,
            lambda s, r=retrieve: s.set_if("there", STALE, value=DELETE_CURRENT, retrieve=r),
        ),
        (
            f"set_item_if KEEP_CURRENT, {retrieve}",
            1,
            lambda s, r=retrieve: s.set_if("there", s.now, value=KEEP_CURRENT, retrieve=r),
        ),
        (
            f"setdefault_if, inserted, {retrieve}",
            1,
            lambda s, r=retrieve: s.default_if("gone", r),
        ),
        (
            f"setdefault_if, present, {retrieve}",
            2,
            lambda s, r=retrieve: s.default_if("there", r),
        ),
        (
            f"setdefault_if ANY_ETAG, inserted, {retrieve}",
            1,
            lambda s, r=retrieve: s.default_if("gone", r, ANY),
        ),
        (
            f"setdefault_if ETAG_HAS_CHANGED, present, {retrieve}",
            1,
            lambda s, r=retrieve: s.default_if("there", r, CHANGED),
        ),
    )
)
ROWS = (*READS, *CONDITIONAL_READS, *WRITES, *CONDITIONAL_WRITES)
