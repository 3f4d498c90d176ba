"""One file, several processes: nothing lost, nothing done twice, nothing acknowledged forgotten."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from persidict import ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE, BackendError, SQLiteDict
from persidict.sqlite_forks import _after_fork_in_parent, before_fork
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


def idle(d: SQLiteDict[Any]) -> list[Any]:
    store: Any = d._items.store.store
    return [opened.connection for opened in store._connections._idle]


def test_a_forked_child_inherits_no_connection(tmp_path: Path) -> None:
    d: SQLiteDict[Any] = SQLiteDict(tmp_path / "items.db")
    d["parent"] = 1
    assert len(idle(d)) == 1

    def act() -> tuple[int, Any, int]:
        before = len(idle(d))
        d["child"] = d["parent"] + 1
        return before, d["child"], len(idle(d))

    assert in_forked_child(act) == (0, 2, 1)

    assert d["child"] == 2
    d["parent"] = 3
    assert SQLiteDict[Any](tmp_path / "items.db") == {"parent": 3, "child": 2}


def test_a_child_goes_on_when_its_parent_has_closed_the_file(tmp_path: Path) -> None:
    """SQLite's own locks are a process's: a child of one that has the file open holds none."""
    path = tmp_path / "items.db"
    d: SQLiteDict[int] = SQLiteDict(path)
    d["parent"] = 1
    closed, close = os.pipe()
    ready, forked = os.pipe()

    def act() -> int:
        d["child"] = 1
        os.write(forked, b".")
        os.read(closed, 1)
        return d.setdefault("claim", 1)

    claims: list[int] = []
    child = threading.Thread(target=lambda: claims.append(in_forked_child(act)))
    child.start()
    assert os.read(ready, 1) == b"."
    d.close()
    claims.append(SQLiteDict[int](path).setdefault("claim", 2))
    os.write(close, b".")
    child.join(20.0)
    for end in (ready, forked, closed, close):
        os.close(end)

    assert claims == [2, 2]
    assert d == {"parent": 1, "child": 1, "claim": 2}


def test_what_the_parent_opened_at_the_last_moment_is_left_alone(tmp_path: Path) -> None:
    """Another thread of the parent may put it there just before the fork."""
    d: SQLiteDict[Any] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    store: Any = d._items.store.store
    (inherited,) = idle(d)

    store._connections.forget_inherited()
    del d, store
    gc.collect()

    assert inherited.execute("SELECT 1").fetchone() == (1,)


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
        # All at once: nobody begins before all are forked.
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


@contextmanager
def another_thread_inside(d: SQLiteDict[Any]) -> Iterator[threading.Event]:
    """A thread that is inside SQLite until the event is set."""
    store: Any = d._items.store.store
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with store._connections.one():
            held.set()
            let_go.wait(20.0)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20.0)
    try:
        yield let_go
    finally:
        let_go.set()
        holder.join(20.0)


def one_more(d: SQLiteDict[int]) -> int:
    d["a"] += 1
    return d["a"]


def test_a_fork_waits_for_a_thread_that_is_inside_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    with another_thread_inside(d) as let_go:
        waits: list[bool] = []
        sleep = time.sleep

        def wait(seconds: float) -> None:
            waits.append(let_go.is_set())
            let_go.set()
            sleep(seconds)

        monkeypatch.setattr("persidict.sqlite_forks.sleep", wait)
        assert in_forked_child(lambda: one_more(d)) == 2
    assert waits[0] is False
    assert one_more(d) == 3


def test_nobody_enters_sqlite_while_another_forks(tmp_path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    begun, done = threading.Event(), threading.Event()

    def use() -> None:
        begun.set()
        one_more(d)
        done.set()

    user = threading.Thread(target=use)
    seen: list[bool] = []

    def meanwhile() -> None:
        user.start()
        assert begun.wait(20.0)
        # Its own thread may: a handler of a signal may have to.
        assert d["a"] == 1
        seen.append(done.is_set())

    before_fork(meanwhile)
    assert not done.wait(0.05)
    _after_fork_in_parent()
    assert done.wait(20.0)
    user.join(20.0)
    assert seen == [False]


def test_a_child_that_was_forked_while_a_thread_stayed_inside_sqlite_keeps_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    monkeypatch.setattr("persidict.sqlite_forks.LONGEST", 0.0)

    def act() -> list[str]:
        said = []
        for call in (d.__len__, lambda: one_more(d), lambda: SQLiteDict(tmp_path / "other.db")):
            with pytest.raises(BackendError) as refused:
                call()
            said.append(str(refused.value))
        return said

    with another_thread_inside(d):
        texts = in_forked_child(act)
    assert all("was forked while a thread of its parent was inside SQLite" in t for t in texts)
    assert all("Start such processes by spawn" in text for text in texts)
    # A child that is forked later may use it.
    assert in_forked_child(lambda: one_more(d)) == 2


def test_a_handler_that_forks_in_the_midst_of_its_own_threads_use_does_not_wait_for_it(
    tmp_path: Path,
) -> None:
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    store: Any = d._items.store.store

    def act() -> str:
        with pytest.raises(BackendError) as refused:
            one_more(d)
        return str(refused.value)

    with store._connections.one():
        assert "was forked" in in_forked_child(act)
    assert len(d) == 0


def test_nothing_is_lost_by_forks_beside_busy_threads(tmp_path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(tmp_path / "items.db")
    d["n"] = 0

    def add(times: int) -> int:
        for _ in range(times):
            d.transform_item("n", transformer=lambda n: n + 1, n_retries=None)
        return times

    # Not for ever: SQLite is not fair, and a child would wait as long as they go on.
    threads = [threading.Thread(target=add, args=(250,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    by_children = [in_forked_child(lambda: add(10), timeout=60.0) for _ in range(6)]
    for thread in threads:
        thread.join(60.0)
    assert d["n"] == 500 + sum(by_children)
