"""Each planted bug is found by the checkers, within 200 seeds."""

from __future__ import annotations

import pytest

from scenarios.simulation.bugs import BUGS
from scenarios.simulation.judge import BREAKDOWN
from scenarios.simulation.sweep import Terms, sweep

MOST_SEEDS = 200


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_found(bug, record_property):
    terms = Terms(bug=bug, is_vigil=BUGS[bug].takes_hours)
    for number, verdict in enumerate(sweep(range(MOST_SEEDS), terms=terms), start=1):
        # That a buggy program breaks down would convict it, too, but not by its history.
        if any(violation.check != BREAKDOWN for violation in verdict.violations):
            record_property("seeds", number)
            return
    pytest.fail(f"not found in {MOST_SEEDS} seeds")
