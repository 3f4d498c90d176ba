"""Each task of a heat has two workers at least."""

from __future__ import annotations

from collections import Counter

import pytest

from scenarios.shares import shares_of


def counts(size, workers, count):
    heat = [f"task-{number}" for number in range(size)]
    shares = [
        task
        for number in range(1, workers + 1)
        for task in shares_of(heat, worker=f"w{number}", count=count)
    ]
    assert {*shares} == {*heat}
    return Counter(shares).values()


@pytest.mark.parametrize("workers", [3, 4, 5, 8, 64])
def test_one_each_of_a_heat_of_half_as_many(workers):
    assert {*counts(max(1, workers // 2), workers, 1)} <= {2, 3}


@pytest.mark.parametrize("workers", [3, 4, 5, 8, 64])
def test_two_each_of_a_heat_of_as_many(workers):
    assert {*counts(workers, workers, 2)} == {2}


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_last_heat_may_be_smaller(size):
    assert min(counts(size, 8, 2)) >= 2


def test_nobody_has_a_task_twice():
    assert shares_of(["a"], worker="w1", count=2) == ["a"]


def test_the_order_of_a_walk_does_not_matter():
    walks = (["b", "a", "c"], ["c", "b", "a"])
    assert [shares_of(walk, worker="w4", count=2) for walk in walks] == [["b", "c"]] * 2
