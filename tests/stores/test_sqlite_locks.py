"""One file, several threads and foreign locks: waiting, and an end to it."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from persidict import ITEM_NOT_AVAILABLE, BackendError, OutcomeUnknownError, SQLiteDict
from tests.stores.locking import WRITES, locked

if TYPE_CHECKING:
    from pathlib import Path

THREADS = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


def test_threads_have_a_connection_each_and_lose_nothing(path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(path)
    together = threading.Barrier(THREADS, timeout=20.0)

    def add(_number: int) -> list[int]:
        together.wait()
        return [
            int(d.transform_item("n", transformer=_plus_one, n_retries=None).new_value)
            for _ in range(10)
        ]

    with ThreadPoolExecutor(THREADS) as pool:
        counted = [n for each in pool.map(add, range(THREADS)) for n in each]

    assert sorted(counted) == list(range(1, 10 * THREADS + 1))


def _plus_one(n: Any) -> Any:
    return 1 if n is ITEM_NOT_AVAILABLE else n + 1


def test_one_of_many_threads_inserts(path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(path)
    together = threading.Barrier(THREADS, timeout=20.0)

    def claim(number: int) -> list[bool]:
        won = []
        for n in range(10):
            together.wait()
            won.append(d.setdefault(str(n), number) == number)
        return won

    with ThreadPoolExecutor(THREADS) as pool:
        claims = list(pool.map(claim, range(THREADS)))

    assert [sum(claims[number][n] for number in range(THREADS)) for n in range(10)] == [1] * 10


@pytest.mark.parametrize("write", WRITES)
def test_a_write_waits_for_anothers_lock(path: Path, write: str) -> None:
    d: SQLiteDict[int] = SQLiteDict(path)
    d["a"] = 1
    store: Any = d._items.store.store
    waits = threading.Event()

    def trace(statement: str) -> None:
        if statement.startswith("BEGIN"):
            waits.set()

    with store._connections.one() as connection:
        connection.set_trace_callback(trace)
    with locked(path) as other, ThreadPoolExecutor(1) as pool:
        writing = pool.submit(WRITES[write], d)
        assert waits.wait(20.0)
        assert not writing.done()
        assert SQLiteDict[int](path)["a"] == 1
        other.execute("COMMIT")
        writing.result(20.0)

    assert d in ({"a": 2}, {}, {"a": 1, "b": 2})
    assert d != {"a": 1}


@pytest.mark.parametrize("write", WRITES)
def test_a_lock_that_is_never_released_is_an_error(path: Path, write: str) -> None:
    SQLiteDict[int](path)["a"] = 1
    d: SQLiteDict[int] = SQLiteDict(path, operation_timeout=0.05)
    with locked(path):
        with pytest.raises(BackendError, match="keeps the file locked") as error:
            WRITES[write](d)
        assert d["a"] == 1

    # What was not even begun cannot be in doubt.
    assert not isinstance(error.value, OutcomeUnknownError)
    assert d == {"a": 1}
    WRITES[write](d)
    assert d != {"a": 1}


@pytest.mark.parametrize("write", WRITES)
def test_a_call_that_has_less_time_waits_for_less_time(path: Path, write: str) -> None:
    d: SQLiteDict[int] = SQLiteDict(path, operation_timeout=60.0)
    d["a"] = 1
    began = time.monotonic()
    with locked(path), pytest.raises(BackendError):
        WRITES[write](d.with_timeout(0.05))
    assert time.monotonic() - began < 20.0

    store: Any = d.with_timeout(70.0)._items.store.store
    with store._one() as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (70_000,)
    with store._connections.one() as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (60_000,)


@pytest.mark.parametrize(
    ("timeout", "milliseconds"), [(0.25, 250), (30.0, 30_000), (1e10, 10**9), (float("inf"), 10**9)]
)
def test_any_timeout_is_a_wait(path: Path, timeout: float, milliseconds: int) -> None:
    d: SQLiteDict[int] = SQLiteDict(path, operation_timeout=timeout)
    store: Any = d._items.store.store

    with store._connections.one() as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (milliseconds,)


def test_readers_wait_for_no_writer(path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(path, operation_timeout=0.05)
    d["a"] = 1
    with locked(path) as other:
        other.execute("DELETE FROM object")
        assert d == {"a": 1}
        assert d.get_with_etag("a").new_value == 1
        assert len(d) == 1
        other.execute("COMMIT")

    assert len(d) == 0


def test_a_file_that_is_locked_as_a_whole_cannot_be_read(path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(path, operation_timeout=0.05)
    d["a"] = 1
    d.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        for read in (lambda: d["a"], lambda: "a" in d, lambda: len(d), lambda: d.get("a")):
            with pytest.raises(BackendError):
                read()

    assert d == {"a": 1}


def test_nobody_gets_in_between_the_look_and_the_write(path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(path)
    d["a"] = 1
    refused: list[str] = []
    store: Any = d._items.store.store

    def meddle(statement: str) -> None:
        if statement.startswith(("UPDATE", "INSERT")):
            with closing(sqlite3.connect(path, timeout=0.0)) as other:
                try:
                    other.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    refused.append(str(error))

    with store._connections.one() as connection:
        connection.set_trace_callback(meddle)
    d.transform_item("a", transformer=lambda _: 2)

    assert refused == ["database is locked"] * 2
    assert d["a"] == 2


def test_opening_it_again_takes_no_longer_than_the_call_may(path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(path, operation_timeout=60.0)
    d.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(BackendError, match="keeps the file locked"):
            d.with_timeout(0.05)["a"] = 1

    assert time.monotonic() - began < 20.0


def test_opening_a_file_that_stays_locked_is_an_error(path: Path) -> None:
    with locked(path, kind="EXCLUSIVE"), pytest.raises(BackendError, match="locked") as error:
        SQLiteDict(path, operation_timeout=0.05)

    assert (error.value.backend, error.value.operation) == ("SQLite", "open")
