"""The audit of a counter race: from the record and the workers' logs to violations."""

from __future__ import annotations

from scenarios.counter_race.work import NAME
from scenarios.fates import check_fates
from scenarios.reckoning import Reckoning, check_all_done, check_linearizable
from scenarios.scenario import Audit, Evidence, Finding
from scenarios.updates import Update, updates_in
from scenarios.words import many, times


def audit(evidence: Evidence) -> Audit:
    """Judge a counter race; a pure function of what was found."""
    record = evidence.records.get(f"coordination/counter/{NAME}")
    total = record.body["total"] if record else 0
    generation = record.generation if record else 0
    updates = updates_in(evidence.logs)
    reckoning = Reckoning(
        updates=updates, last=total, number_of=_total_of, word="total", noun="adds"
    )
    findings = [
        reckoning.check_applied_once(),
        reckoning.check_told_once(),
        reckoning.check_order(),
        _check_writes(reckoning, generation=generation),
        check_linearizable(evidence),
        check_all_done(evidence, updates=updates),
        check_fates(evidence),
    ]
    return Audit(findings, {**reckoning.figures(), "generation": generation})


def _total_of(add: Update) -> int:
    total: int = add.operation.value
    return total


def _check_writes(reckoning: Reckoning, *, generation: int) -> Finding:
    """Nobody but the adds writes the record, and each adds one."""
    violations = []
    if generation != reckoning.last:
        violations.append(
            f"the record was written {times(generation)}, and its total is {reckoning.last}"
        )
    others = [add for add in reckoning.acknowledged if add.generation != add.operation.value]
    if others:
        first = others[0]
        violations.append(
            f"a total other than the generation made was told to {many(len(others), 'add')}; the "
            f"first, by {first.actor}: total {first.operation.value}, generation {first.generation}"
        )
    return Finding("one write for each add", f"generation {generation}", violations)
