"""The same storage seen otherwise: through a prefix, through another codec, as a copy."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from persidict import Codec, NonEmptySafeStrTuple, SafeStrTuple
from tests.contract.interposed import interposed

if TYPE_CHECKING:
    from persidict import PersiDict
    from tests.contract.places import Place


class Hex(Codec):
    """Whole numbers as hexadecimal text."""

    format = "hex"
    content_type = "text/plain"

    def encode(self, value: Any) -> bytes:
        return format(value, "x").encode()

    def decode(self, body: bytes) -> int:
        return int(body, 16)


@pytest.fixture
def family(d: PersiDict[Any]) -> PersiDict[Any]:
    """A dictionary with items on three levels."""
    d.update({"top": 0, ("s", "a"): 1, ("s", "t", "a"): 2, ("s", "t", "b"): 3, ("u", "a"): 4})
    return d


def test_a_subdictionary_has_shorter_keys(family: PersiDict[Any]) -> None:
    assert family.get_subdict("s") == {"a": 1, ("t", "a"): 2, ("t", "b"): 3}
    assert family.get_subdict(("s", "t")) == {"a": 2, "b": 3}
    assert family.get_subdict("s").get_subdict("t") == {"a": 2, "b": 3}
    assert family.get_subdict(["s", ["t"]])["a"] == 2
    assert family.get_subdict(SafeStrTuple("u"))["a"] == 4


@pytest.mark.parametrize("prefix", ["top", "a", "S", ("s", "a"), ("s", "t", "a", "b"), "nothing"])
def test_a_prefix_is_of_whole_parts(family: PersiDict[Any], prefix: Any) -> None:
    assert list(family.get_subdict(prefix)) == []


@pytest.mark.parametrize("prefix", [(), [], SafeStrTuple()])
def test_the_empty_prefix_is_everything(family: PersiDict[Any], prefix: Any) -> None:
    assert family.get_subdict(prefix) == family
    assert family.get_subdict(prefix) is not family


def test_what_a_subdictionary_changes_the_whole_shows(family: PersiDict[Any]) -> None:
    part = family.get_subdict("s")
    part["new", "x"] = 9
    del part["t", "a"]
    assert part.setdefault("a", 7) == 1

    assert family["s", "new", "x"] == 9
    assert ("s", "t", "a") not in family
    assert part.etag("a") == family.etag(("s", "a"))


def test_a_subdictionary_may_be_empty_at_first(d: PersiDict[Any]) -> None:
    part = d.get_subdict(("x", "y"))
    assert len(part) == 0
    part["z"] = 1

    assert list(d) == [NonEmptySafeStrTuple("x", "y", "z")]


@pytest.mark.parametrize("prefix", ["a/b", "", "..", ("a", "."), "é"])
def test_an_unsafe_prefix(d: PersiDict[Any], prefix: Any) -> None:
    with pytest.raises(ValueError, match="part of a key"):
        d.get_subdict(prefix)


def test_a_prefix_of_the_wrong_type(d: PersiDict[Any]) -> None:
    for prefix in (None, 1, {"a": 1}, b"a"):
        with pytest.raises(TypeError):
            d.get_subdict(prefix)


def test_a_subdictionary_has_the_settings_of_the_whole(
    place: Place, serialization_format: str
) -> None:
    d = place.open(
        serialization_format=serialization_format,
        base_class_for_values=int,
        append_only=True,
        root_prefix="r",
        operation_timeout=12.0,
    )
    part = d.get_subdict(("s", "t"))

    assert type(part) is type(d)
    assert part.root_prefix == "r/s/t/"
    assert {**part.get_params(), "root_prefix": "r/"} == d.get_params()
    assert part._items.store is d._items.store
    with pytest.raises(TypeError):
        part["a"] = "no int"


def test_views_make_no_request(d: PersiDict[Any]) -> None:
    watched = interposed(d)
    d["s", "a"] = 1

    views = [
        watched.get_subdict("s"),
        watched.get_subdict(()),
        watched.with_codec(Hex()),
        copy.copy(watched),
        copy.deepcopy(watched),
    ]

    assert len(views) == 5
    assert watched.get_params()["store"].requests == []


def test_subdicts_are_those_of_the_first_parts(family: PersiDict[Any]) -> None:
    parts = family.subdicts()

    assert list(parts) == ["s", "u"]
    assert parts["s"] == {"a": 1, ("t", "a"): 2, ("t", "b"): 3}
    assert parts["u"] == {"a": 4}
    assert list(parts["s"].subdicts()) == ["t"]
    assert parts["u"].subdicts() == {}


def test_another_codec_sees_other_objects_of_the_same_storage(
    place: Place, serialization_format: str
) -> None:
    d = place.open(serialization_format=serialization_format, base_class_for_values=list)
    d["s", "a"] = [1]
    numbers = d.with_codec(Hex())

    assert list(numbers) == []
    numbers["s", "a"] = 255
    assert (d["s", "a"], numbers["s", "a"]) == ([1], 255)
    assert numbers.get_subdict("s") == {"a": 255}
    assert numbers.serialization_format == "hex"
    assert numbers.base_class_for_values is None
    assert type(numbers) is type(d)
    assert type(d)(**numbers.get_params()) == numbers
    numbers.clear()
    assert d == {("s", "a"): [1]}


def test_the_same_codec_sees_the_same_items(d: PersiDict[Any]) -> None:
    d["a"] = [1]

    assert d.with_codec(d._codec) == {"a": [1]}


@pytest.mark.parametrize("codec", [None, "json", Hex, object()])
def test_what_is_no_codec(d: PersiDict[Any], codec: Any) -> None:
    with pytest.raises(TypeError, match="codec must be"):
        d.with_codec(codec)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_is_another_object_over_the_same_storage(d: PersiDict[Any], copied: Any) -> None:
    d["a"] = [1]
    other = copied(d)

    assert other is not d
    assert type(other) is type(d)
    assert other.get_params() == d.get_params()
    other["b"] = [2]
    assert d["b"] == [2]
    other.append_only = True
    assert d.append_only is False
