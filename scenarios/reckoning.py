"""The updates of one record held against what it came to: none lost, none twice, in one order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scenarios.checks.linearizability import check_linearizability
from scenarios.history import merge
from scenarios.order import Order
from scenarios.scenario import Evidence, Finding
from scenarios.updates import Update
from scenarios.words import many


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """Updates that each take the next number of their record, as far as they are applied.

    Args:
        updates: All that were asked for.
        last: The number that the record has come to.
        number_of: The number that an acknowledged update was told.
        word: What the number is called.
        noun: What an update is called, in the plural.
    """

    updates: Sequence[Update]
    last: int
    number_of: Callable[[Update], int]
    word: str
    noun: str

    @cached_property
    def acknowledged(self) -> Sequence[Update]:
        """Those whose callers were told that they were applied."""
        return [update for update in self.updates if update.is_acknowledged]

    @cached_property
    def untold(self) -> Sequence[Update]:
        """Those that were applied, and whose workers were killed before they were told."""
        return [update for update in self.updates if update.is_untold]

    @cached_property
    def open(self) -> Sequence[Update]:
        """Those of which nobody can say whether they were applied."""
        return [update for update in self.updates if update.is_open]

    @property
    def open_applied(self) -> int:
        """How many of the open ones were applied: what the record holds beyond the others."""
        return self.last - len(self.acknowledged) - len(self.untold)

    @cached_property
    def order(self) -> Order:
        """The order of those whose numbers are known; each is one write of the record."""
        told = [(self.number_of(update), update.operation) for update in self.acknowledged]
        known = [(update.generation or 0, update.operation) for update in self.untold]
        return Order(self.word, [*told, *known])

    def figures(self) -> Mapping[str, Any]:
        """Counts for the JSON object."""
        return {
            self.noun: len(self.updates),
            "acknowledged": len(self.acknowledged),
            self.word: self.last,
            "applied_untold": len(self.untold),
            "unknown": len(self.open),
            "unknown_applied": self.open_applied,
            "failed": sum(update.operation.outcome == "failed" for update in self.updates),
        }

    def check_applied_once(self) -> Finding:
        """The record holds the acknowledged, those killed after the write, and unknown ones."""
        known, beyond = len(self.acknowledged) + len(self.untold), self.open_applied
        violations = [
            f"{update.actor} was told that one of its {self.noun} failed, and it was written as "
            f"generation {update.generation}"
            for update in self.updates
            if update.operation.outcome == "failed" and update.generation is not None
        ]
        if beyond < 0:
            violations.append(
                f"{-beyond} of {known} {self.noun} are lost: {self.word} {self.last} at the end"
            )
        if beyond > len(self.open):
            violations.append(
                f"{self.word} {self.last} at the end, and at most {known + len(self.open)} "
                f"{self.noun} can have been applied"
            )
        counted = f"{self.word} {self.last}; {len(self.acknowledged)} acknowledged"
        counted += f", {len(self.untold)} killed after the write"
        counted += f", {max(0, beyond)} of {len(self.open)} unknown"
        return Finding(f"all {self.noun} applied exactly once", counted, violations)

    def check_told_once(self) -> Finding:
        """No two were told the same number, and none one that the record never had."""
        violations = [*self.order.twice()]
        violations += [
            f"{operation.actor} was told {self.word} {number}, and it only came to {self.last}"
            for number, operation in self.order.told
            if not 1 <= number <= self.last
        ]
        return Finding(f"no {self.word} told twice", f"{len(self.order.told)} told", violations)

    def check_order(self) -> Finding:
        """What had ended before another began has the smaller number; gaps are accounted for."""
        gaps = self.order.missing(self.last)
        unexplained = self.order.unexplained(
            self.last, unsettled=[update.operation for update in self.open]
        )
        violations = [*self.order.backwards()]
        if unexplained:
            numbers = ", ".join(map(str, unexplained))
            violations.append(
                f"{self.word} {numbers}: told nobody, and no unknown one can have made it"
            )
        return Finding(f"one order of all {self.noun}", f"{len(gaps)} told nobody", violations)


def check_linearizable(evidence: Evidence) -> Finding:
    """Some order of all operations, each within its time, explains all answers.

    It knows nothing of the record: a second opinion, by other means, on what workers were told.
    """
    history = merge(evidence.logs.values())
    violations = [violation.text for violation in check_linearizability(history)]
    return Finding("linearizable", many(len(history.operations), "operation"), violations)


def check_all_done(evidence: Evidence, *, updates: Sequence[Update]) -> Finding:
    """Every task was done, or may have been; none but the killed worker left any of its own."""
    killed = evidence.course.killed
    done = {update.task for update in updates if update.is_acknowledged}
    doubtful = {update.task for update in updates if update.is_untold or update.is_open}
    asked: dict[str, set[str | None]] = {worker: set() for worker in evidence.logs}
    for update in updates:
        asked[update.actor].add(update.task)
    most = max(map(len, asked.values()), default=0)
    violations = [
        f"{task} was done by nobody" for task in evidence.tasks if task not in done | doubtful
    ]
    violations += [
        f"{worker} took part in {many(len(tasks), 'heat')}, and others in {most}"
        for worker, tasks in asked.items()
        if len(tasks) != most and (killed is None or killed.worker != worker)
    ]
    counted = f"{len(done & {*evidence.tasks})} of {len(evidence.tasks)} in {many(most, 'heat')}"
    return Finding("every task done", counted, violations)
