"""Each task of a heat has two workers at least, and each worker one task."""

from __future__ import annotations

from collections import Counter

import pytest

from scenarios.shares import share_of


@pytest.mark.parametrize("workers", [3, 4, 5, 8, 64])
def test_no_task_is_anybodys_alone(workers):
    heat = [f"task-{number}" for number in range(max(1, workers // 2))]
    shares = Counter(share_of(heat, worker=f"w{number}") for number in range(1, workers + 1))
    assert {*shares} == {*heat}
    assert {*shares.values()} <= {2, 3}


def test_the_order_of_a_walk_does_not_matter():
    assert share_of(["b", "a", "c"], worker="w4") == share_of(["c", "b", "a"], worker="w4") == "b"
