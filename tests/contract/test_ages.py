"""When items were written, by the store's clock alone; and the orders that follow from it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from persidict import ETAG_IS_THE_SAME, NonEmptySafeStrTuple
from tests.contract.interposed import interposed
from tests.contract.places import InBucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from persidict import PersiDict
    from persidict.testing.clock import ManualClock
    from tests.contract.places import Place


@contextmanager
def answers_of_time(client: S3Client, *, clock: ManualClock) -> Iterator[None]:
    """The server's answers as if its own clock were this one."""
    written: dict[str, float] = {}

    def note(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["key"] = params.get("Key")

    def put(context: dict[str, Any], **_: Any) -> None:
        written[context["key"]] = clock.time()

    def read(context: dict[str, Any], parsed: dict[str, Any], **_: Any) -> None:
        parsed["ResponseMetadata"]["HTTPHeaders"]["date"] = formatdate(clock.time(), usegmt=True)
        if "LastModified" in parsed:
            parsed["LastModified"] = datetime.fromtimestamp(written[context["key"]], tz=UTC)
        for entry in parsed.get("Contents", ()):
            entry["LastModified"] = datetime.fromtimestamp(written[entry["Key"]], tz=UTC)

    handlers = [
        ("provide-client-params.s3", note),
        ("after-call.s3.PutObject", put),
        ("after-call.s3.GetObject", read),
        ("after-call.s3.HeadObject", read),
        ("after-call.s3.ListObjectsV2", read),
    ]
    for event, handler in handlers:
        client.meta.events.register(event, handler)
    try:
        yield
    finally:
        for event, handler in handlers:
            client.meta.events.unregister(event, handler)


@pytest.fixture
def clock(place: Place) -> Iterator[ManualClock]:
    """The clock of the store, whichever it is."""
    if isinstance(place, InBucket):
        with answers_of_time(place.client, clock=place.clock):
            yield place.clock
    else:
        yield place.clock


@pytest.fixture
def three(clock: ManualClock, d: PersiDict[Any]) -> PersiDict[Any]:
    """Items written 10 seconds apart, not in the order of their keys."""
    for key, value in (("b", 1), ("c", 2), ("a", 3)):
        d[key] = value
        clock.advance(10.0)
    return d


def keys(*texts: str) -> list[NonEmptySafeStrTuple]:
    return [NonEmptySafeStrTuple(text) for text in texts]


def test_ages_and_timestamps(three: PersiDict[Any], clock: ManualClock) -> None:
    now = clock.time()

    assert [three.age(key) for key in "bca"] == [30.0, 20.0, 10.0]
    assert [three.timestamp(key) for key in "bca"] == [now - 30, now - 20, now - 10]
    assert isinstance(three.timestamp("a"), float)


def test_every_write_makes_an_item_young(three: PersiDict[Any], clock: ManualClock) -> None:
    three["b"] = 1
    assert three.age("b") == 0.0
    clock.advance(5.0)
    etag = three.etag("c")
    three.set_item_if("c", value=2, condition=ETAG_IS_THE_SAME, expected_etag=etag)

    assert (three.age("b"), three.age("c")) == (5.0, 0.0)


def test_reading_does_not(three: PersiDict[Any]) -> None:
    three["a"], three.get("a"), three.setdefault("a", 1), list(three.items())
    three.transform_item("b", transformer=lambda value: value)

    assert (three.age("c"), three.age("b")) == (20.0, 0.0)


def test_absent_items_have_neither(d: PersiDict[Any]) -> None:
    for method in (d.age, d.timestamp, d.etag):
        with pytest.raises(KeyError) as error:
            method("a")
        assert error.value.args == ("a",)


def test_age_is_one_request(three: PersiDict[Any]) -> None:
    watched = interposed(three)

    watched.age("a")

    assert watched.get_params()["store"].requests == ["head"]


def test_iterating_with_timestamps(three: PersiDict[Any], clock: ManualClock) -> None:
    now = clock.time()
    written = {"b": now - 30, "c": now - 20, "a": now - 10}

    assert dict(three.keys_and_timestamps()) == {
        NonEmptySafeStrTuple(key): at for key, at in written.items()
    }
    assert sorted(three.values_and_timestamps()) == [(1, now - 30), (2, now - 20), (3, now - 10)]
    assert sorted(three.items_and_timestamps()) == [
        (NonEmptySafeStrTuple("a"), 3, now - 10),
        (NonEmptySafeStrTuple("b"), 1, now - 30),
        (NonEmptySafeStrTuple("c"), 2, now - 20),
    ]


@pytest.mark.parametrize(
    ("max_n", "count"), [(None, 3), (4, 3), (3, 3), (2, 2), (1, 1), (0, 0), (-1, 0)]
)
def test_the_oldest_and_the_newest(three: PersiDict[Any], max_n: int | None, count: int) -> None:
    assert three.oldest_keys(max_n) == keys("b", "c", "a")[:count]
    assert three.newest_keys(max_n) == keys("a", "c", "b")[:count]
    assert three.oldest_values(max_n) == [1, 2, 3][:count]
    assert three.newest_values(max_n=max_n) == [3, 2, 1][:count]


def test_all_of_them_by_default(three: PersiDict[Any]) -> None:
    assert three.oldest_keys() == three.newest_keys()[::-1] == keys("b", "c", "a")
    assert three.oldest_values() == three.newest_values()[::-1] == [1, 2, 3]


def test_no_items_are_no_requests(three: PersiDict[Any]) -> None:
    watched = interposed(three)

    assert [watched.oldest_keys(0), watched.newest_values(-1)] == [[], []]
    assert watched.get_params()["store"].requests == []


def test_of_nothing_there_is_nothing(d: PersiDict[Any]) -> None:
    assert [d.oldest_keys(), d.newest_keys(2), d.oldest_values(2), d.newest_values()] == 4 * [[]]


def test_the_clock_of_this_machine_does_not_matter(place: Place) -> None:
    """The store's clock is another one, and decades away."""
    d = place.open(serialization_format="json")
    d["a"] = 1
    place.clock.advance(10_000.0)

    # The embedded server has a clock of its own; the other stores go by the dictionary's.
    if isinstance(place, InBucket):
        assert 0.0 <= d.age("a") < 60.0
        assert abs(d.timestamp("a") - time.time()) < 60.0
    else:
        assert d.age("a") == 10_000.0


def test_random_key_of_nothing_is_none(d: PersiDict[Any]) -> None:
    assert d.random_key() is None


def test_random_key_is_one_pass(d: PersiDict[Any]) -> None:
    d.update({str(n): n for n in range(5)})
    watched = interposed(d)

    assert watched.random_key() in d
    assert watched.get_params()["store"].requests == ["list"]


def test_random_key_is_uniform(place: Place) -> None:
    """Each of 5 keys within 5 standard deviations of its share of the draws."""
    d = place.open(serialization_format="json")
    d.update({str(n): n for n in range(5)})
    draws = 60 if isinstance(place, InBucket) else 2_000
    counts = dict.fromkeys(d, 0)
    for _ in range(draws):
        key = d.random_key()
        assert key is not None
        counts[key] += 1

    deviation = (draws * 0.2 * 0.8) ** 0.5
    assert all(abs(count - draws / 5) < 5 * deviation for count in counts.values())
