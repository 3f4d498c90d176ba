"""What a run's history violates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from scenarios.checks.linearizability import check_linearizability
from scenarios.checks.violation import Violation
from scenarios.events import Event
from scenarios.history import History
from scenarios.simulation.interim import check_begun, check_held, check_numbers
from scenarios.simulation.programs.holding import PERMITS, SEMAPHORE
from scenarios.simulation.run import Outcome


def history_of(outcome: Outcome) -> History:
    """The run's history."""
    meta = {
        "format": 1,
        "source": "simulation",
        "seed": outcome.plan.seed,
        "permits": {SEMAPHORE: PERMITS},
    }
    events = [Event(actor, name, at, fields) for at, actor, name, fields in outcome.lines]
    return History([Event("", "meta", 0.0, meta), *events])


def violations(outcome: Outcome) -> Sequence[Violation]:
    """All that is wrong with a run."""
    found: list[Violation] = []
    if outcome.breakdown is not None:
        found.append(Violation(check="breakdown", object="run/run", text=outcome.breakdown, at=0.0))
    history = history_of(outcome)
    checks = (check_linearizability, check_held, check_begun, check_numbers)
    found.extend(chain.from_iterable(check(history) for check in checks))
    return found
