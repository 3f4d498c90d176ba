"""Dictionaries are equal if their items are, whatever and wherever they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from persidict import LocalDict, NonEmptySafeStrTuple

if TYPE_CHECKING:
    from persidict import PersiDict
    from tests.contract.places import Place

A = NonEmptySafeStrTuple("a")
BC = NonEmptySafeStrTuple("b", "c")


def test_equality_is_by_items(place: Place, d: PersiDict[Any], serialization_format: str) -> None:
    d.update({"a": 1, ("b", "c"): [2]})
    other_format = {"pkl": "json", "json": "pkl"}[serialization_format]
    elsewhere: LocalDict[Any] = LocalDict(serialization_format=other_format)
    elsewhere.update(d)

    assert d == d  # noqa: PLR0124
    assert d == place.open(serialization_format=serialization_format)
    assert d == elsewhere
    assert elsewhere == d
    assert d == {"a": 1, ("b", "c"): [2]}
    assert d == {A: 1, BC: [2]}
    assert {("a",): 1, ("b", "c"): [2]} == d  # noqa: SIM300 - the other side is asked


def test_inequality(place: Place, d: PersiDict[Any], serialization_format: str) -> None:
    d["a"] = 1
    others: list[Any] = [
        {},
        {"a": 2},
        {"b": 1},
        {"a": 1, "b": 2},
        {1: 1},
        {"a/b": 1},
        {"": 1},
        None,
        1,
        "a",
        [("a", 1)],
        LocalDict(),
        place.open(serialization_format="json", root_prefix="other"),
    ]
    for other in others:
        assert d != other
        assert not d == other  # noqa: SIM201
        assert other != d


def test_a_dictionary_of_another_format_has_other_items(place: Place) -> None:
    one = place.open(serialization_format="pkl")
    other = place.open(serialization_format="json")
    text = place.open(serialization_format="txt", base_class_for_values=str)
    one["a"], other["a"], text["a"] = (1, {2}), [3], "four"

    assert (one["a"], other["a"], text["a"]) == ((1, {2}), [3], "four")
    assert [len(each) for each in (one, other, text)] == [1, 1, 1]
    one.clear()
    assert (other == {"a": [3]}, text == {"a": "four"}) == (True, True)


def test_what_cannot_be_read_is_not_unequal(place: Place, serialization_format: str) -> None:
    """Whichever side it is on."""
    d = place.open(serialization_format=serialization_format)
    d["a"] = 1
    texts = place.open(serialization_format=serialization_format, base_class_for_values=str)
    numbers: LocalDict[Any] = LocalDict()
    numbers["a"] = 1

    for one, other in ((texts, numbers), (numbers, texts)):
        with pytest.raises(TypeError, match="is a int"):
            assert one == other


def test_it_is_not_hashable(d: PersiDict[Any]) -> None:
    with pytest.raises(TypeError):
        hash(d)
