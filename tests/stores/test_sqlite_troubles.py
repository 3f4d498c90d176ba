"""SQLite's own errors, at each moment of an operation."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from persidict import BackendError, SQLiteDict
from persidict.sqlite_connections import SQLiteConnections
from persidict.testing.clock import ManualClock
from tests.stores.locking import WRITES, locked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "items.db"


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
    idle[0].connection = Troubled(idle[0].connection, statement=statement, error=error, after=after)


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


def test_another_makes_the_file_between_our_look_and_our_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    others: list[SQLiteDict[int]] = []

    class Slow(sqlite3.Connection):
        def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
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
