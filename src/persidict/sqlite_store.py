"""The five verbs over one SQLite file, atomic and durable for all processes of one machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from persidict.exceptions import BackendError
from persidict.object_store import (
    NOT_MODIFIED,
    PAGE_SIZE,
    Answer,
    Applied,
    Entry,
    IfMatch,
    Name,
    NotApplied,
    NotModified,
    ObjectStore,
    Precondition,
    Refused,
    Snapshot,
    TransientError,
    Unaccounted,
    Versioned,
    holds,
)
from persidict.retry import RetryPolicy
from persidict.sqlite_connections import SQLiteConnections, could_not_write, is_busy
from persidict.sqlite_forks import ForkedInsideError

_CHECK: Final = (
    "Check that the file is one of this package, its folder exists and both are writable, and the "
    "disk is not full."
)


@dataclass(frozen=True, slots=True)
class _Etag:
    etag: str


@dataclass(frozen=True, slots=True)
class _Seen:
    etag: str
    write_id: str
    modified: float
    age: float
    body: bytes | None = None


class SQLiteStore(ObjectStore):
    """The verbs over one file; a write that was answered survives the death of its process."""

    backend = "SQLite"
    advice = (
        "Another process keeps the file locked, or is frozen in the middle of a write: end it, or "
        "allow more time."
    )
    is_remote = False

    def __init__(self, path: Path, *, policy: RetryPolicy) -> None:
        self.path: Final = path
        self._clock = policy.clock
        self.wait = policy.timeout
        self._connections = SQLiteConnections(path, policy=policy)
        try:
            with self._connections.one():
                pass
        except sqlite3.Error as error:
            raise self._error(error, "open", Name.of(None, "")) from error

    def close(self) -> None:
        """Close idle connections; the next request opens one again."""
        self._connections.close()

    def within(self, seconds: float) -> ObjectStore:
        other = copy(self)
        other.wait = seconds
        return other

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:  # noqa: ARG002
        with self._reading("head", name) as connection:
            row = connection.execute(
                "SELECT etag, write_id, modified FROM object WHERE name = ?", (str(name),)
            ).fetchone()
        return self._seen(row)

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        with self._reading("get", name) as connection:
            row = connection.execute(
                "SELECT etag, write_id, modified, CASE WHEN etag IS NOT ? THEN body END"
                " FROM object WHERE name = ?",
                (unless, str(name)),
            ).fetchone()
        seen = self._seen(row)
        return NOT_MODIFIED if seen is not None and seen.etag == unless else seen

    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,  # noqa: ARG002
        precondition: Precondition | None,
    ) -> Answer:
        def write(connection: sqlite3.Connection) -> str:
            (etag,) = connection.execute(
                "UPDATE store SET writes = writes + 1 RETURNING id || '-' || writes"
            ).fetchone()
            connection.execute(
                "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?)",
                (str(name), body, etag, write_id, self._clock.time()),
            )
            return str(etag)

        return self._change("put", name, precondition, write)

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        def remove(connection: sqlite3.Connection) -> str:
            connection.execute("DELETE FROM object WHERE name = ?", (str(name),))
            return ""

        return self._change("delete", name, precondition, remove)

    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        # Names are compared by their UTF-8 bytes, and no byte of UTF-8 is 0xFF: all names under
        # the prefix lie between it and itself with the last character that there is.
        with self._reading("list", prefix) as connection:
            rows = connection.execute(
                "SELECT name, modified FROM object"
                " WHERE name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?",
                (after, str(prefix), prefix + chr(0x10FFFF), PAGE_SIZE + 1),
            ).fetchall()
        page = [Entry(name, modified) for name, modified in rows[:PAGE_SIZE]]
        return page, page[-1].name if len(rows) > PAGE_SIZE else None

    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        def remove(connection: sqlite3.Connection) -> str:
            connection.executemany("DELETE FROM object WHERE name = ?", [(str(n),) for n in names])
            return ""

        nowhere = Name.of(None, "")
        match self._change("delete", nowhere, None, remove):
            case NotApplied(cause):
                raise self._error(cause, "delete", nowhere) from cause
            case Unaccounted(cause):
                raise TransientError(str(cause)) from cause
        return []

    def _change(
        self,
        operation: str,
        name: Name,
        precondition: Precondition | None,
        change: Callable[[sqlite3.Connection], str],
    ) -> Answer:
        committing = False
        try:
            with self._one() as connection, _transaction(connection):
                if precondition is not None:
                    row = connection.execute(
                        "SELECT etag FROM object WHERE name = ?", (str(name),)
                    ).fetchone()
                    present: Versioned | None = _Etag(*row) if row else None
                    if not holds(precondition, present):
                        return Refused()
                etag = change(connection)
                committing = True
            return Applied(etag)
        except sqlite3.Error as error:
            if is_busy(error):
                return NotApplied(error, conflict=False)
            if committing and not could_not_write(error):
                return Unaccounted(error)
            raise self._error(error, operation, name) from error

    def _one(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._connections.one(wait=self.wait)

    @contextmanager
    def _reading(self, operation: str, name: Name) -> Iterator[sqlite3.Connection]:
        try:
            with self._one() as connection:
                yield connection
        except sqlite3.Error as error:
            if is_busy(error):
                raise TransientError(str(error)) from error
            raise self._error(error, operation, name) from error

    def _error(self, error: Exception, operation: str, name: Name) -> BackendError:
        advice = _CHECK
        if isinstance(error, ForkedInsideError):
            advice = error.advice
        elif isinstance(error, sqlite3.Error) and is_busy(error):
            advice = self.advice
        return BackendError(
            f"SQLite {operation} in {self.path} failed: {error}. {advice}",
            backend=self.backend,
            operation=operation,
            key=name.key,
        )

    def _seen(self, row: tuple[str, str, float, bytes | None] | None) -> _Seen | None:
        if row is None:
            return None
        etag, write_id, modified, *body = row
        age = max(0.0, self._clock.time() - modified)
        return _Seen(etag, write_id, modified, age, *body)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # SQLite rolls back by itself after some errors, a full disk among them.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
