"""The store of one run, made ready: the embedded server or a given store, and its fault plan."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from persidict import BackendError
from persidict.testing import EmbeddedS3, FaultKind, FaultRule, ServerControl, ServerStartError
from scenarios.journal import Event
from scenarios.stores import EMBEDDED, TEMPORARY_FILE, Address, S3Address, SQLiteAddress

DROPPED_SHARE: Final = 0.05
_LONGEST_WRITE: Final = 0.2
_DUMMY: Final = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


class UnusableStoreError(Exception):
    """The race cannot begin on this store; the text says why."""


@dataclass(frozen=True)
class Drops:
    """Answers to writes that were lost: after the write was applied, and after its refusal."""

    applied: int
    refused: int


@dataclass(frozen=True)
class Ground:
    """Where the race of one run takes place.

    Args:
        address: What the workers open; its prefix is this run's own.
        dropped_by: Who drops the answers to writes: the server, each worker, or nobody.
        control: The embedded server, where it is one.
    """

    address: Address
    dropped_by: str
    control: ServerControl | None = None

    @property
    def is_s3(self) -> bool:
        """Whether the store is spoken to over HTTP."""
        return isinstance(self.address, S3Address)

    @property
    def share_dropped_by_worker(self) -> float:
        """The share of answers to writes that a worker is to throw away unread."""
        return DROPPED_SHARE if self.dropped_by == "worker" else 0.0

    def is_locked(self) -> bool:
        """Whether a writer of a SQLite file keeps all others waiting, beyond what a write takes."""
        if not isinstance(self.address, SQLiteAddress):
            return False
        with closing(sqlite3.connect(self.address.path, timeout=_LONGEST_WRITE)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def dropped_so_far(self) -> int | None:
        """How many answers the server has dropped; None where it is not the server that does."""
        if self.control is None:
            return None
        return self.control.log(with_entries=False).counts.get("PUT", {}).get("none", 0)

    def drops(self, events: Iterable[Event]) -> Drops:
        """All answers that were dropped, from the workers' logs, or from the server's.

        The server keeps the last 20,000 requests; what it dropped before is not counted.
        """
        if self.control is None:
            statuses = [event["status"] for event in events if event.name == "dropped"]
        else:
            entries = self.control.log().entries
            statuses = [entry.applied[-1] for entry in entries if entry.fault == "drop-reply"]
        applied = sum(status < 300 for status in statuses)
        return Drops(applied, len(statuses) - applied)


@contextmanager
def prepare(store: Address | str, *, seed: int, prefix: str) -> Iterator[Ground]:
    """Make the store ready for one run under a prefix of its own; the embedded one ends with it.

    Args:
        store: An address, or `embedded`, or `sqlite:` for a temporary file.
        seed: What the fault plan is drawn from.
        prefix: This run's own prefix, below that of the address.

    Raises:
        UnusableStoreError: The store cannot be used, or the embedded one did not start.
    """
    if store == EMBEDDED:
        with _server() as server:
            yield _embedded(server, seed=seed, prefix=prefix)
    elif store == TEMPORARY_FILE:
        with tempfile.TemporaryDirectory(prefix="scenarios-") as folder:
            yield _given(SQLiteAddress(Path(folder) / "store.sqlite"), prefix=prefix)
    else:
        assert not isinstance(store, str)
        yield _given(store, prefix=prefix)


@contextmanager
def _server() -> Iterator[EmbeddedS3]:
    server = EmbeddedS3()
    try:
        server.start()
    except ServerStartError as error:
        raise UnusableStoreError(str(error)) from error
    with server:
        yield server


def _embedded(server: EmbeddedS3, *, seed: int, prefix: str) -> Ground:
    bucket = server.create_bucket("scenarios")
    rule = FaultRule(
        kind=FaultKind.DROP_REPLY,
        probability=DROPPED_SHARE,
        methods=("PUT",),
        key=f"{bucket}/{prefix}/*",
    )
    server.control.set_faults(rule, seed=seed)
    address = S3Address(bucket, prefix, server.endpoint_url, "us-east-1", _DUMMY, is_embedded=True)
    return Ground(address, "server", server.control)


def _given(address: Address, *, prefix: str) -> Ground:
    address = address.under(prefix)
    try:
        next(iter(address.open(create=True)), None)
    except (BackendError, ValueError) as error:
        raise UnusableStoreError(f"--store cannot be used: {error}") from error
    return Ground(address, "worker" if isinstance(address, S3Address) else "nobody")
