"""The audit of fenced writers: from the bucket and the workers' logs to violations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from scenarios.fates import check_fates
from scenarios.leases.case import Case, Line
from scenarios.leases.figures import figures_of
from scenarios.leases.holding import check_exclusion, check_record, check_takeover, check_tokens
from scenarios.leases.working import check_work
from scenarios.scenario import Audit, Evidence, Finding
from scenarios.words import many

NAME: Final = "lease/writer"


def audit(evidence: Evidence) -> Audit:
    """Judge what was written under which token; a pure function of what was found."""
    case = Case(evidence, NAME)
    findings = [
        _check_refused(case),
        _check_order(case),
        _check_stored(case),
        check_work(case),
        check_exclusion(case),
        check_tokens(case),
        check_takeover(case),
        check_record(case),
        check_fates(evidence),
    ]
    refused = sum(call.error == "StaleTokenError" for call in case.calls)
    return Audit(findings, {**figures_of(case), "writes_refused": refused})


def _check_refused(case: Case) -> Finding:
    """Who was frozen right before its write is refused when it goes on and writes."""
    checked = "the thawed writer was refused"
    course = case.evidence.course
    if course.frozen is None or course.frozen_at is None or not course.was_continued:
        return Finding(checked, "nobody was frozen and continued")
    worker = course.frozen.worker
    write = next(
        (
            call
            for call in case.before_it_acquires_again(worker, since=course.frozen_at)
            if call.op == "write"
        ),
        None,
    )
    if write is None:
        return Finding(checked, "no write", [f"{worker} went on and did not try to write"])
    if write.error == "StaleTokenError":
        return Finding(checked, f"{worker}, under token {write.args.get('token')}")
    outcome = write.error or write.outcome
    text = f"{worker} went on and wrote {write.object}, which was to be refused as stale: {outcome}"
    return Finding(checked, outcome, [text])


def _check_order(case: Case) -> Finding:
    """In each ledger the tokens never fall in the order in which writes were applied."""
    violations = [
        f"{ledger}: {late} was applied after {before}"
        for ledger, done in case.done.items()
        for late, before in _late(done, shown=case.ledgers.get(ledger) or ())
    ]
    return Finding("no write after a later token's", many(len(case.all_done), "write"), violations)


def _late(done: Iterable[Line], *, shown: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """Writes acknowledged after one of a higher token, unless the ledger shows them before it."""
    places = {line: place for place, line in enumerate(shown)}
    highest: Line | None = None
    for line in done:
        if highest is None or line.token >= highest.token:
            highest = line
        elif places.get(line, len(shown)) > places.get(highest, -1):
            yield line, highest


def _check_stored(case: Case) -> Finding:
    """What is stored has the token of its last write, and was written once for each line."""
    violations = []
    for ledger, lines in case.ledgers.items():
        stored = case.evidence.bucket[ledger]
        if not lines or not isinstance(stored, dict):
            violations.append(f"{ledger} is stored without a token")
            continue
        highest = max(line.token for line in [*lines, *case.done.get(ledger, ())])
        if stored.get("token") != highest:
            violations.append(
                f"{ledger} is stored under token {stored.get('token')}, and {highest} has written"
            )
        if stored.get("generation") != len(lines):
            violations.append(
                f"{ledger} shows {many(len(lines), 'line')}, "
                f"and generation {stored.get('generation')}"
            )
    counted = f"{many(len(case.ledgers), 'ledger')}, {many(len(case.lines), 'line')}"
    return Finding("what is stored agrees", counted, violations)
