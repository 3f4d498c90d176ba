"""A thousand objects: many requests in flight, in listing order, in constant memory, in batches."""

from __future__ import annotations

import threading
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

import pytest

from persidict import BackendError, BasicS3Dict, OutcomeUnknownError
from persidict.testing import FaultKind, FaultRule
from tests.s3.canned import Answered, Asked, CannedServer
from tests.s3.wire import Sent, Wire

if TYPE_CHECKING:
    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

IN_FLIGHT = 16
MANY = 1_000


class Flight:
    """Reads between their departure and their answer; holds the first ones until all are there.

    Args:
        d: A dictionary over the client `bench.plain` or another one that makes one attempt.
        crew: How many reads must be on their way at once before any of them may go on.
    """

    def __init__(self, d: BasicS3Dict[Any], *, crew: int) -> None:
        self.now = 0
        self.most = 0
        self.all = 0
        self._lock = threading.Lock()
        self._crew = threading.Barrier(crew)
        self._is_complete = False
        self._events = d.s3_client.meta.events

    def __enter__(self) -> Self:
        self._events.register("before-send.s3.GetObject", self._depart, unique_id="depart")
        self._events.register("after-call.s3.GetObject", self._arrive, unique_id="arrive")
        return self

    def __exit__(self, *_: object) -> None:
        self._events.unregister("before-send.s3.GetObject", unique_id="depart")
        self._events.unregister("after-call.s3.GetObject", unique_id="arrive")

    def _depart(self, **_: Any) -> None:
        with self._lock:
            self.now += 1
            self.all += 1
            self.most = max(self.most, self.now)
        if not self._is_complete:
            self._crew.wait(timeout=30.0)
            self._is_complete = True

    def _arrive(self, **_: Any) -> None:
        with self._lock:
            self.now -= 1


def fill(bench: Bench, items: int, *, prefix: str = "") -> list[str]:
    """So many objects, written out of order; their keys in order."""
    names = [f"{number:04}" for number in range(items)]
    client = bench.client("one attempt", max_pool_connections=IN_FLIGHT)

    def write(name: str) -> None:
        client.put_object(Bucket=bench.bucket, Key=f"{prefix}{name}.json", Body=f'"{name}"')

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(write, sorted(names, key=lambda name: name[::-1])))
    return names


def test_a_thousand_objects(bench: Bench) -> None:
    names = fill(bench, MANY)
    client = bench.client("one attempt", max_pool_connections=2 * IN_FLIGHT)
    d = bench.given(client, serialization_format="json")
    with Wire(client.meta.events) as wire, Flight(d, crew=IN_FLIGHT) as flight:
        ahead = 0
        for number, (key, value) in enumerate(d.items()):
            assert (key, value) == ((names[number],), names[number])
            ahead = max(ahead, flight.all - number)
    assert number == MANY - 1
    assert wire.counts == Counter(GetObject=MANY, ListObjectsV2=1)
    assert flight.most == IN_FLIGHT
    # Constant memory: what has been read and not been consumed is bounded.
    assert ahead <= 2 * IN_FLIGHT
    with Wire(client.meta.events) as wire:
        assert len(d) == MANY
        assert len(wire) == 1
        d.clear()
    assert wire.operations[1:] == ["ListObjectsV2", "DeleteObjects"]
    assert len(d) == 0


@pytest.mark.parametrize("read", ["values", "items_and_timestamps", "oldest_values", "=="])
def test_every_way_to_read_all_keeps_many_in_flight(bench: Bench, read: str) -> None:
    names = fill(bench, 2 * IN_FLIGHT)
    client = bench.client("one attempt", max_pool_connections=2 * IN_FLIGHT)
    d = bench.given(client, serialization_format="json")
    with Flight(d, crew=IN_FLIGHT) as flight:
        if read == "==":
            assert d == {name: name for name in names}
        elif read == "items_and_timestamps":
            assert [value for _, value, _ in d.items_and_timestamps()] == names
        elif read == "oldest_values":
            assert sorted(d.oldest_values()) == names
        else:
            assert list(getattr(d, read)()) == names
    assert flight.most == IN_FLIGHT


def test_a_client_with_fewer_connections_is_not_asked_for_more(bench: Bench) -> None:
    """Beyond its pool it would open and drop one for each request, with a warning."""
    fill(bench, 40)
    client = bench.client("one attempt", max_pool_connections=3)
    d = bench.given(client, serialization_format="json")
    with Flight(d, crew=3) as flight:
        assert len(list(d.values())) == 40
    assert flight.most == 3


def test_an_iterator_that_is_left_stops_asking(bench: Bench) -> None:
    names = fill(bench, 200)
    d = bench.own(serialization_format="json")
    with Wire(d.s3_client.meta.events) as wire:
        values = d.values()
        assert next(values) == names[0]
        del values
        assert wire.counts["GetObject"] <= 2 * IN_FLIGHT
    before = threading.active_count()
    with Wire(d.s3_client.meta.events) as wire:
        assert next(iter(d.keys())) == (names[0],)
    assert len(wire) == 1
    assert threading.active_count() <= before


def test_memory_does_not_grow_with_the_number_of_objects(bench: Bench) -> None:
    """A thousand bodies of 100 kB: no more than a few dozen of them are there at any time."""
    body = b'"' + b"x" * 100_000 + b'"'
    date = "<LastModified>2026-12-01T00:00:00Z</LastModified>"
    listing = "".join(
        f"<Contents><Key>{number:04}.json</Key>{date}</Contents>" for number in range(MANY)
    ).encode()

    def answer(asked: Asked) -> Answered:
        if "list-type" in asked.path:
            return Answered(200, b"<ListBucketResult>" + listing + b"</ListBucketResult>")
        headers = {"ETag": '"e"', "Last-Modified": "Tue, 01 Dec 2026 00:00:00 GMT"}
        return Answered(200, body, headers)

    with CannedServer(answer) as server:
        d = bench.own(endpoint_url=server.endpoint_url, serialization_format="json")
        tracemalloc.start()
        try:
            assert sum(map(len, d.values())) == MANY * 100_000
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # A read holds its body as bytes and as text, and a waiting one as bytes.
    assert peak < 100 * len(body)


def test_a_partial_failure_of_clear_is_an_error(bench: Bench) -> None:
    names = fill(bench, 7)
    d = bench.given(bench.client(), serialization_format="json")
    stubborn = {"0002.json", "0005.json"}
    events = d.s3_client.meta.events

    def spare(params: dict[str, Any], **_: Any) -> None:
        batch = params["Delete"]["Objects"]
        params["Delete"]["Objects"] = [each for each in batch if each["Key"] not in stubborn]

    def refuse(response_dict: dict[str, Any], **_: Any) -> None:
        errors = "".join(
            f"<Error><Key>{name}</Key><Code>AccessDenied</Code><Message>-</Message></Error>"
            for name in sorted(stubborn)
        )
        response_dict["body"] = f"<DeleteResult>{errors}</DeleteResult>".encode()

    events.register("provide-client-params.s3.DeleteObjects", spare)
    events.register("before-parse.s3.DeleteObjects", refuse)
    with pytest.raises(BackendError, match=r"2 of 7 objects.*0002\.json.*AccessDenied") as raised:
        d.clear()
    assert not isinstance(raised.value, OutcomeUnknownError)
    assert raised.value.operation == "delete"
    assert bench.names() == sorted(stubborn)
    assert len(names) == 7


def test_clear_goes_on_after_a_lost_reply(bench: Bench, control: ServerControl) -> None:
    fill(bench, 5)
    d = bench.own(serialization_format="json")
    control.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("POST",), nth=(0,)))
    d.clear()
    assert bench.names() == []


def test_clear_without_any_answer_is_an_unknown_outcome(
    bench: Bench, control: ServerControl
) -> None:
    fill(bench, 5)
    d = bench.own(serialization_format="json")
    control.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("POST",)))
    with pytest.raises(OutcomeUnknownError):
        d.clear()


def test_clear_reads_on_while_it_deletes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for one by one; what was deleted before does not shift them."""
    monkeypatch.setattr("persidict.s3.store.PAGE_SIZE", 4)
    fill(bench, 18)
    d = bench.given(serialization_format="json")
    with Wire(d.s3_client.meta.events) as wire:
        d.clear()
    assert wire.counts == Counter(ListObjectsV2=5, DeleteObjects=5)
    assert bench.names() == []


@pytest.mark.parametrize("gap", [1, 3, 9])
def test_items_that_vanish_while_they_are_read_are_skipped(bench: Bench, gap: int) -> None:
    names = fill(bench, 12)
    d = bench.given(
        bench.client("one attempt", max_pool_connections=1), serialization_format="json"
    )
    gone = f"{names[10]}.json"

    def is_time(_: Sent) -> bool:
        return len(wire.sent) == gap

    with Wire(d.s3_client.meta.events) as wire:
        wire.once(is_time, lambda: bench.delete(gone))
        assert list(d.values()) == [name for name in names if name != names[10]]
