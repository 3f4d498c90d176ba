"""Whatever a key or prefix looks like, nothing outside the prefix is touched."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from persidict import SAFE_CHARS_SET, BasicS3Dict, NonEmptySafeStrTuple
from persidict.items import NAME_MAX_BYTES
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from tests.s3.bench import Bench

PREFIX = "mine"
OUTSIDE = ("mine.pkl", "min/k.pkl", "mine2/k.pkl", "other/k.pkl", "k.pkl", "min", "mine")

REFUSED: list[Any] = [
    "",
    ".",
    "..",
    "/",
    "../k",
    "a/b",
    "/k",
    "k/",
    "\\..\\k",
    "%2e%2e",
    "%2E%2E%2Fk",
    "..%2fk",
    "k%00",
    "k\x00",
    "k\n",
    "k\r\nHost: elsewhere",
    "k?versionId=1",
    "k#fragment",
    "k&prefix=",
    "k+1",
    "k k",
    "k*",
    "ключ",
    "k\u2025",
    "k\u2044k",
    "\uff0e\uff0e",
    "\udcff",
    "<Key>k</Key>",
    "k" * 254,
    ("a", ".."),
    ("a", "", "b"),
    ("..", "..", "other", "k"),
    ("a", ("b", "..")),
    (),
]
STRANGE: list[Any] = [
    "...",
    "....",
    ".k",
    "k.",
    "~",
    "~root",
    "=",
    "==",
    "-",
    "--",
    "_",
    "(",
    ")",
    "()",
    "k.pkl",
    "k.pkl.pkl",
    ".pkl",
    "pkl",
    "a=b",
    "aws-chunked",
    "a--x-s3",
    "soap",
    "K" * 253,
    ("a", "b", "c", "d"),
    ("...", "..."),
    ("a", "a.pkl", "a"),
    ("mine", "mine"),
]
STRANGE_PREFIXES = [
    "a",
    "a/",
    "/a",
    "//",
    "a//b/",
    "a b",
    "a+b",
    "a%2Fb",
    "%2e%2e",
    "a?b",
    "a#b",
    "a&b=c",
    "...",
    "a/.../b",
    "~",
    "<a>",
    '"a"',
    "a'b",
    "ключ",
    "日本",
    "a\\b",
    "*",
]


def everything(bench: Bench) -> dict[str, bytes | None]:
    return {name: bench.read(name) for name in bench.names()}


def use(d: BasicS3Dict[Any], key: Any) -> None:
    """Every way to write, read and delete one item."""
    d[key] = 1
    assert d[key] == 1
    assert key in d
    assert d.transform_item(key, transformer=lambda n: n + 1).new_value == 2
    assert dict(d.items()) == {NonEmptySafeStrTuple(key): 2}
    assert d.pop(key) == 2
    assert d.setdefault(key, 3) == 3
    d.clear()
    assert len(d) == 0


@pytest.fixture
def outside(bench: Bench) -> dict[str, bytes | None]:
    """Objects whose names are near the prefix, and what they hold."""
    for name in OUTSIDE:
        bench.put(name, name)
    return everything(bench)


@pytest.mark.parametrize("key", REFUSED, ids=ascii)
def test_a_hostile_key_is_refused_before_any_request(bench: Bench, key: Any) -> None:
    d = bench.given(root_prefix=PREFIX)
    with Wire(d.s3_client.meta.events) as wire:
        for call in (
            lambda: d[key],
            lambda: d.__setitem__(key, 1),
            lambda: d.__delitem__(key),
            lambda: key in d,
            lambda: d.get(key),
            lambda: d.pop(key, None),
            lambda: d.discard(key),
            lambda: d.setdefault(key, 1),
            lambda: d.etag(key),
            lambda: d.get_with_etag(key),
            lambda: d.transform_item(key, transformer=lambda _: 1),
        ):
            with pytest.raises(ValueError):  # noqa: PT011 - any text will do
                call()
    assert len(wire) == 0


def test_strange_keys_stay_inside_the_prefix(
    bench: Bench, outside: dict[str, bytes | None]
) -> None:
    d = bench.given(root_prefix=PREFIX)
    with Wire(d.s3_client.meta.events) as wire:
        for key in STRANGE:
            use(d, key)
            d[key] = "kept"
            sub = d.get_subdict(key)
            assert len(sub) == 0
            sub["k"] = 1
            sub.clear()
            assert d[key] == "kept"
            del d[key]
    paths = {sent.url.split("?")[0] for sent in wire if sent.operation.endswith("Object")}
    start = f"{bench.sdk.endpoint_url}/{bench.bucket}/{PREFIX}/"
    assert all(path.startswith(start) for path in paths)
    assert everything(bench) == outside


def test_random_keys_stay_inside_the_prefix(bench: Bench, outside: dict[str, bytes | None]) -> None:
    """Half of them of safe characters alone, half of any: those are written, these refused."""
    d = bench.given(root_prefix=PREFIX)
    draw = random.Random(7)
    alphabet = sorted(SAFE_CHARS_SET)
    hostile = [*alphabet, *"/\\%?#&+ \x00\n\u2025.."]
    written = 0
    for number in range(200):
        letters = alphabet if number % 2 else hostile
        parts = [
            "".join(draw.choices(letters, k=draw.randint(1, 6))) for _ in range(draw.randint(1, 4))
        ]
        try:
            d[parts] = number
        except ValueError:
            continue
        assert d[parts] == number
        written += 1
    assert 80 < written < 150
    inside = {name for name in everything(bench) if name not in outside}
    assert all(name.startswith(f"{PREFIX}/") for name in inside)
    assert len(d) == len(inside)
    d.clear()
    assert everything(bench) == outside


@pytest.mark.parametrize("prefix", STRANGE_PREFIXES, ids=ascii)
def test_a_strange_prefix_is_taken_literally(bench: Bench, prefix: str) -> None:
    d = bench.given(root_prefix=prefix)
    expected = prefix if prefix.endswith("/") else f"{prefix}/"
    assert d.root_prefix == expected
    d["a", "k"] = 1
    assert bench.names() == [f"{expected}a/k.pkl"]
    assert dict(d.items()) == {("a", "k"): 1}
    d.clear()
    use(d, "k")
    assert bench.names() == []


@pytest.mark.parametrize("prefix", ["..", ".", "a/../b", "a/./b", "../", "a\x00", "a\nb", "\udcff"])
def test_a_hostile_prefix_is_refused(bench: Bench, prefix: str) -> None:
    with Wire(bench.plain.meta.events) as wire, pytest.raises(ValueError, match="root_prefix"):
        bench.given(root_prefix=prefix, create_bucket=True)
    assert len(wire) == 0


@pytest.mark.parametrize("serialization_format", ["pkl", "json"])
@pytest.mark.parametrize("prefix", ["", "p", "ключ", "日本語"], ids=ascii)
def test_names_have_1024_bytes_at_most(
    bench: Bench, prefix: str, serialization_format: str
) -> None:
    d = bench.given(root_prefix=prefix, serialization_format=serialization_format)
    room = NAME_MAX_BYTES - len(d.root_prefix.encode()) - len(f".{serialization_format}")
    key = ["x" * 199] * (room // 200)
    key.append("x" * (room - 200 * len(key)))
    use(d, key)
    key[-1] += "x"
    with Wire(d.s3_client.meta.events) as wire:
        for call in (
            lambda: d[key],
            lambda: d.__setitem__(key, 1),
            lambda: key in d,
            lambda: d.pop(key, None),
            lambda: d.discard(key),
            lambda: d.get_with_etag(key),
            lambda: d.transform_item(key, transformer=lambda _: 1),
        ):
            with pytest.raises(ValueError, match="1025 bytes"):
                call()
    assert len(wire) == 0


def test_objects_that_are_no_items(bench: Bench) -> None:
    """Other suffixes, and names that are no keys, are neither counted, read nor deleted."""
    strangers = ["mine/a b.pkl", "mine//k.pkl", "mine/.pkl", "mine/k.json", "mine/k", "mine/"]
    for name in strangers:
        bench.put(name, name)
    d = bench.given(root_prefix=PREFIX)
    d["k"] = 1
    assert len(d) == 1
    assert dict(d.items()) == {("k",): 1}
    d.clear()
    assert bench.names() == sorted(strangers)
