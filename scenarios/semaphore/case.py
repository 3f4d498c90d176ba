"""The evidence of a semaphore run, put in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from persidict_sync.record import Record
from scenarios.disruptions import Struck
from scenarios.history import Operation, merge
from scenarios.journal import Event
from scenarios.leases.beliefs import Belief, beliefs_in
from scenarios.leases.crowds import Crowd, crowds
from scenarios.order import Order
from scenarios.scenario import Evidence
from scenarios.semaphore.terms import TARGET, permits_for
from scenarios.updates import Update, updates_in


@dataclass(frozen=True)
class Case:
    """What the audit asks of the evidence."""

    evidence: Evidence

    @property
    def permits(self) -> int:
        """How many permits there are."""
        return permits_for(len(self.evidence.logs))

    @cached_property
    def record(self) -> Record | None:
        """The semaphore's record in the end."""
        return self.evidence.records.get(f"coordination/{TARGET}")

    @cached_property
    def beliefs(self) -> Sequence[Belief]:
        """Who believed when to hold a permit, in the order in which that began."""
        return beliefs_in(merge(self.evidence.logs.values()), name=TARGET)

    @cached_property
    def crowds(self) -> Sequence[Crowd]:
        """Who held a permit together with each that began."""
        return [*crowds(self.beliefs)]

    @cached_property
    def acquisitions(self) -> Sequence[Update]:
        """Those that were told a token, with the tokens in the record just then."""
        return [
            update
            for update in self._operations
            if update.operation.op in ("acquire", "try_acquire")
            and update.operation.outcome == "returned"
        ]

    @cached_property
    def released(self) -> frozenset[int]:
        """The tokens whose release was acknowledged."""
        operations = (update.operation for update in self._operations)
        return frozenset(
            operation.args["token"]
            for operation in operations
            if operation.op == "release" and operation.value is True
        )

    @cached_property
    def order(self) -> Order:
        """The tokens, and the acquisitions that were told them."""
        return Order("token", [(_token(one.operation), one.operation) for one in self.acquisitions])

    @cached_property
    def begun(self) -> Sequence[Event]:
        """Where a worker had checked that it held a permit, and began a task."""
        return [event for event in self._events if "doing" in event.fields]

    @cached_property
    def done(self) -> Sequence[Event]:
        """Where a worker was told that a task's result is its own."""
        return [event for event in self._events if "done" in event.fields]

    def holding(self, worker: str, token: int) -> Belief | None:
        """A worker's belief under a token."""
        found = (one for one in self.beliefs if (one.worker, one.token) == (worker, token))
        return next(found, None)

    def seconds_until_back(self) -> Mapping[str, float | None]:
        """From each blow to the first acquisition that found the struck one's permit gone.

        None: there was none, or it was not struck inside a tenure.
        """
        course = self.evidence.course
        return {
            "kill": self._until_back(course.killed, at=course.killed_at),
            "freeze": self._until_back(course.frozen, at=course.frozen_at),
        }

    def _until_back(self, struck: Struck | None, *, at: float | None) -> float | None:
        if struck is None or at is None:
            return None
        held = [one for one in self.beliefs if one.worker == struck.worker and one.begins <= at]
        ends = (
            one.operation.ended
            for one in self.acquisitions
            if held and held[-1].token not in one.notes["tokens"]
        )
        return min((end - at for end in ends if end is not None and end > at), default=None)

    @cached_property
    def _operations(self) -> Sequence[Update]:
        return updates_in(self.evidence.logs)

    @cached_property
    def _events(self) -> Sequence[Event]:
        return [event for events in self.evidence.logs.values() for event in events]


def entry_of(value: Any) -> tuple[str, int] | None:
    """Who did a task under which token, by what the bucket holds; None if that is no result."""
    if not isinstance(value, dict):
        return None
    worker, token = value.get("worker"), value.get("token")
    return (worker, token) if isinstance(worker, str) and isinstance(token, int) else None


def _token(acquisition: Operation) -> int:
    token: int = acquisition.value
    return token
