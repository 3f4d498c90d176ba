"""Connections to one SQLite file: one a thread at a time, a forked child its own."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from persidict.retry import RetryPolicy

APPLICATION_ID: Final = 0x70647379
FORMAT: Final = 1
# SQLite counts milliseconds in 32 bits, and what does not fit is no wait at all.
LONGEST_WAIT: Final = 1e6

_SCHEMA: Final = """
CREATE TABLE object (
    name TEXT PRIMARY KEY,
    body BLOB NOT NULL,
    etag TEXT NOT NULL,
    write_id TEXT NOT NULL,
    modified REAL NOT NULL
);
-- One row. `writes` numbers all writes, so that a name deleted and made anew repeats no etag;
-- `id` keeps those of a file from those of another that took its place.
CREATE TABLE store (id TEXT NOT NULL, writes INTEGER NOT NULL);
"""


class SQLiteConnections:
    """Connections of this process to one file, each used by one thread at a time.

    Args:
        path: The file; created, with its tables, if it is not there.
        policy: How long to wait for another process's lock.
    """

    def __init__(self, path: str, *, policy: RetryPolicy) -> None:
        self._path = path
        self._policy = policy
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._finalizer = weakref.finalize(self, _close, self._idle)
        _pools.add(self)

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """A connection; closed rather than kept if a transaction was left open in it."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._open()
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.close()
            else:
                with self._lock:
                    self._idle.append(connection)

    def close(self) -> None:
        """Close the idle ones."""
        with self._lock:
            _close(self._idle)

    def _open(self) -> sqlite3.Connection:
        failure = sqlite3.OperationalError()

        def one_try() -> sqlite3.Connection | None:
            nonlocal failure
            try:
                return self._connect()
            except sqlite3.OperationalError as error:
                # Two processes that create one file at the same time: switching the journal's
                # mode does not wait for the other's lock.
                if not is_busy(error):
                    raise
                failure = error
                return None

        def give_up(_tries: int) -> NoReturn:
            raise failure

        deadline = self._policy.deadline()
        return self._policy.until_settled(
            one_try,
            stop=lambda _tries: self._policy.clock.monotonic() >= deadline,
            give_up=give_up,
            latest=deadline,
        )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=min(self._policy.timeout, LONGEST_WAIT),
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        if _pragma(connection, "application_id") == 0:
            connection.execute("BEGIN IMMEDIATE")
            if _pragma(connection, "application_id") == 0:
                self._create(connection)
            connection.execute("COMMIT")
        application, version = (_pragma(connection, p) for p in ("application_id", "user_version"))
        if (application, version) != (APPLICATION_ID, FORMAT):
            raise sqlite3.DatabaseError(
                f"the file is of another application or format ({application:#x}, {version})"
            )
        if _pragma(connection, "journal_mode") != "wal":
            connection.execute("PRAGMA journal_mode = WAL")

    def _create(self, connection: sqlite3.Connection) -> None:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            raise sqlite3.DatabaseError("the file is another application's database")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        identity = self._policy.clock.nonce().hex()[:8]
        connection.execute("INSERT INTO store VALUES (?, 0)", (identity,))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")

    def forget_inherited(self) -> None:
        """Leave the parent's connections alone: SQLite's must be neither used nor closed."""
        self._finalizer.detach()
        _abandoned.append(self._idle)
        self._idle, self._lock = [], threading.Lock()
        self._finalizer = weakref.finalize(self, _close, self._idle)


_pools: weakref.WeakSet[SQLiteConnections] = weakref.WeakSet()
_abandoned: list[list[sqlite3.Connection]] = []


def _after_fork() -> None:
    for pool in list(_pools):
        pool.forget_inherited()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _close(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection's lock was in the way, for longer than we waited."""
    # Extended codes carry the primary one in their lowest byte.
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
