"""Value and etag of a result are from one answer, whoever writes between two requests.

Each operation is run once to count its requests, and then once for each gap between two of them
and each thing that a rival can do there. What comes of it must be what comes of one after the
other, in one of the two orders.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

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
    ConditionalOperationResult,
    MutationPolicyError,
    OperationResult,
)
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from tests.s3.bench import Bench

KEY = "k"
NAME = f"{KEY}.pkl"
STALE = '"0123456789abcdef0123456789abcdef"'
_numbers = itertools.count()

Call = Callable[[BasicS3Dict[Any], Any], Any]
"""An operation on a dictionary with at most the item `KEY`, given that item's etag."""


class Seen(NamedTuple):
    """What came of a run, with symbols for etags: what was told, and what the bucket holds."""

    told: Any
    final: object


@dataclass(frozen=True)
class Operation:
    name: str
    call: Call
    append_only: bool = False

    def __str__(self) -> str:
        return self.name


class Run:
    """One run on an item of its own, with the rival acting at one moment or not at all."""

    def __init__(self, bench: Bench, operation: Operation, *, is_there: bool) -> None:
        prefix = f"run-{next(_numbers)}/"
        self.bench = bench
        self.operation = operation
        self.d = bench.given(root_prefix=prefix, append_only=operation.append_only)
        self.name = prefix + NAME
        self.is_there = is_there
        self.etag: Any = bench.put(self.name, "old") if is_there else ITEM_NOT_AVAILABLE
        self.etags: dict[str, str] = {str(self.etag): "old", STALE: "stale"}
        self.requests = 0

    def rival(self, deed: str) -> None:
        if deed == "writes":
            self.etags[self.bench.put(self.name, "theirs")] = "theirs"
        else:
            self.bench.delete(self.name)

    def go(self, deed: str = "", *, at: int | None = None, first: bool = False) -> Seen:
        """Run the operation; the rival acts before its request `at`, or first, or afterwards."""
        if deed and first:
            self.rival(deed)
        events = self.d.s3_client.meta.events
        events.register("after-call.s3.PutObject", self._note_own_write)
        try:
            with Wire(events) as wire:
                if at is not None:
                    wire.before_request(at, lambda: self.rival(deed))
                told = self._told()
        finally:
            events.unregister("after-call.s3.PutObject", self._note_own_write)
        assert wire.has_acted
        self.requests = len(wire)
        if deed and at is None and not first:
            self.rival(deed)
        return Seen(told, self.bench.value(self.name))

    def _note_own_write(self, parsed: dict[str, Any], **_: Any) -> None:
        if "ETag" in parsed:
            self.etags[parsed["ETag"]] = "mine"

    def _told(self) -> Any:
        try:
            return self._in_symbols(self.operation.call(self.d, self.etag))
        except (KeyError, MutationPolicyError, TypeError) as error:
            return type(error).__name__

    def _in_symbols(self, told: Any) -> Any:
        if isinstance(told, ConditionalOperationResult):
            before, after = self._symbol(told.actual_etag), self._symbol(told.resulting_etag)
            belongs_together(told.new_value, after)
            return told.condition_was_satisfied, before, after, told.new_value
        if isinstance(told, OperationResult):
            belongs_together(told.new_value, self._symbol(told.resulting_etag))
            return self._symbol(told.resulting_etag), told.new_value
        if isinstance(told, float):
            return "some time"
        return self._symbol(told)

    def _symbol(self, told: Any) -> Any:
        return self.etags.get(told, told) if isinstance(told, str) else told


def belongs_together(value: object, etag: object) -> None:
    if isinstance(value, str):
        assert etag == ("mine" if "mine" in value else value)
    if value is ITEM_NOT_AVAILABLE or etag is ITEM_NOT_AVAILABLE:
        assert value is etag


def delete(d: BasicS3Dict[Any], _etag: Any) -> None:
    del d[KEY]


def assign(value: Any) -> Call:
    def call(d: BasicS3Dict[Any], _etag: Any) -> None:
        d[KEY] = value

    return call


def transform(value: Any) -> Call:
    return lambda d, _: d.transform_item(
        KEY, transformer=lambda old: f"{old}+mine" if value == "mine" else value
    )


PLAIN = [
    Operation("d[k]", lambda d, _: d[KEY]),
    Operation("get", lambda d, _: d.get(KEY)),
    Operation("in", lambda d, _: KEY in d),
    Operation("etag", lambda d, _: d.etag(KEY)),
    Operation("timestamp", lambda d, _: d.timestamp(KEY)),
    Operation("age", lambda d, _: d.age(KEY)),
    Operation("get_with_etag", lambda d, _: d.get_with_etag(KEY)),
    Operation("d[k]=v", assign("mine")),
    Operation("d[k]=DELETE_CURRENT", assign(DELETE_CURRENT)),
    Operation("append-only d[k]=v", assign("mine"), append_only=True),
    Operation("setdefault", lambda d, _: d.setdefault(KEY, "mine")),
    Operation("setdefault, unstorable", lambda d, _: d.setdefault(KEY, lambda: 1)),
    Operation("discard", lambda d, _: d.discard(KEY)),
    Operation("del", delete),
    Operation("pop", lambda d, _: d.pop(KEY)),
    Operation("pop, default", lambda d, _: d.pop(KEY, "nothing")),
    Operation("transform_item", transform("mine")),
    Operation("transform_item KEEP_CURRENT", transform(KEEP_CURRENT)),
    Operation("transform_item DELETE_CURRENT", transform(DELETE_CURRENT)),
]
WHOLE = [
    Operation("len", lambda d, _: len(d)),
    Operation("bool", lambda d, _: bool(d)),
    Operation("keys", lambda d, _: list(d)),
    Operation("values", lambda d, _: list(d.values())),
    Operation("items", lambda d, _: list(d.items())),
    Operation("values_and_timestamps", lambda d, _: [v for v, _ in d.values_and_timestamps()]),
    Operation("items_and_timestamps", lambda d, _: [v for _, v, _ in d.items_and_timestamps()]),
    Operation("oldest_values", lambda d, _: d.oldest_values()),
    Operation("newest_values", lambda d, _: d.newest_values(1)),
    Operation("==", lambda d, _: d == {KEY: "old"}),
    Operation("str", lambda d, _: str(d)),
    Operation("popitem", lambda d, _: d.popitem()),
    Operation("clear", lambda d, _: d.clear()),
]


def conditional() -> list[Operation]:
    conditions = (ETAG_IS_THE_SAME, ETAG_HAS_CHANGED, ANY_ETAG)
    retrievals = (IF_ETAG_CHANGED, ALWAYS_RETRIEVE, NEVER_RETRIEVE)
    made = []
    for condition, expected in itertools.product(conditions, ("now", "stale", "absent")):
        terms: Any = (condition, expected)
        made.append(_conditional("discard_if", terms))
        made.append(_conditional("discard_if", terms, append_only=True))
        for retrieve in retrievals:
            more: Any = {"retrieve_value": retrieve}
            made.append(_conditional("get_item_if", terms, **more))
            made.append(_conditional("setdefault_if", terms, default_value="mine", **more))
            made += [
                _conditional("set_item_if", terms, value=value, **more)
                for value in ("mine", KEEP_CURRENT, DELETE_CURRENT)
            ]
            made.append(_conditional("set_item_if", terms, value="mine", append_only=True, **more))
    return made


def _conditional(
    method: str, terms: tuple[Any, str], *, append_only: bool = False, **settings: Any
) -> Operation:
    condition, expected = terms

    def call(d: BasicS3Dict[Any], etag: Any) -> Any:
        etags = {"now": etag, "stale": STALE, "absent": ITEM_NOT_AVAILABLE}
        return getattr(d, method)(
            KEY, condition=condition, expected_etag=etags[expected], **settings
        )

    words = ["append-only"] * append_only + [method, str(condition), expected]
    return Operation(" ".join([*words, *map(str, settings.values())]), call, append_only)


@pytest.mark.parametrize("operation", [*PLAIN, *WHOLE, *conditional()], ids=str)
@pytest.mark.parametrize("is_there", [True, False], ids=["present", "absent"])
def test_another_writer_between_any_two_requests(
    shared_bench: Bench, operation: Operation, is_there: bool
) -> None:
    def run() -> Run:
        return Run(shared_bench, operation, is_there=is_there)

    undisturbed = run()
    undisturbed.go()
    for deed in ("writes", "deletes") if is_there else ("writes",):
        if undisturbed.requests < 2:
            continue
        in_turn = [run().go(deed, first=True), run().go(deed)]
        for gap in range(1, undisturbed.requests):
            assert run().go(deed, at=gap) in in_turn, f"{deed} before request {gap}"


def test_an_empty_object_that_appears_between_the_head_and_its_first_byte(bench: Bench) -> None:
    """It has no first byte, and the store answers 416."""
    d = bench.given(serialization_format="txt", base_class_for_values=str)
    with Wire(d.s3_client.meta.events) as wire:
        wire.before_request(
            1, lambda: bench.rival.put_object(Bucket=bench.bucket, Key="k.txt", Body=b"")
        )
        assert "k" in d
    assert wire.operations == ["HeadObject", "GetObject", "HeadObject"]
    assert d["k"] == ""


def test_an_empty_object_that_another_has_written(bench: Bench) -> None:
    d = bench.given(serialization_format="txt", base_class_for_values=str)
    d["k"] = "before"
    expected = d.etag("k")
    bench.rival.put_object(Bucket=bench.bucket, Key="k.txt", Body=b"")
    lost = d.set_item_if(
        "k",
        value="ours",
        condition=ETAG_IS_THE_SAME,
        expected_etag=expected,
        retrieve_value=NEVER_RETRIEVE,
    )
    assert (lost.condition_was_satisfied, lost.actual_etag) == (False, d.etag("k"))
