"""The object store behind the simulated network, with the semantics of S3."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

from persidict.object_store import (
    PAGE_SIZE,
    Answer,
    Applied,
    Entry,
    IfMatch,
    Precondition,
    Refused,
    holds,
)
from scenarios.simulation.clock import EPOCH
from scenarios.simulation.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of an object."""

    etag: str
    write_id: str
    body: bytes
    written: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer says of an object."""

    etag: str
    write_id: str | None
    body: bytes | None
    modified: float
    age: float


class Bucket:
    """Objects, whose etag is the MD5 of their bytes; each call is atomic.

    Args:
        scheduler: Whose time its clock shows, in whole seconds.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.objects: Final[dict[str, Stored]] = {}

    def head(self, name: str) -> Seen | None:
        """Everything but the bytes."""
        return self._seen(name, with_body=False)

    def get(self, name: str) -> Seen | None:
        """An object with its bytes."""
        return self._seen(name, with_body=True)

    def put(
        self, name: str, body: bytes, *, write_id: str, precondition: Precondition | None
    ) -> Answer:
        """Write."""
        if not holds(precondition, self.objects.get(name)):
            return Refused()
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        self.objects[name] = Stored(etag, write_id, body, self._scheduler.now)
        return Applied(etag)

    def delete(self, name: str, *, precondition: IfMatch | None) -> Answer:
        """Delete."""
        if not holds(precondition, self.objects.get(name)):
            return Refused()
        self.objects.pop(name, None)
        return Applied("")

    def list(self, prefix: str, *, after: str) -> tuple[Sequence[Entry], str | None]:
        """One page of names."""
        found = [
            (name, EPOCH + floor(stored.written))
            for name, stored in self.objects.items()
            if name.startswith(prefix) and name > after
        ]
        page = [Entry(name, modified) for name, modified in heapq.nsmallest(PAGE_SIZE, found)]
        return page, page[-1].name if len(page) < len(found) else None

    def _seen(self, name: str, *, with_body: bool) -> Seen | None:
        stored = self.objects.get(name)
        if stored is None:
            return None
        written = floor(stored.written)
        return Seen(
            etag=stored.etag,
            write_id=stored.write_id,
            body=stored.body if with_body else None,
            modified=EPOCH + written,
            age=float(floor(self._scheduler.now) - written),
        )
