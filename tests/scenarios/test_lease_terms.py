"""How much work a heat and a turn have, and that the times of the leases fit together."""

from __future__ import annotations

import pytest

from scenarios.leases.terms import LATEST_TAKEOVER, TERMS, about_takeover, heat_size, turn_size
from scenarios.options import Options


@pytest.mark.parametrize(
    ("workers", "tasks", "size"),
    [(8, 200, 25), (3, 4, 1), (3, 12, 3), (3, 30, 7), (64, 65, 16), (8, 100_000, 25)],
)
def test_heats_are_small_and_at_least_four(workers, tasks, size):
    options = Options(workers=workers, tasks=tasks)
    assert heat_size(options) == size
    assert tasks / size >= 4


@pytest.mark.parametrize(("tasks", "share"), [(25, 7), (16, 4), (3, 1), (1, 1)])
def test_a_heat_takes_several_turns(tasks, share):
    assert turn_size(tasks) == share


def test_a_takeover_has_its_reasons_beside_it():
    assert pytest.approx(2.75 + 0.15 + 1.5) == LATEST_TAKEOVER
    assert about_takeover() == "4.40 s (ttl 2.5 s * 1.1, poll 0.15 s, 1.5 s for scheduling)"
    assert TERMS.tenure < TERMS.patience(TERMS.ttl)
