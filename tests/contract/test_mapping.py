"""What a user of `dict` expects, and where a persistent dictionary differs from one."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    LocalDict,
    NonEmptySafeStrTuple,
    SafeStrTuple,
)
from tests.shown import shown

if TYPE_CHECKING:
    from persidict import PersiDict
    from tests.contract.places import Place

A = NonEmptySafeStrTuple("a")
BC = NonEmptySafeStrTuple("b", "c")


def test_it_is_a_mutable_mapping(d: PersiDict[Any]) -> None:
    assert isinstance(d, MutableMapping)


def test_getting_setting_and_deleting(d: PersiDict[Any]) -> None:
    d["a"] = {"n": 1}
    assert d["a"] == {"n": 1}
    d["a"] = [2, None, "ü"]
    assert d["a"] == [2, None, "ü"]
    del d["a"]
    assert "a" not in d
    for absent in (lambda: d["a"], lambda: d.__delitem__("a"), lambda: d.pop("a")):
        with pytest.raises(KeyError) as error:
            absent()
        assert error.value.args == ("a",)


def test_one_key_has_many_spellings(d: PersiDict[Any]) -> None:
    d["b", "c"] = 1
    spellings: list[Any] = [
        ("b", "c"),
        ["b", "c"],
        ("b", ["c"]),
        [["b"], [["c"]]],
        BC,
        SafeStrTuple("b", "c"),
    ]
    for spelling in spellings:
        assert spelling in d
        assert d[spelling] == 1
        assert d.get(spelling) == 1
        assert d.setdefault(spelling, 2) == 1
    d[["b", "c"]] = 3
    assert list(d.items()) == [(BC, 3)]


BAD_KEYS: list[Any] = ["", ".", "..", "a/b", "a b", "é", "x" * 254, ("a", ""), (), [], "a\n", "\0"]
NO_KEYS: list[Any] = [{}, 1, None, b"a", ("a", 1), {"a"}, 1.5, object()]


@pytest.mark.parametrize(
    ("key", "error"),
    [*((key, ValueError) for key in BAD_KEYS), *((key, TypeError) for key in NO_KEYS)],
    ids=shown,
)
def test_what_is_no_key(key: Any, error: type[Exception]) -> None:
    d: LocalDict[Any] = LocalDict()
    calls: list[Any] = [
        lambda: d[key],
        lambda: d.__setitem__(key, 1),
        lambda: d.__delitem__(key),
        lambda: key in d,
        lambda: d.get(key),
        lambda: d.pop(key, None),
        lambda: d.discard(key),
        lambda: d.setdefault(key, 1),
        lambda: d.etag(key),
        lambda: d.timestamp(key),
        lambda: d.age(key),
        lambda: d.get_with_etag(key),
        lambda: d.__setitem__(key, KEEP_CURRENT),
        lambda: d.__setitem__(key, DELETE_CURRENT),
        lambda: d.transform_item(key, transformer=lambda _: 1),
    ]
    for call in calls:
        with pytest.raises(error):
            call()
    assert list(d) == []


def test_keys_are_safe_tuples_in_no_promised_order(d: PersiDict[Any]) -> None:
    d["b", "c"] = 1
    d["a"] = 2

    assert {type(key) for key in d} == {NonEmptySafeStrTuple}
    assert set(d) == {A, BC}
    assert set(d.keys()) == {A, BC}
    assert sorted(d.values()) == [1, 2]
    assert dict(d.items()) == {A: 2, BC: 1}


def test_keys_values_and_items_are_iterators(d: PersiDict[Any]) -> None:
    d["a"] = 1
    for iterator in (
        d.keys(),
        d.values(),
        d.items(),
        iter(d),
        d.keys_and_timestamps(),
        d.values_and_timestamps(),
        d.items_and_timestamps(),
    ):
        assert isinstance(iterator, Iterator)
        assert len([*iterator]) == 1
        assert [*iterator] == []


def test_length_and_truth(d: PersiDict[Any]) -> None:
    assert (len(d), bool(d)) == (0, False)
    d["a"] = 0
    assert (len(d), bool(d)) == (1, True)
    d["b", "c"] = None
    assert len(d) == 2
    d.clear()
    assert (len(d), bool(d)) == (0, False)


def test_get_with_and_without_default(d: PersiDict[Any]) -> None:
    assert d.get("a") is None
    assert d.get("a", 7) == 7
    d["a"] = None
    assert d.get("a", 7) is None


def test_pop(d: PersiDict[Any]) -> None:
    assert d.pop("a", None) is None
    assert d.pop("a", 7) == 7
    d["a"] = [1]
    assert d.pop("a") == [1]
    assert "a" not in d
    d["a"] = 0
    assert d.pop("a", 7) == 0
    with pytest.raises(TypeError):
        d.pop("a", 1, 2)


def test_what_cannot_be_read_is_not_popped(place: Place, serialization_format: str) -> None:
    d = place.open(serialization_format=serialization_format)
    d["a"] = 1
    texts = place.open(serialization_format=serialization_format, base_class_for_values=str)

    for take in (lambda: texts.pop("a"), lambda: texts.pop("a", ""), texts.popitem):
        with pytest.raises(TypeError, match="is a int"):
            take()

    assert d == {"a": 1}


def test_popitem_takes_each_item_once(d: PersiDict[Any]) -> None:
    expected = {NonEmptySafeStrTuple(key): n for n, key in enumerate("abc")}
    d.update(expected)

    taken = [d.popitem() for _ in expected]

    assert dict(taken) == expected
    assert len(d) == 0
    with pytest.raises(KeyError):
        d.popitem()


def test_clear_spares_what_is_not_its_own(place: Place, serialization_format: str) -> None:
    d = place.open(serialization_format=serialization_format)
    d.update({("in", "1"): 1, ("in", "2"): 2, "in": 3, "out": 4})

    d.get_subdict("in").clear()

    assert d == {"in": 3, "out": 4}
    d.clear()
    assert list(d) == []
    d.clear()


def test_update_takes_what_dict_takes(d: PersiDict[Any]) -> None:
    d.update({"a": 1, "b": 2})
    d.update([("b", 3), (("c", "d"), 4)])
    d.update(e=5)
    d.update()

    assert d == {"a": 1, "b": 3, ("c", "d"): 4, "e": 5}


def test_in_place_union(d: PersiDict[Any]) -> None:
    same = d
    d["a"] = 1

    d |= {"a": 2, "b": 3}
    d |= [("c", 4)]

    assert d is same
    assert d == {"a": 2, "b": 3, "c": 4}


def test_union_with_itself_and_another(place: Place, d: PersiDict[Any]) -> None:
    d.update({"a": 1, "b": 2})
    other: LocalDict[Any] = LocalDict()
    other["b"] = 3

    d |= other
    d |= d

    assert d == {"a": 1, "b": 3}


def test_setdefault(d: PersiDict[Any]) -> None:
    assert d.setdefault("a", [1]) == [1]
    assert d.setdefault("a", [2]) == [1]
    assert d.setdefault("b") is None
    assert d == {"a": [1], "b": None}


def test_discard(d: PersiDict[Any]) -> None:
    d["a"] = 1
    assert d.discard("a") is True
    assert d.discard("a") is False
    d["a"] = 1
    assert d.delete_if_exists("a") is True
    assert d.delete_if_exists("a") is False


def test_assigning_jokers(d: PersiDict[Any]) -> None:
    d["a"] = KEEP_CURRENT
    d["b"] = DELETE_CURRENT
    assert list(d) == []
    d["a"] = 1
    etag = d.etag("a")
    d["a"] = KEEP_CURRENT
    assert (d["a"], d.etag("a")) == (1, etag)
    d["a"] = DELETE_CURRENT
    assert "a" not in d


def test_jokers_in_update(d: PersiDict[Any]) -> None:
    d.update({"a": 1, "b": 2})

    d.update({"a": DELETE_CURRENT, "b": KEEP_CURRENT, "c": KEEP_CURRENT})

    assert d == {"b": 2}


@pytest.mark.parametrize("joker", [KEEP_CURRENT, DELETE_CURRENT], ids=shown)
@pytest.mark.parametrize("is_present", [False, True])
def test_a_joker_is_no_default(d: PersiDict[Any], joker: Any, is_present: bool) -> None:
    if is_present:
        d["a"] = 1
    with pytest.raises(TypeError, match=repr(joker)):
        d.setdefault("a", joker)
    with pytest.raises(TypeError, match=repr(joker)):
        d.setdefault_if(
            "a", default_value=joker, condition=ANY_ETAG, expected_etag=ITEM_NOT_AVAILABLE
        )
    assert ("a" in d) is is_present


def test_a_joker_may_stand_for_nothing_found(d: PersiDict[Any]) -> None:
    assert d.get("a", KEEP_CURRENT) is KEEP_CURRENT
    assert d.pop("a", DELETE_CURRENT) is DELETE_CURRENT


def test_values_are_copies(d: PersiDict[Any]) -> None:
    value = [1]
    d["a"] = value
    value.append(2)
    d["a"].append(3)

    assert d["a"] == [1]


def test_two_dictionaries_of_one_place_share_their_items(
    place: Place, serialization_format: str
) -> None:
    one = place.open(serialization_format=serialization_format)
    two = place.open(serialization_format=serialization_format)
    one["a"] = 1

    assert two["a"] == 1
    assert one.etag("a") == two.etag("a")
