"""What a run's history violates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from scenarios.checks.all import check_all
from scenarios.checks.violation import Violation
from scenarios.events import Event
from scenarios.history import FORMAT, History
from scenarios.simulation.draft import DRIFT
from scenarios.simulation.plan import Times
from scenarios.simulation.programs.holding import PERMITS, SEMAPHORE
from scenarios.simulation.run import Outcome

BREAKDOWN: Final = "breakdown"
"""The check that a run comes to its end, and that programs meet only errors that are documented."""


def history_of(outcome: Outcome, **options: Any) -> History:
    """The run's history; the options with which its seed was run go into its meta."""
    about = {
        **options,
        "format": FORMAT,
        "source": "simulation",
        "seed": outcome.plan.seed,
        "permits": {SEMAPHORE: PERMITS},
        "drift": DRIFT,
        "poll": _longest_poll(outcome.plan.times),
        "allowance": _allowance(outcome.plan.times),
    }
    events = [Event(actor, name, at, fields) for at, actor, name, fields in outcome.lines]
    return History([Event("", "meta", 0.0, about), *events])


def _longest_poll(times: Times) -> float:
    """Seconds between two looks of one who waits, and half of it at random."""
    return 1.5 * (min(1.0, times.ttl / 4) if times.poll is None else times.poll)


def _allowance(times: Times) -> float:
    """Seconds for a second poll, and for requests that conflict with others' renewals."""
    return _longest_poll(times) + 20 * times.latency


def violations(outcome: Outcome) -> Sequence[Violation]:
    """All that is wrong with a run."""
    found = list(check_all(history_of(outcome)).violations)
    if outcome.breakdown is not None:
        text = outcome.breakdown
        found.insert(0, Violation(check=BREAKDOWN, object="run/run", text=text, at=0.0))
    return found
