"""Reading, deciding and writing without losing another's change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    DELETE_CURRENT,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    ConcurrencyConflictError,
    OperationResult,
    PersiDict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.places import Place


def test_it_inserts_changes_and_deletes(d: PersiDict[Any]) -> None:
    seen: list[Any] = []

    def step(value: Any) -> Any:
        seen.append(value)
        return {None: [1], 1: [1, 2], 2: DELETE_CURRENT}[value[-1] if seen[1:] else None]

    first = d.transform_item("a", transformer=step)
    assert first == OperationResult(d.etag("a"), [1])
    second = d.transform_item("a", transformer=step)
    assert second == OperationResult(d.etag("a"), [1, 2])
    assert second.resulting_etag != first.resulting_etag
    third = d.transform_item("a", transformer=step)
    assert third == OperationResult(ITEM_NOT_AVAILABLE, ITEM_NOT_AVAILABLE)
    assert seen == [ITEM_NOT_AVAILABLE, [1], [1, 2]]
    assert "a" not in d


def test_keeping(d: PersiDict[Any]) -> None:
    nothing = OperationResult(ITEM_NOT_AVAILABLE, ITEM_NOT_AVAILABLE)
    assert d.transform_item("a", transformer=lambda _: KEEP_CURRENT) == nothing
    d["a"] = [1]
    etag = d.etag("a")

    assert d.transform_item("a", transformer=lambda _: KEEP_CURRENT) == OperationResult(etag, [1])
    assert d.etag("a") == etag


def test_deleting_nothing(d: PersiDict[Any]) -> None:
    assert d.transform_item("a", transformer=lambda _: DELETE_CURRENT) == OperationResult(
        ITEM_NOT_AVAILABLE, ITEM_NOT_AVAILABLE
    )


def test_an_error_of_the_transformer_changes_nothing(d: PersiDict[Any]) -> None:
    d["a"] = [1]
    etag = d.etag("a")

    with pytest.raises(ZeroDivisionError):
        d.transform_item("a", transformer=lambda value: value[0] // 0)

    assert d.etag("a") == etag


class Meddler:
    """A transformer during whose first calls another writer changes the item."""

    def __init__(self, other: PersiDict[Any], *changes: Any) -> None:
        self.other = other
        self.changes = list(changes)
        self.seen: list[Any] = []

    def __call__(self, value: Any) -> Any:
        self.seen.append(value)
        if self.changes:
            self.other["a"] = self.changes.pop(0)
        return ["mine", value if isinstance(value, list) else None]


def test_it_decides_again_on_what_another_wrote(place: Place, d: PersiDict[Any]) -> None:
    d["a"] = [0]
    meddler = Meddler(d, [1], [0], [0], DELETE_CURRENT, [2])

    result = d.transform_item("a", transformer=meddler)

    assert meddler.seen == [[0], [1], [0], [0], ITEM_NOT_AVAILABLE, [2]]
    assert result == OperationResult(d.etag("a"), ["mine", [2]])
    assert d["a"] == ["mine", [2]]


def test_an_item_that_appears_is_no_lost_change(d: PersiDict[Any]) -> None:
    meddler = Meddler(d, [1])

    assert d.transform_item("a", transformer=meddler).new_value == ["mine", [1]]
    assert meddler.seen == [ITEM_NOT_AVAILABLE, [1]]


def test_deleting_another_ones_change_is_a_conflict(d: PersiDict[Any]) -> None:
    d["a"] = [0]
    meddler = Meddler(d, [1])

    d.transform_item("a", transformer=lambda value: meddler(value) and DELETE_CURRENT)

    assert meddler.seen == [[0], [1]]
    assert "a" not in d


def test_keeping_needs_no_second_look(d: PersiDict[Any]) -> None:
    d["a"] = [0]
    etag = d.etag("a")
    meddler = Meddler(d, [1])

    result = d.transform_item("a", transformer=lambda value: meddler(value) and KEEP_CURRENT)

    assert result == OperationResult(etag, [0])
    assert d["a"] == [1]


@pytest.mark.parametrize("retries", [0, 1, 2, 6])
def test_conflicts_are_retried_as_often_as_asked(d: PersiDict[Any], retries: int) -> None:
    for conflicts, is_too_many in ((retries, False), (retries + 1, True)):
        d["a"] = [0]
        meddler = Meddler(d, *([n] for n in range(1, conflicts + 1)))
        if is_too_many:
            with pytest.raises(ConcurrencyConflictError) as conflict:
                d.transform_item("a", transformer=meddler, n_retries=retries)
            assert (conflict.value.key, conflict.value.attempts) == ("a", retries + 1)
            assert d["a"] == [conflicts]
        else:
            d.transform_item("a", transformer=meddler, n_retries=retries)
            assert d["a"] == ["mine", [conflicts]]
        assert len(meddler.seen) == retries + 1


def test_six_retries_by_default(d: PersiDict[Any]) -> None:
    meddler = Meddler(d, *([n] for n in range(7)))
    with pytest.raises(ConcurrencyConflictError) as conflict:
        d.transform_item("a", transformer=meddler)

    assert conflict.value.attempts == len(meddler.seen) == 7


def test_none_retries_for_ever(d: PersiDict[Any]) -> None:
    meddler = Meddler(d, *([n] for n in range(20)))

    result = d.transform_item("a", transformer=meddler, n_retries=None)

    assert result.new_value == ["mine", [19]]


def test_conflicts_wait_with_jitter(place: Place, d: PersiDict[Any]) -> None:
    meddler = Meddler(d, *([n] for n in range(6)))

    d.transform_item("a", transformer=meddler)

    assert len(place.clock.slept) == 6
    assert len(set(place.clock.slept)) == 6
    assert all(0 <= wait <= 2.0 for wait in place.clock.slept)


def test_its_arguments_are_keyword_only(d: PersiDict[Any]) -> None:
    with pytest.raises(TypeError, match="positional"):
        d.transform_item("a", lambda _: 1)


@pytest.mark.parametrize(
    ("retries", "error"),
    [(-1, ValueError), (-100, ValueError), (1.0, TypeError), ("6", TypeError), ([], TypeError)],
)
def test_what_is_no_number_of_retries(
    d: PersiDict[Any], retries: Any, error: type[Exception]
) -> None:
    called: list[Any] = []
    with pytest.raises(error, match="n_retries"):
        d.transform_item("a", transformer=called.append, n_retries=retries)

    assert called == []


def test_what_it_makes_must_be_a_value(place: Place, serialization_format: str) -> None:
    d = place.open(serialization_format=serialization_format, base_class_for_values=int)
    d["a"] = 1
    unstorable: list[Callable[[Any], Any]] = [lambda _: "one", lambda _: d, lambda _: None]
    for transformer in unstorable:
        with pytest.raises(TypeError):
            d.transform_item("a", transformer=transformer)

    assert d["a"] == 1
