"""Names of stored objects: nothing outside the prefix, nothing too long, nobody else's items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persidict import (
    ANY_ETAG,
    ITEM_NOT_AVAILABLE,
    SAFE_CHARS_SET,
    NonEmptySafeStrTuple,
)
from persidict.object_store import Name
from tests.contract.interposed import interposed
from tests.contract.places import InBucket, InFile, InMemory, Place, store_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from persidict import PersiDict

# Parts that mean something to a path, a URL, a pattern, a shell or another dictionary.
TRICKY_PARTS = [
    "...",
    ".a",
    "a.",
    "-",
    "~",
    "=",
    "(",
    "a.pkl",
    ".pkl",
    "pkl",
    "a.json.pkl",
    "_",
    "A",
]
parts = st.one_of(
    st.sampled_from(TRICKY_PARTS),
    st.text(st.sampled_from(sorted(SAFE_CHARS_SET)), min_size=1, max_size=20),
).filter(lambda part: part not in (".", ".."))
keys = st.lists(parts, min_size=1, max_size=4).map(NonEmptySafeStrTuple)

TRICKY_PREFIXES = [
    "",
    "/",
    "//",
    "a//b",
    "%2e%2e",
    "%2F",
    "a b",
    "a+b",
    "a%20b",
    "?x=1&y",
    "#",
    "\\..\\",
    "ü",
    "\N{SNOWMAN}/\U0001f600",
    "e\N{COMBINING ACUTE ACCENT}",
    "*",
    "_",
    "%",
    "a_c",
    "'\"",
    "<x>&amp;",
    "...",
    "a.pkl",
    "C:",
    "~",
    "s3:/b",
]
prefixes = st.one_of(
    st.sampled_from(TRICKY_PREFIXES),
    st.text(st.characters(categories=("L", "N", "P", "S")), max_size=12),
).filter(lambda prefix: not {".", ".."} & set(prefix.split("/")))


def raw_names(place: Place) -> list[str]:
    """What the store itself lists."""
    listed, more = store_of(place.open()).list(Name.of(None, ""))
    assert more is None
    return [entry.name for entry in listed]


def check_names(place: Place, items: dict[NonEmptySafeStrTuple, int], prefix: str) -> None:
    d = place.open(root_prefix=prefix)
    try:
        d.update(items)

        assert d.root_prefix in ("", prefix, prefix + "/")
        assert all(name.startswith(d.root_prefix) for name in raw_names(place))
        assert len(raw_names(place)) == len(items)
        assert dict(d.items()) == items
        assert [d.get(key) for key in items] == list(items.values())
        for key, value in items.items():
            assert d.get_subdict(key[:-1])[key[-1]] == value
    finally:
        d.clear()
    assert raw_names(place) == []


contents = st.dictionaries(keys, st.integers(0, 9), max_size=3)


@given(items=contents, prefix=prefixes)
def test_names_in_memory_stay_inside_the_prefix_and_become_keys_again(
    items: dict[NonEmptySafeStrTuple, int], prefix: str
) -> None:
    check_names(InMemory(), items, prefix)


@given(items=contents, prefix=prefixes)
def test_names_in_a_file(
    tmp_path: Path, items: dict[NonEmptySafeStrTuple, int], prefix: str
) -> None:
    check_names(InFile(tmp_path / "items.db"), items, prefix)


@settings(max_examples=40)
@given(items=contents, prefix=prefixes)
def test_names_over_http(
    s3_client: Any, persidict_bucket: str, items: dict[NonEmptySafeStrTuple, int], prefix: str
) -> None:
    check_names(InBucket(persidict_bucket, client=s3_client), items, prefix)


@pytest.mark.parametrize("prefix", TRICKY_PREFIXES)
def test_every_tricky_prefix(place: Place, prefix: str) -> None:
    items = {NonEmptySafeStrTuple(part): n for n, part in enumerate(TRICKY_PARTS)}
    check_names(place, items, prefix)


@given(key=keys, one=prefixes, two=prefixes)
def test_dictionaries_of_different_prefixes_share_only_what_both_can_name(
    key: NonEmptySafeStrTuple, one: str, two: str
) -> None:
    place = InMemory()
    d, other = place.open(root_prefix=one), place.open(root_prefix=two)
    d[key] = 1
    name = d._items.name(key)
    seen = list(other)

    assert [other._items.name(found) for found in seen] == [name] * len(seen)
    assert name.startswith(other.root_prefix) or seen == []
    other.clear()
    assert (key in d) is (seen == [])


FOREIGN_NAMES = [
    "a.txt",
    "a",
    "a.pkl.bak",
    "a.PKL",
    "pkl",
    ".pkl",
    "a/.pkl",
    "a//b.pkl",
    "./a.pkl",
    "../a.pkl",
    "a/../b.pkl",
    "a b.pkl",
    "ü.pkl",
    "a.pkl/",
    "a/",
    "x" * 254 + ".pkl",
    "a\\b.pkl",
    "a*.pkl",
    "/a.pkl",
]


@pytest.fixture
def foreign(place: Place) -> Place:
    """A storage with objects under the prefix `r/`, and beside it, that are no items of it."""
    for name in [f"r/{name}" for name in FOREIGN_NAMES] + ["r.pkl", "rr/a.pkl", "R/a.pkl"]:
        store_of(place.open()).put(
            Name.of(None, name), b"?", write_id="w", content_type="x/y", precondition=None
        )
    return place


def test_foreign_objects_are_no_items(foreign: Place) -> None:
    d = foreign.open(root_prefix="r")

    assert (len(d), bool(d), list(d), list(d.values())) == (0, False, [], [])
    assert (d.random_key(), d.oldest_keys(), d.subdicts(), d) == (None, [], {}, {})
    with pytest.raises(KeyError):
        d.popitem()


def test_items_are_found_among_foreign_objects(foreign: Place) -> None:
    d = foreign.open(root_prefix="r")
    names = raw_names(foreign)
    d["m", "n"] = 1

    assert (len(d), bool(d), list(d), list(d.values())) == (1, True, [("m", "n")], [1])
    assert (d.random_key(), d.newest_values(), list(d.subdicts())) == (("m", "n"), [1], ["m"])
    d.clear()
    assert raw_names(foreign) == names


def test_another_ones_readable_object_is_an_item(place: Place) -> None:
    import pickle

    store_of(place.open()).put(
        Name.of(None, "r/x/y.pkl"),
        pickle.dumps([1]),
        write_id="w",
        content_type="binary/octet-stream",
        precondition=None,
    )

    assert place.open(root_prefix="r") == {("x", "y"): [1]}


TERMS: Any = {"condition": ANY_ETAG, "expected_etag": ITEM_NOT_AVAILABLE}
NAMING: dict[str, Callable[[PersiDict[Any], Any], Any]] = {
    "getitem": lambda d, key: d[key],
    "setitem": lambda d, key: d.__setitem__(key, 1),
    "delitem": lambda d, key: d.__delitem__(key),
    "contains": lambda d, key: key in d,
    "get": lambda d, key: d.get(key),
    "pop": lambda d, key: d.pop(key),
    "setdefault": lambda d, key: d.setdefault(key, 1),
    "discard": lambda d, key: d.discard(key),
    "etag": lambda d, key: d.etag(key),
    "timestamp": lambda d, key: d.timestamp(key),
    "age": lambda d, key: d.age(key),
    "get_with_etag": lambda d, key: d.get_with_etag(key),
    "get_item_if": lambda d, key: d.get_item_if(key, **TERMS),
    "set_item_if": lambda d, key: d.set_item_if(key, value=1, **TERMS),
    "setdefault_if": lambda d, key: d.setdefault_if(key, default_value=1, **TERMS),
    "discard_if": lambda d, key: d.discard_if(key, **TERMS),
    "transform_item": lambda d, key: d.transform_item(key, transformer=lambda _: 1),
}


@pytest.mark.parametrize("method", NAMING)
@pytest.mark.parametrize("prefix", ["", "plain", "ü\N{SNOWMAN}"])
def test_names_of_more_than_1024_bytes_are_refused_before_any_request(
    place: Place, method: str, prefix: str
) -> None:
    d = interposed(place.open(root_prefix=prefix))
    longest = longest_key(d.root_prefix)
    too_long = (*longest[:-1], longest[-1] + "x")

    with pytest.raises(ValueError, match=r"1025 bytes, and 1024"):
        NAMING[method](d, too_long)

    assert d.get_params()["store"].requests == []


@pytest.mark.parametrize("prefix", ["", "ü\N{SNOWMAN}" * 50])
def test_names_of_1024_bytes_are_fine(place: Place, prefix: str) -> None:
    d = place.open(root_prefix=prefix)
    key = longest_key(d.root_prefix)

    d[key] = [1]

    assert d == {key: [1]}
    assert [len(name.encode()) for name in raw_names(place)] == [1_024]


def longest_key(prefix: str) -> tuple[str, ...]:
    room = 1_024 - len(prefix.encode()) - len(".pkl")
    key = "x" * 200
    while room > 200:
        room -= 201
        key += "/" + "x" * 200
    return tuple(key[: 1_024 - len(prefix.encode()) - len(".pkl")].split("/"))
