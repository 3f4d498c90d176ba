"""A stop in the midst of an update, where a worker may be killed or frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from persidict.clock import SystemClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.events import Event
from scenarios.worker import Worker


class Moment(StrEnum):
    """Where an update stops; it has been applied by then, or certainly not."""

    READ = "between its read and its write"
    WRITTEN = "between its write and its answer"


class Midway:
    """Coordination in which each update stops once, where the parent may strike.

    An update draws an identity between its read and its write, and tells its listeners between the
    answer of the store and its own.

    Args:
        worker: Whose updates they are.
        written: The event that tells of a write.

    Attributes:
        coordinator: What to update through.
        generation: That of the record after the last update.
    """

    def __init__(self, worker: Worker, *, written: str) -> None:
        self._worker = worker
        self._written = written
        self._moment: Moment | None = None
        self._stop: Callable[[], None] = lambda: None
        self.generation = 0
        self.coordinator = Coordinator(
            worker.store,
            owner=worker.name,
            clock=_Clock(lambda: self._reached(Moment.READ)),
            listeners=(self._hear,),
        )

    @contextmanager
    def stopping(self, *, task: str, heat: int) -> Iterator[None]:
        """Have the update inside stop at one of the two moments, by the worker's seed."""
        self._moment = self._worker.rng.choice([*Moment])
        self._stop = lambda: self._worker.checkpoint(task=task, heat=heat)
        try:
            yield
        finally:
            self._moment = None

    def _hear(self, event: Event) -> None:
        if event.name == self._written:
            self.generation = event.fields["generation"]
            self._worker.log("note", generation=self.generation)
            self._reached(Moment.WRITTEN)

    def _reached(self, moment: Moment) -> None:
        if moment is self._moment:
            self._moment = None
            self._worker.log("note", stopped=moment)
            self._stop()
            self._worker.log("note", stopped=None)


class _Clock(SystemClock):
    def __init__(self, on_nonce: Callable[[], None]) -> None:
        super().__init__()
        self._on_nonce = on_nonce

    def nonce(self) -> bytes:
        self._on_nonce()
        return super().nonce()
