"""The evidence of a scenario about a lease, put in order."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from scenarios.history import History, Operation, merge
from scenarios.leases.beliefs import Belief, beliefs_in
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
    def history(self) -> History:
        """What all workers have logged."""
        return merge(self.evidence.logs.values())

    @cached_property
    def beliefs(self) -> Sequence[Belief]:
        """Who believed when to hold the lease, in the order in which that began."""
        return beliefs_in(self.history, name=self.name)

    @property
    def calls(self) -> Sequence[Operation]:
        """All operations, in the order in which they began."""
        return self.history.operations

    @cached_property
    def done(self) -> Mapping[str, Sequence[Line]]:
        """What was acknowledged to have been written down in which ledger, in that order."""
        writes = [call for call in self._writes if call.outcome == "returned"]
        done: defaultdict[str, list[Line]] = defaultdict(list)
        for write in sorted(writes, key=lambda write: write.ended or 0.0):
            ledger = write.object.rpartition("/")[2]
            done[ledger] += _lines_written(write)[-1:]
        return done

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
    def all_done(self) -> Sequence[Line]:
        """What was acknowledged, in all ledgers."""
        return [line for lines in self.done.values() for line in lines]

    @cached_property
    def maybe(self) -> Sequence[Line]:
        """What was to be written down by a write of which nobody knows whether it was applied."""
        open_writes = [call for call in self._writes if call.outcome == "unknown"]
        return [line for write in open_writes for line in _lines_written(write)]

    @property
    def _writes(self) -> Sequence[Operation]:
        return [call for call in self.calls if call.op == "write"]

    def belief_at(self, worker: str, at: float) -> Belief | None:
        """What a worker had acquired last before a moment."""
        before = [
            belief for belief in self.beliefs if belief.worker == worker and belief.begins <= at
        ]
        return before[-1] if before else None

    def before_it_acquires_again(self, worker: str, *, since: float) -> Sequence[Operation]:
        """What a worker was doing at a moment and did from then on, until its next tenure."""
        ends = (
            belief.begins
            for belief in self.beliefs
            if belief.worker == worker and belief.begins > since
        )
        until = min(ends, default=math.inf)
        return [
            call
            for call in self.calls
            if call.actor == worker
            and call.called < until
            and (call.ended is None or call.ended > since)
        ]


def _lines_written(write: Operation) -> Sequence[Line]:
    return lines_of(write.args.get("value")) or ()


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
