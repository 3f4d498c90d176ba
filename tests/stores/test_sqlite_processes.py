"""One file, several processes: nothing lost, nothing done twice, nothing acknowledged forgotten."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from persidict import ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE, SQLiteDict
from tests.stores.forking import in_forked_child

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

    from persidict.testing import Workers

PROCESSES = 4
INCREMENTS = 40


def increment(path: str, times: int) -> list[int]:
    """Count up by read and swap; the numbers that this process has written."""
    d: SQLiteDict[int] = SQLiteDict(path)
    written = []
    seen = d.get_with_etag("n")
    while len(written) < times:
        current = 0 if seen.new_value is ITEM_NOT_AVAILABLE else int(seen.new_value)
        swap = d.set_item_if(
            "n",
            value=current + 1,
            condition=ETAG_IS_THE_SAME,
            expected_etag=seen.resulting_etag,
        )
        if swap.condition_was_satisfied:
            written.append(current + 1)
        seen = swap
    return written


def test_increments_of_several_processes_add_up(tmp_path: Path, persidict_workers: Workers) -> None:
    """They also race to create the file."""
    path = tmp_path / "items.db"

    counted = persidict_workers.map(increment, [(str(path), INCREMENTS)] * PROCESSES)

    numbers = sorted(n for each in counted for n in each)
    assert numbers == list(range(1, PROCESSES * INCREMENTS + 1))
    assert SQLiteDict[int](path)["n"] == PROCESSES * INCREMENTS


def create(folder: str, number: int, together: Any, files: int) -> list[bool]:
    """Open each new file at the same moment as the others; whether this one's claim was first."""
    won = []
    for n in range(files):
        together.wait()
        d: SQLiteDict[int] = SQLiteDict(f"{folder}/{n}.db")
        d[str(number)] = number
        won.append(d.setdefault("claim", number) == number)
    return won


def test_several_processes_create_one_file(tmp_path: Path) -> None:
    files = 8
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(PROCESSES, timeout=60.0)
    arguments = [(str(tmp_path), number, together, files) for number in range(PROCESSES)]
    # A barrier is inherited and cannot be sent to a worker that is already there.
    with context.Pool(PROCESSES, initializer=_keep, initargs=(arguments,)) as pool:
        claims = pool.map(_create, range(PROCESSES), chunksize=1)

    for n in range(files):
        d: SQLiteDict[int] = SQLiteDict(tmp_path / f"{n}.db")
        winners = [number for number in range(PROCESSES) if claims[number][n]]
        assert winners == [d["claim"]]
        assert d == {"claim": d["claim"], **{str(number): number for number in range(PROCESSES)}}


_arguments: list[Any] = []


def _keep(arguments: list[Any]) -> None:
    _arguments[:] = arguments


def _create(number: int) -> list[bool]:
    return create(*_arguments[number])


def write_until_killed(path: str, acknowledged: Connection) -> None:
    d: SQLiteDict[Any] = SQLiteDict(path)
    n = 0
    while True:
        d[f"{n % 50}"] = [n, "x" * 3_000]
        d.transform_item("swapped", transformer=lambda _, n=n: n)
        acknowledged.send(n)
        n += 1


@pytest.mark.parametrize("kill_after", [1, 7, 60])
def test_what_was_acknowledged_survives_kill_9(
    tmp_path: Path, persidict_workers: Workers, kill_after: int
) -> None:
    path = tmp_path / "items.db"
    receiving, sending = multiprocessing.get_context("spawn").Pipe(duplex=False)
    worker = persidict_workers.spawn(write_until_killed, str(path), sending)
    sending.close()
    last = -1
    while last < kill_after:
        last = receiving.recv()

    worker.kill()

    with closing(receiving):
        while receiving.poll():
            try:
                last = receiving.recv()
            except EOFError:
                break
    d: SQLiteDict[Any] = SQLiteDict(path)
    assert d["swapped"] in (last, last + 1)
    written = {n % 50: n for n in range(last + 1)}
    for slot, n in written.items():
        assert d[str(slot)][0] == n or (slot == (last + 1) % 50 and d[str(slot)][0] == last + 1)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    d["swapped"] = "usable"
    assert d["swapped"] == "usable"


def test_everything_is_written_through_to_the_disk(tmp_path: Path) -> None:
    """A power cut cannot be had in a test; this is what SQLite needs to survive one."""
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    store: Any = d._items.store.store
    with store._connections.one() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def connections_of(d: SQLiteDict[Any]) -> set[int]:
    store: Any = d._items.store.store
    return {id(connection) for connection in store._connections._idle}


def test_a_forked_child_has_connections_of_its_own(tmp_path: Path) -> None:
    d: SQLiteDict[Any] = SQLiteDict(tmp_path / "items.db")
    d["parent"] = 1
    inherited = connections_of(d)
    assert inherited

    def act() -> tuple[bool, Any, int]:
        none_is_idle = connections_of(d) == set()
        d["child"] = d["parent"] + 1
        # The inherited ones must be neither used nor closed, not even by the collector.
        gc.collect()
        return none_is_idle, d["child"], len(connections_of(d) - inherited)

    assert in_forked_child(act) == (True, 2, 1)

    assert connections_of(d) == inherited
    assert d["child"] == 2
    d["parent"] = 3
    assert SQLiteDict[Any](tmp_path / "items.db") == {"parent": 3, "child": 2}


def test_a_forked_child_never_closes_inherited_connections(tmp_path: Path) -> None:
    """Not even when the dictionary goes: closing would drop the parent's locks on the file."""
    holder: list[SQLiteDict[Any]] = [SQLiteDict(tmp_path / "items.db")]
    holder[0]["a"] = 1
    inherited = connections_of(holder[0])

    def act() -> bool:
        holder.clear()
        gc.collect()
        alive = [o for o in gc.get_objects() if isinstance(o, sqlite3.Connection)]
        return all(
            connection.execute("SELECT 1").fetchone() == (1,)
            for connection in alive
            if id(connection) in inherited
        ) and inherited <= {id(connection) for connection in alive}

    assert in_forked_child(act)

    assert holder[0]["a"] == 1


def test_parent_and_children_write_at_once(tmp_path: Path) -> None:
    """The inherited dictionary counts in all of them, and no step is lost."""
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    d["n"] = 0
    ready, forked = os.pipe()
    starts, start = os.pipe()

    def add() -> int:
        for _ in range(25):
            d.transform_item("n", transformer=lambda n: n + 1, n_retries=None)
        return os.getpid()

    def add_when_told() -> int:
        # SQLite's own locks are not made for a fork while another thread is inside of it, so
        # nobody begins before all are forked.
        os.write(forked, b".")
        os.read(starts, 1)
        return add()

    pids: list[int] = []
    children = [
        threading.Thread(target=lambda: pids.append(in_forked_child(add_when_told, timeout=60.0)))
        for _ in range(3)
    ]
    for child in children:
        child.start()
    for _ in children:
        assert os.read(ready, 1) == b"."
    os.write(start, b"...")
    pids.append(add())
    for child in children:
        child.join(60.0)
    for end in (ready, forked, starts, start):
        os.close(end)

    assert len(set(pids)) == 4
    assert d["n"] == 100


def test_a_fork_while_another_thread_is_in_the_store_leaves_the_child_free(
    tmp_path: Path,
) -> None:
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    store: Any = d._items.store.store
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with store._connections._lock:
            held.set()
            let_go.wait(20.0)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20.0)

    def act() -> int:
        d["a"] += 1
        return d["a"]

    try:
        assert in_forked_child(act) == 2
    finally:
        let_go.set()
        holder.join(20.0)
    assert d["a"] == 2
