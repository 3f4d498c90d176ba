"""The five verbs over a dict of this process, atomic under threads."""

from __future__ import annotations

import heapq
import os
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from persidict.clock import Clock
from persidict.object_store import (
    NOT_MODIFIED,
    PAGE_SIZE,
    Answer,
    Applied,
    Entry,
    IfMatch,
    Name,
    NotModified,
    ObjectStore,
    Precondition,
    Refused,
    Snapshot,
    holds,
)


class Memory:
    """What any number of `LocalDict` objects of one process store their items in.

    A forked child gets a copy of what was there at the fork; from then on the two differ.
    """

    def __init__(self) -> None:
        self.objects: dict[str, _Object] = {}
        self.writes = 0
        self.lock = threading.Lock()
        _memories.add(self)

    def __repr__(self) -> str:
        return f"<Memory of {len(self.objects)} objects>"


@dataclass(frozen=True, slots=True)
class _Object:
    etag: str
    write_id: str
    body: bytes
    modified: float


@dataclass(frozen=True, slots=True)
class _Seen:
    etag: str
    write_id: str | None
    body: bytes | None
    modified: float
    age: float


_memories: weakref.WeakSet[Memory] = weakref.WeakSet()


def _after_fork() -> None:
    # A lock that another thread held at the fork would never be released in the child.
    for memory in list(_memories):
        memory.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class MemoryStore(ObjectStore):
    """The verbs over one `Memory`."""

    backend = "memory"
    is_remote = False

    def __init__(self, memory: Memory, *, clock: Clock) -> None:
        self.memory: Final = memory
        self._clock = clock

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:  # noqa: ARG002
        with self.memory.lock:
            return self._seen(name, with_body=False)

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        with self.memory.lock:
            seen = self._seen(name, with_body=True)
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
        memory = self.memory
        with memory.lock:
            if not holds(precondition, memory.objects.get(name)):
                return Refused()
            memory.writes += 1
            etag = str(memory.writes)
            memory.objects[str(name)] = _Object(etag, write_id, body, self._clock.time())
            return Applied(etag)

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        with self.memory.lock:
            if not holds(precondition, self.memory.objects.get(name)):
                return Refused()
            self.memory.objects.pop(name, None)
            return Applied("")

    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        with self.memory.lock:
            objects = list(self.memory.objects.items())
        found = [
            (name, stored.modified)
            for name, stored in objects
            if name.startswith(prefix) and name > after
        ]
        page = [Entry(name, modified) for name, modified in heapq.nsmallest(PAGE_SIZE, found)]
        return page, page[-1].name if len(page) < len(found) else None

    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        with self.memory.lock:
            for name in names:
                self.memory.objects.pop(name, None)
        return []

    def _seen(self, name: str, *, with_body: bool) -> _Seen | None:
        stored = self.memory.objects.get(name)
        if stored is None:
            return None
        return _Seen(
            etag=stored.etag,
            write_id=stored.write_id,
            body=stored.body if with_body else None,
            modified=stored.modified,
            age=max(0.0, self._clock.time() - stored.modified),
        )
