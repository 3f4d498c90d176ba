"""Many items: a page at a time, many reads in flight, and neither order nor memory lost."""

from __future__ import annotations

import operator
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from persidict import LocalDict, NonEmptySafeStrTuple
from tests.contract.interposed import interposed
from tests.contract.places import InBucket, InFile, InMemory, store_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from persidict import PersiDict
    from tests.contract.places import DictOver, Place

IN_FLIGHT = 16


def requests(d: DictOver) -> list[str]:
    """What the dictionary has asked its store for, and forgets now."""
    store = d.get_params()["store"]
    asked, store.requests = store.requests, []
    return list(asked)


def filled(place: Place, count: int) -> PersiDict[Any]:
    """A dictionary of this many numbers, and as few seconds as the store allows."""
    d = place.open(serialization_format="json")
    if isinstance(place, InFile):
        with store_of(d)._connections.one() as connection:
            connection.execute("PRAGMA synchronous = OFF")
    writers = 8 if isinstance(place, InBucket) else 1
    with ThreadPoolExecutor(writers) as pool:
        for _ in pool.map(lambda n: d.__setitem__(key_of(n), n), range(count)):
            pass
    return d


def key_of(n: int) -> tuple[str, str]:
    return str(n % 7), str(n)


def check_pages(d: PersiDict[Any], *, count: int) -> None:
    pages = -(-count // 1_000) or 1
    watched = interposed(d)

    assert len(watched) == count
    assert requests(watched) == ["list"] * pages
    found = list(watched.keys())
    assert requests(watched) == ["list"] * pages
    assert set(found) == {NonEmptySafeStrTuple(key_of(n)) for n in range(count)}
    assert found == sorted(found, key=lambda key: "/".join(key) + ".json")
    assert bool(watched) is (count > 0)
    assert next(iter(watched), None) == (found or [None])[0]
    assert requests(watched) == ["list", "list"]
    expected = [(key, int(key[1])) for key in found]
    assert list(watched.items()) == expected
    asked = requests(watched)
    assert (asked.count("list"), asked.count("get"), len(asked)) == (pages, count, pages + count)


def check_clear(d: PersiDict[Any], *, count: int) -> None:
    pages = -(-count // 1_000)
    watched = interposed(d)

    watched.clear()

    assert requests(watched) == ["list", "delete_batch"] * pages
    assert len(d) == 0


@pytest.mark.parametrize("count", [999, 1_000, 1_001, 2_001])
@pytest.mark.parametrize("kind", [InMemory, InFile])
def test_pages_of_a_thousand(kind: Any, count: int, tmp_path: Any) -> None:
    place = InMemory() if kind is InMemory else InFile(tmp_path / "items.db")
    d = filled(place, count)
    check_pages(d, count=count)
    check_clear(d, count=count)


def test_pages_over_http(s3_client: Any, persidict_bucket: str) -> None:
    d = filled(InBucket(persidict_bucket, client=s3_client), 1_003)
    s3_client.put_object(Bucket=persidict_bucket, Key="3/no item", Body=b"")
    check_pages(d, count=1_003)
    check_clear(d, count=1_003)
    assert s3_client.list_objects_v2(Bucket=persidict_bucket)["KeyCount"] == 1


def test_a_page_without_items_is_passed_over() -> None:
    place = InMemory()
    d = place.open(serialization_format="json")
    others = place.open(serialization_format="txt", base_class_for_values=str)
    others.update({f"a{n}": "" for n in range(1_001)})
    watched = interposed(d)
    assert not watched
    assert next(iter(watched), None) is None

    d["b"] = 1

    assert watched
    assert next(iter(watched)) == "b"
    assert watched.random_key() == "b"
    assert list(watched.items()) == [("b", 1)]
    requests(watched)
    watched.clear()
    assert requests(watched) == ["list", "list", "delete_batch"]
    assert (len(d), len(others)) == (0, 1_001)


def test_pages_are_asked_for_when_they_are_wanted() -> None:
    watched = interposed(filled(InMemory(), 1_001))
    keys = iter(watched)
    assert requests(watched) == []

    for _ in range(1_000):
        next(keys)
    assert requests(watched) == ["list"]
    next(keys)
    assert requests(watched) == ["list"]


def _updated(d: PersiDict[Any]) -> LocalDict[Any]:
    copy: LocalDict[Any] = LocalDict()
    copy.update(d)
    return copy


READINGS = {
    "values": lambda d: list(d.values()),
    "items": lambda d: [value for _, value in d.items()],
    "values_and_timestamps": lambda d: [value for value, _ in d.values_and_timestamps()],
    "items_and_timestamps": lambda d: [value for _, value, _ in d.items_and_timestamps()],
    "oldest_values": lambda d: sorted(d.oldest_values()),
    "newest_values": lambda d: sorted(d.newest_values(2_000)),
    "equality": lambda d: [n for n in range(4) if d == {str(m): m for m in range(4) if m != n}],
    "update": lambda d: sorted(_updated(d).values()),
    "|=": lambda d: sorted(operator.ior(LocalDict(), d).values()),
    "str": lambda d: [n for n in range(4) if f"'{n}'" in str(d)],
}


@pytest.mark.parametrize("reading", READINGS)
def test_what_vanishes_meanwhile_is_skipped(d: PersiDict[Any], reading: str) -> None:
    """Deleted by another when the keys have been listed, before any value is read."""
    d.update({str(n): n for n in range(4)})
    one_at_a_time = threading.Lock()

    def delete(_number: int, verb: str) -> None:
        with one_at_a_time:
            if verb == "get":
                d.discard("2")

    found = READINGS[reading](interposed(d, before=delete))

    assert found == ([2] if reading == "equality" else [0, 1, 3])


@pytest.fixture
def together() -> Iterator[threading.Barrier]:
    """Lets nobody through until as many wait as reads should be in flight."""
    barrier = threading.Barrier(IN_FLIGHT, timeout=20.0)
    yield barrier
    barrier.abort()


def test_values_are_read_with_sixteen_requests_in_flight(
    s3_client: Any, persidict_bucket: str, together: threading.Barrier
) -> None:
    d = InBucket(persidict_bucket, client=s3_client).open(serialization_format="json")
    d.update({f"{n:02}": n for n in range(2 * IN_FLIGHT)})

    def meet(_number: int, verb: str) -> None:
        if verb == "get":
            together.wait()

    assert list(interposed(d, before=meet).values()) == list(range(2 * IN_FLIGHT))
