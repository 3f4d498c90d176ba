"""When each write that is known to have landed was first sent: what a lease's deadline goes by."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from persidict.clock import SYSTEM_CLOCK
from persidict.object_store import (
    Answer,
    Applied,
    Name,
    NotModified,
    ObjectStore,
    Precondition,
    Snapshot,
)
from persidict.store_around import StoreAround

T = TypeVar("T")


class Log:
    """For each object when its writes were first sent, and which of them are known to be there."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._sent: dict[str, tuple[str, float]] = {}
        self._landed: dict[str, float] = {}

    def send(self, name: str, write_id: str) -> None:
        """A write is sent now, or again."""
        with self._lock:
            self._sent.setdefault(write_id, (name, SYSTEM_CLOCK.monotonic()))

    def confirm(self, write_id: str | None) -> None:
        """Its answer says so, or somebody has read it."""
        with self._lock:
            if write_id in self._sent:
                name, sent = self._sent[write_id]
                self._landed[name] = max(sent, self._landed.get(name, sent))

    def last(self, part: str) -> float:
        """When the last write that landed was first sent, to the object with this in its name."""
        with self._lock:
            return max(sent for name, sent in self._landed.items() if part in name)


class Witness(StoreAround):
    """Another store; what is sent to it, and what of it has landed, is logged.

    Args:
        inner: The store.
        log: Where.
    """

    def __init__(self, inner: ObjectStore, log: Log) -> None:
        super().__init__(inner)
        self._log = log

    def within(self, seconds: float) -> ObjectStore:
        """The same log, over the store as it is for calls that have to end in time."""
        return Witness(self.inner.within(seconds), self._log)

    def pass_on(self, verb: str, request: Callable[[], T]) -> T:
        """The answer."""
        del verb
        return request()

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        """As the store does it."""
        return self._read(super().head(name, certain=certain))

    def peek(self, name: Name) -> Snapshot | None:
        """As the store does it."""
        return self._read(super().peek(name))

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        """As the store does it."""
        return self._read(super().get(name, unless=unless))

    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,
        precondition: Precondition | None,
    ) -> Answer:
        """As the store does it."""
        self._log.send(name, write_id)
        answer = super().put(
            name, body, write_id=write_id, content_type=content_type, precondition=precondition
        )
        if isinstance(answer, Applied):
            self._log.confirm(write_id)
        return answer

    def _read(self, seen: T) -> T:
        write_id = getattr(seen, "write_id", None)
        if isinstance(write_id, str):
            self._log.confirm(write_id)
        return seen
