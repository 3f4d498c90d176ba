"""The audit of an election: from the bucket and the workers' logs to violations.

A term is a tenure of the lease that the election is; its number is the token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from scenarios.fates import check_fates
from scenarios.journal import Event
from scenarios.leases.case import Case
from scenarios.leases.figures import figures_of
from scenarios.leases.holding import check_exclusion, check_record, check_takeover, check_tokens
from scenarios.leases.working import check_thawed, check_work
from scenarios.scenario import Audit, Evidence, Finding
from scenarios.words import many, times

NAME: Final = "election/leader"


def audit(evidence: Evidence) -> Audit:
    """Judge who led, who was told so, and what was decided; a pure function of what was found."""
    case = Case(evidence, NAME)
    observed = _observed(evidence)
    findings = [
        check_exclusion(case),
        check_tokens(case),
        _check_announced(case),
        _check_observed(case, observed),
        check_takeover(case),
        check_thawed(case),
        check_record(case),
        check_work(case),
        check_fates(evidence),
    ]
    seen = sum(len(events) for events in observed.values())
    return Audit(findings, {**figures_of(case), "terms_observed": seen})


def _observed(evidence: Evidence) -> Mapping[str, Sequence[Event]]:
    return {
        worker: [
            event
            for event in events
            if event.name == "observed" and event.fields.get("object") == NAME
        ]
        for worker, events in evidence.logs.items()
    }


def _check_announced(case: Case) -> Finding:
    """Who leads and asks who leads is told of itself, as long as it leads."""
    own = {(belief.worker, belief.token): belief for belief in case.beliefs}
    asked, violations = 0, []
    for call in case.calls:
        belief = own.get((call.actor, call.args.get("token", 0)))
        if call.op != "leader" or belief is None or call.ended is None or call.ended > belief.ends:
            continue
        asked += 1
        if call.value != belief.data:
            violations.append(
                f"{call.actor} led term {belief.token} as {belief.data!r}, and the leader was "
                f"{call.value!r}"
            )
    return Finding("a term's value is its winner's", f"asked {times(asked)}", violations)


def _check_observed(case: Case, observed: Mapping[str, Sequence[Event]]) -> Finding:
    """Every observer is told of terms in their order, and of no leader that nobody was."""
    terms = {belief.data: belief.token for belief in case.beliefs}
    violations = [
        text
        for worker, events in observed.items()
        for text in _out_of_order(worker, [event["value"] for event in events], terms=terms)
    ]
    violations += [
        f"{worker} was never told of a leader"
        for worker, events in case.evidence.logs.items()
        if not observed[worker] and any(event.name == "finished" for event in events)
    ]
    values = [event["value"] for events in observed.values() for event in events]
    counted = f"told {times(len(values))}, of {many(len({*values}), 'term')}"
    return Finding("observers saw terms in order", counted, violations)


def _out_of_order(worker: str, values: Sequence[Any], *, terms: Mapping[Any, int]) -> Iterator[str]:
    last = 0
    for value in values:
        term = terms.get(value)
        if term is None:
            yield f"{worker} was told of a leader that nobody was: {value!r}"
            continue
        if term <= last:
            yield f"{worker} was told of term {term} after term {last}"
        last = max(last, term)
