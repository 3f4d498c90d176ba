"""Writes whose answer never comes: each operation ends as what happened, or says that it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    OutcomeUnknownError,
)
from persidict.object_store import Unaccounted
from tests.contract.interposed import Interposed
from tests.contract.places import DictOver, store_of

if TYPE_CHECKING:
    from persidict import PersiDict
    from persidict.object_store import Answer, IfMatch, Name

Act = Callable[["PersiDict[Any]"], Any]


class Unanswered(Interposed):
    """The first write gets no answer, after it was applied or instead of that."""

    def __init__(
        self, d: PersiDict[Any], *, is_applied: bool, afterwards: Callable[[], Any]
    ) -> None:
        super().__init__(store_of(d))
        self.is_applied = is_applied
        self.afterwards = afterwards
        self.is_lost = False

    def _answer(self, write: Callable[[], Answer]) -> Answer:
        if self.is_lost:
            return write()
        self.is_lost = True
        if self.is_applied:
            write()
        self.afterwards()
        return Unaccounted(TimeoutError())

    def put(self, name: Name, body: bytes, **terms: Any) -> Answer:
        return self._answer(lambda: super(Unanswered, self).put(name, body, **terms))

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        return self._answer(lambda: super(Unanswered, self).delete(name, precondition=precondition))


def unanswered(
    d: PersiDict[Any], *, is_applied: bool, afterwards: Callable[[], Any] = lambda: None
) -> DictOver:
    store = Unanswered(d, is_applied=is_applied, afterwards=afterwards)
    clock = d.get_params()["clock"]
    return DictOver(store=store, serialization_format=d.serialization_format, clock=clock)


def conditional(method: str, condition: Any, **arguments: Any) -> Act:
    """The operation under this condition, which holds."""

    def act(d: PersiDict[Any]) -> Any:
        expected = "none" if condition is ETAG_HAS_CHANGED else d.get_with_etag("a").actual_etag
        return getattr(d, method)("a", condition=condition, expected_etag=expected, **arguments)

    return act


CONDITIONS = (ANY_ETAG, ETAG_IS_THE_SAME, ETAG_HAS_CHANGED)
PUTS: dict[str, Act] = {
    **{f"set_item_if, {c!r}": conditional("set_item_if", c, value=["mine"]) for c in CONDITIONS},
    "transform_item": lambda d: d.transform_item("a", transformer=lambda _: ["mine"]),
}
INSERTIONS: dict[str, Act] = {
    **PUTS,
    "setdefault_if": conditional("setdefault_if", ETAG_IS_THE_SAME, default_value=["mine"]),
    "setdefault_if, any": conditional("setdefault_if", ANY_ETAG, default_value=["mine"]),
}
DELETIONS: dict[str, Act] = {
    **{f"discard_if, {c!r}": conditional("discard_if", c) for c in CONDITIONS},
    **{
        f"DELETE_CURRENT, {c!r}": conditional("set_item_if", c, value=DELETE_CURRENT)
        for c in CONDITIONS
    },
    "transform_item": lambda d: d.transform_item("a", transformer=lambda _: DELETE_CURRENT),
    "pop": lambda d: d.pop("a"),
    "popitem": lambda d: d.popitem(),
}
UNCONDITIONAL: dict[str, tuple[Act, bool]] = {
    # What is done, and whether the item is there afterwards.
    "assign": (lambda d: d.__setitem__("a", ["mine"]), True),
    "update": (lambda d: d.update(a=["mine"]), True),
    "del": (lambda d: d.__delitem__("a"), False),
    "discard": (lambda d: d.discard("a"), False),
    "assign DELETE_CURRENT": (lambda d: d.__setitem__("a", DELETE_CURRENT), False),
}


@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.parametrize("put", PUTS)
def test_a_change_happens_once(d: PersiDict[Any], put: str, is_applied: bool) -> None:
    d["a"] = ["first"]

    result = PUTS[put](unanswered(d, is_applied=is_applied))

    assert (result.resulting_etag, result.new_value) == (d.etag("a"), ["mine"])
    assert d == {"a": ["mine"]}


@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.parametrize("insertion", INSERTIONS)
def test_an_insertion_happens_once(d: PersiDict[Any], insertion: str, is_applied: bool) -> None:
    result = INSERTIONS[insertion](unanswered(d, is_applied=is_applied))

    assert (result.resulting_etag, result.new_value) == (d.etag("a"), ["mine"])
    if insertion != "transform_item":
        assert (result.condition_was_satisfied, result.value_was_mutated) == (True, True)
        assert result.actual_etag is ITEM_NOT_AVAILABLE
    assert d == {"a": ["mine"]}


@pytest.mark.parametrize("is_applied", [True, False])
def test_a_default_is_known_as_ones_own(d: PersiDict[Any], is_applied: bool) -> None:
    assert unanswered(d, is_applied=is_applied).setdefault("a", ["mine"]) == ["mine"]
    assert d == {"a": ["mine"]}


@pytest.mark.parametrize("is_applied", [True, False])
def test_an_append_only_dictionary_does_not_refuse_its_own_write(
    d: PersiDict[Any], is_applied: bool
) -> None:
    watched = unanswered(d, is_applied=is_applied)
    watched.append_only = True

    watched["a"] = ["mine"]

    assert d == {"a": ["mine"]}


@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.parametrize("act", UNCONDITIONAL)
def test_what_needs_no_condition_is_done_in_any_case(
    d: PersiDict[Any], act: str, is_applied: bool
) -> None:
    d["a"] = ["first"]
    call, is_there = UNCONDITIONAL[act]

    call(unanswered(d, is_applied=is_applied))

    assert d == ({"a": ["mine"]} if is_there else {})


@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.parametrize("put", PUTS)
def test_whose_write_was_overwritten_nobody_can_say(
    d: PersiDict[Any], put: str, is_applied: bool
) -> None:
    """The other's write came after ours, or in place of it: what is there is the same."""
    d["a"] = ["first"]
    watched = unanswered(d, is_applied=is_applied, afterwards=lambda: d.__setitem__("a", ["other"]))

    with pytest.raises(OutcomeUnknownError) as error:
        PUTS[put](watched)

    assert (error.value.actual_etag, error.value.key) == (d.etag("a"), "a")
    assert isinstance(error.value.__cause__, TimeoutError)
    assert d == {"a": ["other"]}


@pytest.mark.parametrize("is_applied", [True, False])
@pytest.mark.parametrize("insertion", [*INSERTIONS, "setdefault"])
def test_whose_insertion_was_overwritten_nobody_can_say(
    d: PersiDict[Any], insertion: str, is_applied: bool
) -> None:
    act = {**INSERTIONS, "setdefault": lambda d: d.setdefault("a", ["mine"])}[insertion]
    watched = unanswered(d, is_applied=is_applied, afterwards=lambda: d.__setitem__("a", ["other"]))

    with pytest.raises(OutcomeUnknownError) as error:
        act(watched)

    assert error.value.actual_etag == d.etag("a")


@pytest.mark.parametrize("deletion", DELETIONS)
def test_who_deleted_it_nobody_can_say(d: PersiDict[Any], deletion: str) -> None:
    d["a"] = ["first"]

    with pytest.raises(OutcomeUnknownError) as error:
        DELETIONS[deletion](unanswered(d, is_applied=True))

    assert error.value.actual_etag is ITEM_NOT_AVAILABLE
    assert len(d) == 0


@pytest.mark.parametrize("deletion", DELETIONS)
def test_a_deletion_that_was_lost_on_the_way_happens_once(d: PersiDict[Any], deletion: str) -> None:
    d["a"] = ["first"]

    result = DELETIONS[deletion](unanswered(d, is_applied=False))

    if deletion.startswith("pop"):
        assert result in (["first"], (("a",), ["first"]))
    else:
        assert result.resulting_etag is ITEM_NOT_AVAILABLE
    assert len(d) == 0


@pytest.mark.parametrize("act", UNCONDITIONAL)
def test_the_last_word_is_that_of_an_unconditional_write(d: PersiDict[Any], act: str) -> None:
    """It is sent again until it is answered, over whatever another has written meanwhile."""
    d["a"] = ["first"]
    call, is_there = UNCONDITIONAL[act]

    call(unanswered(d, is_applied=True, afterwards=lambda: d.__setitem__("a", ["other"])))

    assert d == ({"a": ["mine"]} if is_there else {})
