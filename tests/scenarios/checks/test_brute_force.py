"""The linearizability checker says of thousands of small histories what trying every order says."""

from __future__ import annotations

import random

import pytest

from scenarios.checks.linearizability import check_linearizability
from tests.scenarios.checks.random_histories import random_history
from tests.scenarios.checks.reference import KINDS, is_linearizable

HISTORIES = 2_000
LEAST_SHARE = 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_the_checker_agrees_with_brute_force(kind, record_property):
    convicted = unknown = 0
    for seed in range(HISTORIES):
        history = random_history(random.Random(f"{kind} {seed}"), kind, size=6)
        is_good = is_linearizable(history.operations)
        assert (check_linearizability(history) == []) is is_good, f"seed {seed}: {history.events}"
        convicted += not is_good
        unknown += any(each.outcome == "unknown" for each in history.operations)
    record_property("share not linearizable", convicted / HISTORIES)
    assert convicted >= LEAST_SHARE * HISTORIES, "few that are not linearizable prove little"
    assert unknown >= HISTORIES / 4
