"""Connections to one SQLite file: one a thread at a time, a forked child its own."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

from persidict.retry import RetryPolicy
from persidict.sqlite_forks import before_fork, inside_sqlite

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


FileId: TypeAlias = tuple[int, int]
"""Device and inode: which file it is that has the name."""


@dataclass(slots=True)
class _Opened:
    connection: sqlite3.Connection
    file: FileId | None
    wait: float


class SQLiteConnections:
    """Connections of this process to one file, each used by one thread at a time.

    The first one creates the file, with its tables, if it is not there; later ones do not.

    Args:
        path: The file.
        policy: How long to wait for another process's lock.
    """

    def __init__(self, path: Path, *, policy: RetryPolicy) -> None:
        self._path = path
        self._policy = policy
        self._was_there = False
        # Taken from and added to in one step each: a lock would be held when a signal's handler
        # wants it.
        self._idle: list[_Opened] = []
        self._finalizer = weakref.finalize(self, _close, self._idle)
        _pools[id(self)] = self

    @contextmanager
    def one(self, *, wait: float | None = None) -> Iterator[sqlite3.Connection]:
        """A connection; closed rather than kept if a transaction was left open in it.

        Args:
            wait: Seconds to wait for another's lock; None for the policy's.
        """
        wait = self._policy.timeout if wait is None else wait
        with inside_sqlite():
            opened = self._taken() or self._open(wait)
            try:
                self._have_wait(opened, wait)
                yield opened.connection
            finally:
                if opened.connection.in_transaction:
                    opened.connection.close()
                else:
                    self._idle.append(opened)

    def close(self) -> None:
        """Close the idle ones."""
        _close(self._idle)

    def _taken(self) -> _Opened | None:
        file = self._file()
        while True:
            try:
                opened = self._idle.pop()
            except IndexError:
                return None
            if opened.file == file:
                return opened
            # The file was deleted, moved or replaced: what went there, nobody else would see.
            opened.connection.close()

    def _file(self) -> FileId | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _have_wait(self, opened: _Opened, wait: float) -> None:
        if wait != opened.wait:
            opened.connection.execute(f"PRAGMA busy_timeout = {_bounded(wait) * 1000:.0f}")
            opened.wait = wait

    def _open(self, wait: float) -> _Opened:
        failure = sqlite3.OperationalError()

        def one_try() -> _Opened | None:
            nonlocal failure
            try:
                return self._connect(wait)
            except sqlite3.OperationalError as error:
                # Two processes that create one file at the same time: switching the journal's
                # mode does not wait for the other's lock.
                if not is_busy(error):
                    raise
                failure = error
                return None

        def give_up(_tries: int) -> NoReturn:
            raise failure

        deadline = self._policy.within(wait).deadline()
        return self._policy.until_settled(
            one_try,
            stop=lambda _tries: self._policy.clock.monotonic() >= deadline,
            give_up=give_up,
            latest=deadline,
        )

    def _connect(self, wait: float) -> _Opened:
        # Before it is opened: should another take its place meanwhile, this one is not used again.
        file = self._file()
        if file is None and self._was_there:
            raise sqlite3.OperationalError("the file has been deleted or moved")
        connection = sqlite3.connect(
            self._path, timeout=_bounded(wait), isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._was_there = True
        return _Opened(connection, file or self._file(), wait)

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
        """Leave alone what the parent has opened since; it must be neither used nor closed."""
        self._finalizer.detach()
        _abandoned.append(self._idle)
        self._idle = []
        self._finalizer = weakref.finalize(self, _close, self._idle)


_pools: weakref.WeakValueDictionary[int, SQLiteConnections] = weakref.WeakValueDictionary()
_abandoned: list[list[_Opened]] = []


def _all_pools() -> Iterator[SQLiteConnections]:
    # The references are listed in one step: another thread may be making a pool just now.
    for reference in _pools.valuerefs():
        if (pool := reference()) is not None:
            yield pool


def _close_idle() -> None:
    # A child that inherits a connection believes that it holds the parent's locks on the file, for
    # its own connections as well. Once the parent has closed the file, everybody else takes it for
    # unused, and what the child writes into the log that they have deleted is lost.
    for pool in _all_pools():
        pool.close()


def _after_fork() -> None:
    for pool in _all_pools():
        pool.forget_inherited()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=partial(before_fork, _close_idle), after_in_child=_after_fork)


def _close(idle: list[_Opened]) -> None:
    if idle:
        with inside_sqlite(), suppress(IndexError):
            while True:
                idle.pop().connection.close()


def _bounded(wait: float) -> float:
    return min(wait, LONGEST_WAIT)


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection's lock was in the way, for longer than we waited."""
    # Extended codes carry the primary one in their lowest byte.
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def could_not_write(error: sqlite3.Error) -> bool:
    """Whether something was not written, so that no transaction became permanent.

    What commits one is the last thing that is written, and in the log of changes.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
