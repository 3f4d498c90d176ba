"""The evidence of a scenario about a lease, put in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from scenarios.journal import Event
from scenarios.leases.beliefs import Belief, beliefs_in
from scenarios.leases.calls import Call, calls_in
from scenarios.leases.ledger import PREFIX
from scenarios.scenario import Evidence


class Line(NamedTuple):
    """One line of a ledger: which task was done, by whom, under which token."""

    task: str
    worker: str
    token: int

    def __str__(self) -> str:
        return f"{self.task} by {self.worker} under token {self.token}"


@dataclass(frozen=True)
class Case:
    """What an audit asks of the evidence.

    Args:
        evidence: What was found.
        name: The lease, `kind/name`.
    """

    evidence: Evidence
    name: str

    @cached_property
    def beliefs(self) -> Sequence[Belief]:
        """Who believed when to hold the lease, in the order in which that began."""
        return beliefs_in(self.evidence.logs, name=self.name)

    @cached_property
    def calls(self) -> Sequence[Call]:
        """All operations, in the order in which they began."""
        return calls_in(self.evidence.logs)

    @cached_property
    def done(self) -> Sequence[Line]:
        """What was acknowledged to have been done and written down, in that order."""
        return [
            Line(event["task"], event.worker, event["token"])
            for event in sorted(self._events(), key=lambda event: event.at)
            if event.name == "done"
        ]

    @cached_property
    def ledgers(self) -> Mapping[str, Sequence[Line] | None]:
        """The lines of each ledger in the bucket; None for what is no ledger."""
        return {
            key: lines_of(value)
            for key, value in sorted(self.evidence.bucket.items())
            if key.startswith(PREFIX)
        }

    @cached_property
    def lines(self) -> Sequence[Line]:
        """The lines of all ledgers."""
        return [line for lines in self.ledgers.values() for line in lines or ()]

    @cached_property
    def maybe(self) -> Sequence[Line]:
        """What was to be written down by a write of which nobody knows whether it was applied."""
        return [
            line
            for call in self.calls
            if call.op == "write" and call.outcome in (None, "unknown")
            for line in lines_of(call.args.get("value")) or ()
        ]

    def belief_at(self, worker: str, at: float) -> Belief | None:
        """What a worker had acquired last before a moment."""
        before = [
            belief for belief in self.beliefs if belief.worker == worker and belief.begins <= at
        ]
        return before[-1] if before else None

    def _events(self) -> Sequence[Event]:
        return [event for events in self.evidence.logs.values() for event in events]


def lines_of(value: Any) -> Sequence[Line] | None:
    """The lines of a ledger as it is stored, plain or fenced; None if it is none."""
    if isinstance(value, dict):
        value = value.get("value")
    if not isinstance(value, list):
        return None
    if not all(isinstance(line, dict) and _is_line(line) for line in value):
        return None
    return [Line(line["task"], line["worker"], line["token"]) for line in value]


def _is_line(line: Mapping[str, Any]) -> bool:
    types = {"task": str, "worker": str, "token": int}
    return all(isinstance(line.get(name), kind) for name, kind in types.items())
