"""Another writer between any two requests of an operation.

Whatever the other does there, the operation ends as if all of it had happened before, or all of
it afterwards: same result, same etags, same value left behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from functools import partial
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
    LocalDict,
    MutationPolicyError,
    NonEmptySafeStrTuple,
    PersiDict,
)
from tests.contract.interposed import interposed
from tests.contract.places import InBucket, store_of

if TYPE_CHECKING:
    from tests.contract.places import Place

Act = Callable[[PersiDict[Any]], Any]
ABSENT = ITEM_NOT_AVAILABLE
UNKNOWN = "no write has this etag"

MEDDLING: dict[str, Act] = {
    "write": lambda d: d.__setitem__("a", ["other"]),
    "delete": lambda d: d.__delitem__("a"),
    "delete and write": lambda d: (d.__delitem__("a"), d.__setitem__("a", ["other"])),
}


def conditional(method: str, **arguments: Any) -> Callable[[Any, Any], Act]:
    """The operation with a condition and an expected etag."""

    def with_terms(condition: Any, expected: Any) -> Act:
        return lambda d: getattr(d, method)(
            "a", condition=condition, expected_etag=expected, **arguments
        )

    return with_terms


def plain(call: Act) -> Callable[[Any, Any], Act]:
    """An operation without terms."""
    return lambda _condition, _expected: call


OPERATIONS: dict[str, Callable[[Any, Any], Act]] = {
    "getitem": plain(lambda d: d["a"]),
    "get": plain(lambda d: d.get("a")),
    "contains": plain(lambda d: "a" in d),
    "etag": plain(lambda d: d.etag("a")),
    "setdefault": plain(lambda d: d.setdefault("a", ["mine"])),
    "pop": plain(lambda d: d.pop("a")),
    "pop with default": plain(lambda d: d.pop("a", None)),
    "get_with_etag": plain(lambda d: d.get_with_etag("a")),
    "assign": plain(lambda d: d.__setitem__("a", ["mine"])),
    "discard": plain(lambda d: d.discard("a")),
    "transform_item": plain(
        lambda d: d.transform_item("a", transformer=lambda v: ["mine", str(v)])
    ),
    "delete by transforming": plain(
        lambda d: d.transform_item("a", transformer=lambda _: DELETE_CURRENT)
    ),
    "discard_if": conditional("discard_if"),
    **{
        f"{name}, {retrieval!r}": conditional(method, **arguments, retrieve_value=retrieval)
        for retrieval in (ALWAYS_RETRIEVE, IF_ETAG_CHANGED)
        for name, method, arguments in [
            ("get_item_if", "get_item_if", {}),
            ("set_item_if", "set_item_if", {"value": ["mine"]}),
            ("delete by setting", "set_item_if", {"value": DELETE_CURRENT}),
            ("setdefault_if", "setdefault_if", {"default_value": ["mine"]}),
        ]
    },
}
EXPECTATIONS = ("now", "unknown", "absent")
CONDITIONS = (ANY_ETAG, ETAG_IS_THE_SAME, ETAG_HAS_CHANGED)


class Race:
    """One run of an operation, with everything named by who wrote it."""

    def __init__(self, d: PersiDict[Any], *, is_present: bool) -> None:
        self.d = d
        store_of(d).delete(d._items.name(NonEmptySafeStrTuple("a")), precondition=None)
        self.first: Any = ABSENT
        if is_present:
            d["a"] = ["first"]
            self.first = d.etag("a")
        self.names = {self.first: "first", ABSENT: "absent", UNKNOWN: "unknown"}

    def expected(self, expectation: str) -> Any:
        return {"now": self.first, "absent": ABSENT, "unknown": UNKNOWN}[expectation]

    def meddle(self, how: str) -> None:
        MEDDLING[how](self.d)
        if how != "delete":
            self.names[self.d.etag("a")] = "other"

    def outcome(self, act: Act, d: PersiDict[Any]) -> Any:
        try:
            result = act(d)
        except (KeyError, MutationPolicyError) as error:
            return type(error)
        return self.named(result)

    def left(self) -> Any:
        return self.named(self.d.get_with_etag("a"))

    def named(self, result: Any) -> Any:
        if isinstance(result, str):
            return self.names.get(result, "mine")
        if not is_dataclass(result):
            return result
        return {
            field.name: self.names.get(value, "mine") if field.name.endswith("etag") else value
            for field in fields(result)
            for value in [getattr(result, field.name)]
        }


def orders(make: Callable[[Any], Act], expectation: str, *, how: str, is_present: bool) -> Any:
    """What comes out in memory, without any race: the other first, and the operation first."""
    race = Race(LocalDict(serialization_format="json"), is_present=is_present)
    race.meddle(how)
    yield race.outcome(make(race.expected(expectation)), race.d), race.left()
    race = Race(LocalDict(serialization_format="json"), is_present=is_present)
    result = race.outcome(make(race.expected(expectation)), race.d)
    race.names.setdefault(race.d.get_with_etag("a").actual_etag, "mine")
    with suppress(KeyError):
        race.meddle(how)
    yield result, race.left()


@contextmanager
def let_in(place: Place, d: PersiDict[Any], before: Callable[[int], None]) -> Iterator[Any]:
    """Call `before` with the number of each request, over HTTP with that of each on the wire."""
    if not isinstance(place, InBucket):
        yield interposed(d, before=lambda number, _verb: before(number))
        return
    numbers = itertools.count(1)
    is_inside = False

    def hook(**_: Any) -> None:
        nonlocal is_inside
        if not is_inside:
            is_inside = True
            try:
                before(next(numbers))
            finally:
                is_inside = False

    place.client.meta.events.register("before-call.s3", hook)
    try:
        yield d
    finally:
        place.client.meta.events.unregister("before-call.s3", hook)


@pytest.mark.parametrize("place", ["memory", "sqlite"], indirect=True)
@pytest.mark.parametrize("is_present", [True, False])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_order_or_the_other(place: Place, operation: str, is_present: bool) -> None:
    check_every_moment(place, operation, is_present=is_present, expectations=EXPECTATIONS)


@pytest.mark.parametrize("place", ["s3"], indirect=True)
@pytest.mark.parametrize("is_present", [True, False])
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if "IF_ETAG" not in name])
def test_the_same_between_requests_on_the_wire(
    place: Place, operation: str, is_present: bool
) -> None:
    check_every_moment(place, operation, is_present=is_present, expectations=EXPECTATIONS[:2])


def check_every_moment(
    place: Place, operation: str, *, is_present: bool, expectations: Sequence[str]
) -> None:
    d = place.open(serialization_format="json")
    has_terms = "_if" in operation or "setting" in operation
    for condition, expectation, how in itertools.product(
        CONDITIONS if has_terms else CONDITIONS[:1],
        expectations if has_terms else expectations[:1],
        MEDDLING if is_present else ["write"],
    ):
        make = partial(OPERATIONS[operation], condition)
        allowed = list(orders(make, expectation, how=how, is_present=is_present))
        for moment in itertools.count(1):
            race = Race(d, is_present=is_present)
            asked: list[int] = []

            def before(
                number: int,
                race: Race = race,
                moment: int = moment,
                how: str = how,
                asked: list[int] = asked,
            ) -> None:
                asked.append(number)
                if number == moment:
                    race.meddle(how)

            with let_in(place, d, before) as watched:
                result = race.outcome(make(race.expected(expectation)), watched)
            if len(asked) < moment:
                break
            note = f"{how} before request {moment} of {condition!r}, {expectation}"
            assert (result, race.left()) in allowed, note
