"""What can be stored and what cannot, and who is asked: the writer, the reader, or both."""

from __future__ import annotations

import json
import pickle
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ANY_ETAG,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    VALUE_NOT_RETRIEVED,
    LocalDict,
    NonEmptySafeStrTuple,
)
from tests.contract.places import store_of
from tests.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from persidict import PersiDict
    from tests.contract.places import Place


class Point:
    """A value class of the caller's own."""

    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and vars(other) == vars(self)

    def __repr__(self) -> str:
        return f"Point({self.x}, {self.y})"

    __hash__ = None


class Text(str):
    """A string of a class of its own."""

    __slots__ = ()


VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "ü\n\"'\\",
    b"\0\xff",
    [],
    {},
    (1, (2,)),
    {1: "a", "1": 2},
    {(1, 2): {3}},
    {None: None, True: 1},
    [[{"a": [None]}]],
    frozenset({1}),
    Point(1, 2),
    OrderedDict(b=1, a=2),
    {"py/object": "os.system"},
    {"py/reduce": [1]},
    float("inf"),
    1 + 2j,
]


@pytest.mark.parametrize("value", VALUES, ids=shown)
def test_a_value_comes_back_as_it_was(d: PersiDict[Any], value: Any) -> None:
    d["a"] = value

    assert d["a"] == value
    assert type(d["a"]) is type(value)
    assert d.get_with_etag("a").new_value == value
    assert list(d.values()) == [value]


WRITES: dict[str, Callable[[PersiDict[Any], Any], Any]] = {
    "assign": lambda d, value: d.__setitem__("a", value),
    "update": lambda d, value: d.update(a=value),
    "setdefault": lambda d, value: d.setdefault("b", value),
    "set_item_if": lambda d, value: d.set_item_if(
        "a", value=value, condition=ANY_ETAG, expected_etag=ITEM_NOT_AVAILABLE
    ),
    "setdefault_if": lambda d, value: d.setdefault_if(
        "b", default_value=value, condition=ANY_ETAG, expected_etag=ITEM_NOT_AVAILABLE
    ),
    "transform_item": lambda d, value: d.transform_item("a", transformer=lambda _: value),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_cannot_be_stored_changes_nothing(d: PersiDict[Any], write: str) -> None:
    d["a"] = [1]
    etag = d.etag("a")
    for value in (lambda: 1, d, [d], {"in": (d,)}, LocalDict(), (n for n in ()), pytest):
        with pytest.raises(TypeError):
            WRITES[write](d, value)

    assert (d.etag("a"), list(d)) == (etag, ["a"])


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("nothing", [ITEM_NOT_AVAILABLE, VALUE_NOT_RETRIEVED], ids=shown)
def test_what_says_that_there_is_no_value_is_no_value(
    d: PersiDict[Any], write: str, nothing: Any
) -> None:
    with pytest.raises(TypeError, match=f"{nothing!r}.*KEEP_CURRENT leaves an item as it is"):
        WRITES[write](d, nothing)

    assert list(d) == []


@pytest.mark.parametrize("write", WRITES)
def test_text_holds_strings_only(place: Place, write: str) -> None:
    d = place.open(serialization_format="txt", base_class_for_values=str)
    for value in (1, b"a", None, ["a"], d):
        with pytest.raises(TypeError):
            WRITES[write](d, value)

    assert list(d) == []


def test_text_is_read_as_its_class(place: Place) -> None:
    d = place.open(serialization_format="html", base_class_for_values=Text)
    for text in ("", "ü\r\n\0", "x" * 100_000):
        d["a"] = Text(text)
        assert (type(d["a"]), d["a"]) == (Text, text)
    with pytest.raises(TypeError, match="base_class_for_values"):
        d["a"] = "a plain str"


def test_text_under_conditions(place: Place) -> None:
    d = place.open(serialization_format="txt", base_class_for_values=str)
    terms: Any = {"condition": ETAG_IS_THE_SAME, "expected_etag": ITEM_NOT_AVAILABLE}

    first = d.set_item_if("a", value="one", **terms)
    lost = d.set_item_if("a", value="two", **terms)

    assert (first.new_value, first.value_was_mutated) == ("one", True)
    assert (lost.condition_was_satisfied, lost.new_value) == (False, "one")
    assert d.transform_item("a", transformer=lambda text: f"{text} two").new_value == "one two"
    assert d.setdefault("a", "three") == "one two"
    assert d.pop("a") == "one two"


@pytest.mark.parametrize("write", WRITES)
def test_the_class_is_checked_when_writing(
    place: Place, serialization_format: str, write: str
) -> None:
    d = place.open(serialization_format=serialization_format, base_class_for_values=dict)
    WRITES[write](d, OrderedDict(a=1))
    kept = dict(d.items())
    d.pop("b", None)
    for value in ([1], None, "a"):
        with pytest.raises(TypeError, match="base_class_for_values"):
            WRITES[write](d, value)

    assert list(kept.values()) == [OrderedDict(a=1)]
    assert "b" not in d


READS: dict[str, Callable[[PersiDict[Any]], Any]] = {
    "getitem": lambda d: d["a"],
    "get": lambda d: d.get("a"),
    "get_with_etag": lambda d: d.get_with_etag("a"),
    "get_item_if": lambda d: d.get_item_if(
        "a", condition=ANY_ETAG, expected_etag=ITEM_NOT_AVAILABLE
    ),
    "setdefault": lambda d: d.setdefault("a", 1),
    "values": lambda d: list(d.values()),
    "items": lambda d: list(d.items()),
    "oldest_values": lambda d: d.oldest_values(),
    "transform_item": lambda d: d.transform_item("a", transformer=lambda value: value),
}


@pytest.mark.parametrize("read", READS)
def test_the_class_is_checked_when_reading(
    place: Place, serialization_format: str, read: str
) -> None:
    place.open(serialization_format=serialization_format)["a"] = "no int"
    d = place.open(serialization_format=serialization_format, base_class_for_values=int)

    with pytest.raises(TypeError, match="base_class_for_values") as error:
        READS[read](d)

    assert "key NonEmptySafeStrTuple('a')" in error.value.__notes__[0]
    assert "a" in d
    assert len(d) == 1


@pytest.mark.parametrize("read", READS)
def test_a_damaged_document_is_an_error_that_names_the_key(
    place: Place, serialization_format: str, read: str
) -> None:
    d = place.open(serialization_format=serialization_format)
    name = d._items.name(NonEmptySafeStrTuple("a"))
    store_of(d).put(name, b"\x80{", write_id="w", content_type="x/y", precondition=None)

    with pytest.raises(ValueError, match="cannot be read as") as error:
        READS[read](d)

    assert "NonEmptySafeStrTuple('a')" in error.value.__notes__[0]


def test_a_default_that_cannot_be_stored_matters_only_where_it_is_needed(
    place: Place, serialization_format: str
) -> None:
    d = place.open(serialization_format=serialization_format, base_class_for_values=int)
    d["a"] = 1
    etag = d.etag("a")
    for default in ("wrong class", lambda: 1, d, None):
        assert d.setdefault("a", default) == 1
        result = d.setdefault_if(
            "a", default_value=default, condition=ANY_ETAG, expected_etag=ITEM_NOT_AVAILABLE
        )
        assert (result.condition_was_satisfied, result.actual_etag) == (True, etag)
        assert (result.new_value, result.value_was_mutated) == (1, False)
        for insert in (WRITES["setdefault"], WRITES["setdefault_if"]):
            with pytest.raises(TypeError):
                insert(d, default)

    assert d == {"a": 1}


def test_stored_bytes_are_readable_by_standard_means(d: PersiDict[Any]) -> None:
    value = {"state": "offen ü", "n": [1, 2.5, None, True]}
    d["a"] = value
    seen = store_of(d).get(d._items.name(NonEmptySafeStrTuple("a")))
    assert seen.body is not None
    load: Any = {"pkl": pickle.loads, "json": json.loads}[d.serialization_format]

    assert load(seen.body) == value


def test_what_another_program_wrote_is_read(d: PersiDict[Any]) -> None:
    value = {"state": "offen", "n": [1, None]}
    dump: Any = {"pkl": pickle.dumps, "json": lambda v: json.dumps(v, indent=2).encode()}[
        d.serialization_format
    ]
    name = d._items.name(NonEmptySafeStrTuple("a"))
    store_of(d).put(name, dump(value), write_id="w", content_type="x/y", precondition=None)

    assert d["a"] == value
