"""One file, several threads and foreign locks: waiting, and an end to it."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from persidict import ITEM_NOT_AVAILABLE, BackendError, OutcomeUnknownError, SQLiteDict
from persidict.sqlite_connections import SQLiteConnections
from persidict.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

THREADS = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


@contextmanager
def locked(path: Path, *, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """Another program is writing to the file."""
    with closing(
        sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    ) as connection:
        connection.execute(f"BEGIN {kind}")
        yield connection


def test_threads_have_a_connection_each_and_lose_nothing(path: Path) -> None:
    d: SQLiteDict[int] = SQLiteDict(path)
    together = threading.Barrier(THREADS, timeout=20.0)

    def add(_number: int) -> list[int]:
        together.wait()
        return [
            int(d.transform_item("n", transformer=_plus_one, n_retries=None).new_value)  # type: ignore[arg-type]
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


WRITES: dict[str, Callable[[SQLiteDict[int]], Any]] = {
    "assign": lambda d: d.__setitem__("a", 2),
    "delete": lambda d: d.__delitem__("a"),
    "pop": lambda d: d.pop("a"),
    "setdefault": lambda d: d.setdefault("b", 2),
    "transform": lambda d: d.transform_item("a", transformer=lambda _: 2),
    "clear": lambda d: d.clear(),
}


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
        with pytest.raises(BackendError) as error:
            WRITES[write](d)
        assert d["a"] == 1

    # What was not even begun cannot be in doubt.
    assert not isinstance(error.value, OutcomeUnknownError)
    assert d == {"a": 1}
    WRITES[write](d)
    assert d != {"a": 1}


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


def test_an_error_in_the_middle_of_a_write_leaves_no_lock(path: Path) -> None:
    d: SQLiteDict[Any] = SQLiteDict(path)
    d["a"] = 1
    store: Any = d._items.store.store
    with store._connections.one() as connection:
        connection.set_authorizer(
            lambda action, *_: (
                sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_INSERT else sqlite3.SQLITE_OK
            )
        )

    with pytest.raises(BackendError):
        d["a"] = 2

    assert len(store._connections._idle) == 1
    with locked(path):
        assert d["a"] == 1


class Troubled:
    """A connection of which one statement fails once, with or without having been executed."""

    def __init__(
        self, connection: Any, *, statement: str, error: sqlite3.OperationalError, after: bool
    ) -> None:
        self.connection = connection
        self.statement = statement
        self.errors = [error]
        self.after = after

    def execute(self, statement: str, *parameters: Any) -> Any:
        if statement.startswith(self.statement) and self.errors:
            if self.after:
                self.connection.execute(statement, *parameters)
            raise self.errors.pop()
        return self.connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def trouble(
    d: SQLiteDict[Any], statement: str, error: sqlite3.OperationalError, *, after: bool = False
) -> None:
    """Let the next such statement of the dictionary fail."""
    store: Any = d._items.store.store
    idle = store._connections._idle
    idle[:] = [Troubled(idle[0], statement=statement, error=error, after=after)]


def busy() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY_SNAPSHOT
    return error


@pytest.mark.parametrize("write", [name for name in WRITES if name != "clear"])
def test_a_lock_that_outlasts_one_wait_is_waited_for_again(path: Path, write: str) -> None:
    d: SQLiteDict[int] = SQLiteDict(path, clock=ManualClock())
    d["a"] = 1
    trouble(d, "BEGIN", busy())

    WRITES[write](d)

    assert d != {"a": 1}


@pytest.mark.parametrize(
    "read", [lambda d: d["a"], lambda d: "a" in d, len, lambda d: next(iter(d)) == "a"]
)
def test_a_read_that_meets_a_lock_is_tried_again(path: Path, read: Any) -> None:
    d: SQLiteDict[int] = SQLiteDict(path, clock=ManualClock())
    d["a"] = 1
    trouble(d, "SELECT", busy())

    assert read(d) == 1


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


def test_opening_waits_for_another_that_opens(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switching the journal's mode does not wait for a lock by itself."""
    prepare = SQLiteConnections._prepare
    failures = [busy(), busy()]

    def meet_a_lock(self: SQLiteConnections, connection: sqlite3.Connection) -> None:
        if failures:
            raise failures.pop()
        prepare(self, connection)

    monkeypatch.setattr(SQLiteConnections, "_prepare", meet_a_lock)
    clock = ManualClock()
    d: SQLiteDict[int] = SQLiteDict(path, clock=clock)
    d["a"] = 1

    assert d == {"a": 1}
    assert len(clock.slept) == 2


def test_opening_a_file_that_stays_locked_is_an_error(path: Path) -> None:
    with locked(path, kind="EXCLUSIVE"), pytest.raises(BackendError, match="locked") as error:
        SQLiteDict(path, operation_timeout=0.05)

    assert (error.value.backend, error.value.operation) == ("SQLite", "open")


def test_another_makes_the_file_between_our_look_and_our_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    others: list[SQLiteDict[int]] = []

    class Slow(sqlite3.Connection):
        def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:  # type: ignore[override]
            if statement == "BEGIN IMMEDIATE" and not others:
                monkeypatch.setattr(sqlite3, "connect", connect)
                others.append(SQLiteDict(path))
                others[0]["a"] = 1
            return super().execute(statement, *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(connect, factory=Slow))
    d: SQLiteDict[int] = SQLiteDict(path)

    assert d == {"a": 1}
    assert others == [d]


@pytest.mark.parametrize("after", [False, True])
def test_a_batch_whose_commit_fails_is_deleted_again(path: Path, after: bool) -> None:
    d: SQLiteDict[int] = SQLiteDict(path, clock=ManualClock())
    d.update({"a": 1, "b": 2})
    trouble(d, "COMMIT", sqlite3.OperationalError("disk I/O error"), after=after)

    d.clear()

    assert d == {}


@pytest.mark.parametrize("after", [False, True])
def test_a_commit_that_fails_is_settled_by_looking(path: Path, after: bool) -> None:
    """Whether the transaction was made permanent the error does not say."""
    d: SQLiteDict[int] = SQLiteDict(path, clock=ManualClock())
    trouble(d, "COMMIT", sqlite3.OperationalError("disk I/O error"), after=after)

    assert d.setdefault("a", 1) == 1

    assert d == {"a": 1}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT writes FROM store").fetchone() == (1,)
