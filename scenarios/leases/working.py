"""Checks of the work that was done under the lease."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from scenarios.leases.case import Case, Line
from scenarios.scenario import Finding
from scenarios.words import listed, times


def check_work(case: Case) -> Finding:
    """Every task is done once, and the ledgers show just what was acknowledged."""
    bucket = case.evidence.bucket
    violations = [
        f"{key} lies under the run's prefix and is no ledger"
        for key in sorted(bucket)
        if case.ledgers.get(key) is None
    ]
    violations += _lost(case)
    violations += _not_once(case.evidence.tasks, case.lines, case=case)
    known = {*case.all_done, *case.maybe}
    violations += [
        f"the ledgers show {line}, which nobody wrote" for line in case.lines if line not in known
    ]
    for key, lines in case.ledgers.items():
        violations += [
            f"{key}: {after} stands after {before}"
            for before, after in pairwise(lines or ())
            if after.token < before.token
        ]
    counted = f"{len({line.task for line in case.lines})} of {len(case.evidence.tasks)}"
    return Finding("every task done once", counted, violations)


def _not_once(tasks: Sequence[str], lines: Iterable[Line], *, case: Case) -> Iterator[str]:
    written = _by_task(lines)
    done = _by_task(case.all_done)
    for task in tasks:
        if task not in written:
            yield f"{task} is in no ledger"
        for what, found in (("was done", done[task]), ("is written down", written[task])):
            if len(found) > 1:
                who = listed(f"by {line.worker} under token {line.token}" for line in found)
                yield f"{task} {what} {times(len(found))}: {who}"
    yield from (f"{task} is in a ledger and no task" for task in sorted({*written} - {*tasks}))


def _lost(case: Case) -> Iterator[str]:
    for ledger, done in case.done.items():
        missing = Counter(done) - Counter(case.ledgers.get(ledger) or ())
        yield from (f"{ledger} has lost {line}" for line in missing.elements())


def _by_task(lines: Iterable[Line]) -> defaultdict[str, list[Line]]:
    grouped: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        grouped[line.task].append(line)
    return grouped


def check_thawed(case: Case) -> Finding:
    """A holder that was frozen is told of its loss before it does anything more."""
    checked = "the frozen holder did no more"
    course = case.evidence.course
    if course.frozen is None or course.frozen_at is None or course.continued_at is None:
        return Finding(checked, "nobody was frozen and continued")
    worker = course.frozen.worker
    belief = case.belief_at(worker, course.frozen_at)
    if belief is None:
        return Finding(checked, "", [f"{worker} was frozen and had acquired nothing"])
    calls = case.before_it_acquires_again(worker, since=course.continued_at)
    checks = [call for call in calls if call.op == "check"]
    violations = []
    if not checks or checks[0].value is not False:
        violations.append(
            f"{worker} was not told, when it went on, that it had lost token {belief.token}"
        )
    violations += [
        f"{worker} went on and wrote {call.object} under token {belief.token}"
        for call in calls
        if call.op == "write"
    ]
    seconds = course.continued_at - course.frozen_at
    return Finding(checked, f"{worker}, frozen for {seconds:.1f} s", violations)
