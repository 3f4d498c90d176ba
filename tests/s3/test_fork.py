"""A forked child has connections of its own: over shared ones it would get others' answers."""

from __future__ import annotations

import multiprocessing
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Self

import pytest

from persidict.s3.connection import S3Connection
from tests.s3.canned import Answered, Asked, CannedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from persidict import BasicS3Dict
    from tests.s3.bench import Bench

CHILDREN = 4
READS = 1_000
READ_TIMEOUT = 10.0
PATIENCE = 60.0
MAKES = pytest.mark.parametrize("make", ["own", "default", "one attempt"])

# Only this thread goes on in the child, and no other holds a lock that it needs.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


def _answer(asked: Asked) -> Answered:
    """Each object holds its own key, in bodies of many lengths."""
    key = asked.path.rpartition("/")[2].removesuffix(".json")
    number = int(key.rpartition("-")[2])
    headers = {"ETag": f'"{key}"', "Last-Modified": "Tue, 01 Dec 2026 00:00:00 GMT"}
    return Answered(200, f'"{key}"'.encode() + b" " * (37 * number % 2_000), headers)


@pytest.fixture
def server() -> Iterator[CannedServer]:
    with CannedServer(_answer) as server:
        yield server


def read(d: BasicS3Dict[Any], owner: str, *, times: int) -> list[tuple[str, Any]]:
    """Read keys that nobody else reads; the answers that are not to them."""
    mixed = []
    for number in range(times):
        key = f"{owner}-{number}"
        try:
            value = d[key]
        except Exception as error:  # noqa: BLE001 - a mixed answer may raise anything
            value = repr(error)
        if value != key:
            mixed.append((key, value))
    return mixed


def _in_child(d: BasicS3Dict[Any], owner: str, times: int, result: Connection) -> None:
    result.send(read(d, owner, times=times))


class Family:
    """Forked children that read from dictionaries made before the fork; none outlives the block."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("fork")
        self._members: list[tuple[BaseProcess, Connection]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process, receiver in self._members:
            process.kill()
            process.join()
            receiver.close()

    def fork(self, d: BasicS3Dict[Any], owner: str, *, times: int) -> None:
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_in_child, args=(d, owner, times, sender))
        process.start()
        sender.close()
        self._members.append((process, receiver))

    def mixed(self) -> list[tuple[str, Any]]:
        """All answers that were not to the question."""
        found = []
        for _, receiver in self._members:
            assert receiver.poll(PATIENCE), "a child waits for an answer that another has got"
            found += receiver.recv()
        return found


def ports(server: CannedServer) -> dict[str, set[int]]:
    """Over which connections each process has asked, as the server saw it."""
    found: dict[str, set[int]] = defaultdict(set)
    for asked in server.asked:
        found[asked.path.rpartition("/")[2].partition("-")[0]].add(asked.port)
    return found


def open_used(bench: Bench, server: CannedServer, make: str) -> BasicS3Dict[Any]:
    settings: dict[str, Any] = {"serialization_format": "json"}
    if make == "own":
        d = bench.own(endpoint_url=server.endpoint_url, **settings)
    else:
        client = bench.client(make, endpoint_url=server.endpoint_url, read_timeout=READ_TIMEOUT)
        d = bench.given(client, **settings)
    assert read(d, "parent", times=5) == []
    return d


@pytest.mark.parametrize("make", ["own", "default"])
def test_children_and_parent_read_at_the_same_time(
    bench: Bench, server: CannedServer, make: str
) -> None:
    d = open_used(bench, server, make)
    with Family() as family:
        for child in range(CHILDREN):
            family.fork(d, f"child{child}", times=READS)
        assert read(d, "parent", times=READS) == []
        assert family.mixed() == []
    by_owner = ports(server)
    assert len(by_owner) == CHILDREN + 1
    assert sum(map(len, by_owner.values())) == len(set().union(*by_owner.values()))
    assert len(by_owner["parent"]) == 1
    assert len(server.asked) == 5 + (CHILDREN + 1) * READS


@MAKES
def test_dictionaries_that_share_a_client(bench: Bench, server: CannedServer, make: str) -> None:
    d = open_used(bench, server, make)
    with Family() as family:
        family.fork(d.get_subdict("below"), "child0", times=3)
        family.fork(bench.given(d.s3_client, serialization_format="json"), "child1", times=3)
        assert family.mixed() == []
    assert read(d, "parent", times=3) == []
    by_owner = ports(server)
    assert [len(by_owner[owner]) for owner in ("parent", "child0", "child1")] == [1, 1, 1]
    assert len(set().union(*by_owner.values())) == 3


@MAKES
def test_without_forgetting_a_child_asks_over_its_parents_connection(
    bench: Bench, server: CannedServer, make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above see what they look for."""
    monkeypatch.setattr(S3Connection, "forget_inherited", lambda _self: None)
    d = open_used(bench, server, make)
    with Family() as family:
        family.fork(d, "child0", times=1)
        assert family.mixed() == []
    by_owner = ports(server)
    assert by_owner["child0"] == by_owner["parent"]


def test_a_passed_in_client_is_the_same_object_in_the_child(
    bench: Bench, server: CannedServer
) -> None:
    d = open_used(bench, server, "default")
    before = id(d.s3_client)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=lambda: sys.exit(id(d.s3_client) != before))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0
