"""The audit of a claim race: from the bucket and the workers' logs to violations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from scenarios.claim_race.attempts import Attempt, attempts_in, by_task, contested
from scenarios.fates import check_fates
from scenarios.scenario import Audit, Evidence, Finding
from scenarios.words import listed, many, times

_UNKNOWN: Final = (
    "unknown: the answer was lost, and a plain item does not tell whose it was before; "
    "Coordinator.claims can tell"
)


@dataclass(frozen=True)
class _Case:
    """The evidence, put in order."""

    evidence: Evidence

    @cached_property
    def attempts(self) -> Sequence[Attempt]:
        return attempts_in(self.evidence.logs)

    @cached_property
    def by_task(self) -> Mapping[str, Sequence[Attempt]]:
        return by_task(self.attempts)

    @cached_property
    def claim_of(self) -> Mapping[str, str]:
        """Task and the id of its claim, for each well-formed claim in the bucket."""
        return {
            task: value["claim"] for task, value in self.evidence.bucket.items() if _is_claim(value)
        }

    @cached_property
    def holders(self) -> Mapping[str, Attempt]:
        """Task and the attempt whose claim is in the bucket."""
        return {
            attempt.task: attempt
            for attempt in self.attempts
            if self.claim_of.get(attempt.task) == attempt.claim
        }

    @cached_property
    def orphaned(self) -> Sequence[str]:
        """Tasks whose claim is held by a worker that was killed before it was done."""
        killed = self.evidence.course.killed
        return sorted(
            task
            for task, holder in self.holders.items()
            if killed is not None and holder.worker == killed.worker and not holder.is_done
        )

    def at(self, task: str) -> Sequence[Attempt]:
        """The attempts at a task."""
        return self.by_task.get(task, ())


def audit(evidence: Evidence) -> Audit:
    """Judge a claim race; a pure function of what was found."""
    case = _Case(evidence)
    findings = [
        _run_once(case),
        _claimed_once(case),
        _none_believed_lost(case),
        _unknown_not_started(case),
        _orphans_listed(case),
        check_fates(evidence),
    ]
    claimed = sum(task in case.claim_of for task in evidence.tasks)
    unknown = [attempt for attempt in case.attempts if attempt.outcome == "unknown"]
    figures = {
        "claimed": claimed,
        "contested": len(contested(case.attempts)),
        "orphaned": case.orphaned,
        "attempts": len(case.attempts),
        "unknown": len(unknown),
        "unknown_applied": sum(_is_holder(attempt, case=case) for attempt in unknown),
    }
    return Audit(findings, figures)


def _run_once(case: _Case) -> Finding:
    violations = []
    for task, attempts in sorted(case.by_task.items()):
        runs = [attempt.worker for attempt in attempts for _ in range(attempt.runs)]
        if len(runs) > 1:
            violations.append(f"{task} was run {times(len(runs))}: by {listed(runs)}")
        violations += [
            f"{task} was run by {attempt.worker}, which had not won it ({attempt.outcome})"
            for attempt in attempts
            if attempt.runs and attempt.outcome not in ("won", "unknown")
        ]
    ran = sum(any(attempt.runs for attempt in attempts) for attempts in case.by_task.values())
    return Finding("no task run by two", f"{many(ran, 'task')} run", violations)


def _claimed_once(case: _Case) -> Finding:
    tasks, bucket = case.evidence.tasks, case.evidence.bucket
    violations = [f"{task} was never claimed" for task in tasks if task not in bucket]
    violations += [
        f"{key} lies under the run's prefix and is no task" for key in sorted({*bucket} - {*tasks})
    ]
    for task in tasks:
        winners = [attempt for attempt in case.at(task) if attempt.outcome == "won"]
        if len(winners) > 1:
            names = listed([winner.worker for winner in winners])
            violations.append(f"{task} was claimed {times(len(winners))}: by {names}")
        if task in bucket:
            violations += _bucket_disagrees(case, task, winners=winners)
    claimed = sum(task in case.claim_of for task in tasks)
    counted = f"{claimed} of {len(tasks)}, {len(contested(case.attempts))} of them contested"
    return Finding("every task claimed once", counted, violations)


def _bucket_disagrees(case: _Case, task: str, *, winners: Sequence[Attempt]) -> Iterable[str]:
    if task not in case.claim_of:
        yield f"{task}: what the bucket holds is no claim"
        return
    holder = case.holders.get(task)
    if holder is None:
        yield f"{task}: the bucket holds a claim that no worker has made"
    for winner in winners:
        if holder is not None and winner is not holder:
            yield f"{task}: {winner.worker} won it, but the bucket holds {holder.worker}'s claim"


def _none_believed_lost(case: _Case) -> Finding:
    lost = [attempt for attempt in case.attempts if attempt.outcome == "lost"]
    violations = [
        f"{attempt.task}: {attempt.worker} was told that it lost, but the bucket holds its claim"
        for attempt in lost
        if _is_holder(attempt, case=case)
    ]
    violations += [
        f"{attempt.task}: {attempt.worker} lost to a claim that is not the one in the bucket"
        for attempt in lost
        if attempt.seen is not None and attempt.seen != case.claim_of.get(attempt.task)
    ]
    return Finding("no claim lost to its own claimer", many(len(lost), "refusal"), violations)


def _unknown_not_started(case: _Case) -> Finding:
    unknown = [attempt for attempt in case.attempts if attempt.outcome == "unknown"]
    violations = [
        f"{attempt.task} was run by {attempt.worker}, whose claim's outcome was unknown"
        for attempt in unknown
        if attempt.runs
    ]
    applied = sum(_is_holder(attempt, case=case) for attempt in unknown)
    counted = f"{len(unknown)} unknown, {applied} of them in the bucket"
    return Finding("unknown means not started", counted, violations, _UNKNOWN if unknown else "")


def _orphans_listed(case: _Case) -> Finding:
    killed = case.evidence.course.killed
    violations = []
    if killed is not None and killed.task not in case.orphaned:
        violations.append(
            f"{killed.task}: {killed.worker} was killed inside it, but the bucket does not show "
            "it as that worker's unfinished claim"
        )
    for attempt in case.attempts:
        if killed is not None and attempt.worker == killed.worker:
            continue
        if attempt.outcome is None:
            violations.append(f"{attempt.task}: {attempt.worker} never learned how it had ended")
        elif attempt.outcome == "won" and not attempt.is_done:
            violations.append(f"{attempt.task}: {attempt.worker} won it and never finished it")
    counted = ", ".join(case.orphaned) or "none"
    return Finding("orphaned: the killed worker's task", counted, violations)


def _is_holder(attempt: Attempt, *, case: _Case) -> bool:
    return case.holders.get(attempt.task) is attempt


def _is_claim(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("claim"), str)
