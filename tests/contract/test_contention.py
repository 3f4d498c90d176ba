"""Others who change the item before each attempt: bounded, told, and nothing of theirs lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ITEM_NOT_AVAILABLE,
    ConcurrencyConflictError,
    NonEmptySafeStrTuple,
)
from tests.contract.interposed import interposed

if TYPE_CHECKING:
    from collections.abc import Callable

    from persidict import PersiDict

UNKNOWN = "no write has this etag"
ANY: Any = {"condition": ANY_ETAG, "expected_etag": ITEM_NOT_AVAILABLE}
CHANGED: Any = {"condition": ETAG_HAS_CHANGED, "expected_etag": UNKNOWN}

CHANGES: dict[str, Callable[[PersiDict[Any]], Any]] = {
    "set_item_if, any": lambda d: d.set_item_if("a", value=["mine"], **ANY),
    "set_item_if, changed": lambda d: d.set_item_if("a", value=["mine"], **CHANGED),
    "delete, any": lambda d: d.set_item_if("a", value=DELETE_CURRENT, **ANY),
    "delete, changed": lambda d: d.set_item_if("a", value=DELETE_CURRENT, **CHANGED),
    "discard_if, any": lambda d: d.discard_if("a", **ANY),
    "discard_if, changed": lambda d: d.discard_if("a", **CHANGED),
    "pop": lambda d: d.pop("a"),
    "popitem": lambda d: d.popitem(),
    "transform_item": lambda d: d.transform_item("a", transformer=lambda _: 1, n_retries=5),
}


def test_a_transformer_may_change_what_it_gets(d: PersiDict[Any]) -> None:
    d["a"] = ["first"]
    writes = iter(range(3))

    def before(_number: int, verb: str) -> None:
        if verb == "put" and (n := next(writes, None)) is not None:
            d["a"] = ["other", n]

    def add(now: Any) -> Any:
        now.append("mine")
        return now

    interposed(d, before=before).transform_item("a", transformer=add)
    assert d["a"] == ["other", 2, "mine"]


@pytest.mark.parametrize("conflicts", [0, 1, 5])
@pytest.mark.parametrize("change", CHANGES)
def test_up_to_five_conflicts_are_overcome(d: PersiDict[Any], change: str, conflicts: int) -> None:
    writes = iter(range(conflicts))

    def before(_number: int, verb: str) -> None:
        if verb in ("put", "delete") and (n := next(writes, None)) is not None:
            d["a"] = ["other", n]

    d["a"] = ["first"]
    watched = interposed(d, before=before)

    CHANGES[change](watched)

    attempts = watched.get_params()["store"].requests
    assert sum(verb in ("put", "delete") for verb in attempts) == conflicts + 1
    assert next(writes, None) is None


@pytest.mark.parametrize("change", CHANGES)
def test_the_sixth_conflict_is_an_error(d: PersiDict[Any], change: str) -> None:
    written: list[Any] = []

    def before(_number: int, verb: str) -> None:
        if verb in ("put", "delete"):
            written.append(["other", len(written)])
            d["a"] = written[-1]

    d["a"] = ["first"]

    with pytest.raises(ConcurrencyConflictError) as conflict:
        CHANGES[change](interposed(d, before=before))

    assert (conflict.value.key, conflict.value.attempts) == ("a", 6)
    assert len(written) == 6
    assert d == {"a": written[-1]}


@pytest.mark.parametrize("result", ["present again", "gone again"])
def test_what_any_etag_reports_as_before_was_there(d: PersiDict[Any], result: str) -> None:
    """The etag before a write is that of what it replaced, not of what was read first."""
    d["a"] = ["first"]
    replaced: list[Any] = []

    def before(_number: int, verb: str) -> None:
        if verb == "put" and not replaced:
            if result == "present again":
                d["a"] = ["second"]
                replaced.append(d.etag("a"))
            else:
                del d["a"]
                replaced.append(ITEM_NOT_AVAILABLE)

    done = interposed(d, before=before).set_item_if("a", value=["mine"], **ANY)

    assert (done.condition_was_satisfied, done.actual_etag) == (True, replaced[0])
    assert done.resulting_etag == d.etag("a")


INSERTIONS: dict[str, Callable[[PersiDict[Any]], Any]] = {
    "setdefault": lambda d: d.setdefault("a", ["mine"]),
    "setdefault_if": lambda d: d.setdefault_if("a", default_value=["mine"], **ANY).new_value,
}


@pytest.mark.parametrize(("rounds", "is_too_many"), [(0, False), (4, False), (5, True)])
@pytest.mark.parametrize("insertion", INSERTIONS)
def test_a_key_that_keeps_appearing_and_vanishing(
    d: PersiDict[Any], insertion: str, rounds: int, is_too_many: bool
) -> None:
    """There when this one wants to insert, gone when it looks at what is there."""
    appearances = 0

    def before(_number: int, verb: str) -> None:
        nonlocal appearances
        if verb == "put" and appearances < rounds:
            appearances += 1
            d["a"] = ["other"]
        elif verb in ("get", "head"):
            d.discard("a")

    watched = interposed(d, before=before)

    if is_too_many:
        with pytest.raises(ConcurrencyConflictError) as conflict:
            INSERTIONS[insertion](watched)
        assert (conflict.value.key, conflict.value.attempts) == ("a", 5)
        assert "a" not in d
    else:
        assert INSERTIONS[insertion](watched) == ["mine"]
        assert d["a"] == ["mine"]
    assert appearances == rounds


def test_popitem_takes_another_where_the_first_has_vanished(d: PersiDict[Any]) -> None:
    d.update({"a": 1, "b": 2})

    def before(_number: int, verb: str) -> None:
        if verb == "get":
            d.discard("a")

    assert interposed(d, before=before).popitem() == (NonEmptySafeStrTuple("b"), 2)
    assert len(d) == 0


def test_of_two_that_pop_one_gets_the_value(d: PersiDict[Any]) -> None:
    d["a"] = [1]
    popped: list[Any] = []

    def before(_number: int, verb: str) -> None:
        if verb == "delete" and not popped:
            popped.append(d.pop("a"))

    with pytest.raises(KeyError):
        interposed(d, before=before).pop("a")

    assert popped == [[1]]
