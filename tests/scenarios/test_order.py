"""Numbers that operations were told, and the order in which these were called and ended."""

from __future__ import annotations

import itertools
import math

import pytest

from scenarios.history import Operation
from scenarios.order import Order


def operation(actor, begin, end=None):
    return Operation(
        id=begin,
        actor=actor,
        object="counter/c",
        op="add",
        args={},
        called=float(begin),
        begin=begin,
        ended=None if end is None else float(end),
        end=end,
    )


def order(*told):
    """Of (number, begin, end)."""
    return Order(
        "total",
        [(number, operation(f"w{place}", *times)) for place, (number, *times) in enumerate(told)],
    )


def test_numbers_in_the_order_of_time():
    right = order((1, 0, 1), (2, 2, 3), (3, 4, 5))
    assert ([*right.twice()], [*right.backwards()]) == ([], [])


def test_one_number_for_two():
    assert [*order((1, 0, 2), (1, 1, 3)).twice()] == ["total 1 was told twice: to w0, w1"]


def test_those_that_overlap_may_have_either_order():
    assert [*order((2, 0, 2), (1, 1, 3)).backwards()] == []


def test_a_smaller_number_after_a_larger_one_had_been_told():
    assert [*order((2, 0, 1), (1, 2, 3)).backwards()] == [
        "w1 was told total 1, and before it asked w0 had been told 2"
    ]


def test_the_highest_counts_and_not_the_last_to_end():
    assert [*order((5, 0, 2), (1, 1, 3), (4, 4, 5)).backwards()] == [
        "w2 was told total 4, and before it asked w0 had been told 5"
    ]


def test_one_that_was_never_told_precedes_nothing():
    assert [*order((2, 0, None), (1, 2, 3)).backwards()] == []


def test_the_missing_numbers():
    assert order((1, 0, 1), (4, 2, 3)).missing(5) == [2, 3, 5]


def most_explained(missing, floors):
    """How many numbers can be given to a floor below them, by trying all ways."""
    return max(
        sum(floor < number for number, floor in zip(missing, some, strict=False))
        for some in itertools.permutations([*floors, *[math.inf] * len(missing)], len(missing))
    )


# 1, 3 and 6 are told at the times 1, 3 and 6; an operation begun at t + 0.5 has the floor t.
@pytest.mark.parametrize("floors", [*itertools.combinations_with_replacement((0, 1, 3, 6), 3)])
@pytest.mark.parametrize("last", [1, 3, 6, 7])
def test_a_gap_needs_an_unsettled_operation_of_its_own_begun_early_enough(floors, last):
    told = [number for number in (1, 3, 6) if number <= last]
    begun = Order("total", [(n, operation("w1", 10 * n - 1, 10 * n)) for n in told])
    unsettled = [operation("w2", 10 * floor + 5) for floor in floors]
    known = [max((n for n in told if n <= floor), default=0) for floor in floors]
    unexplained = begun.unexplained(last, unsettled=unsettled)
    missing = begun.missing(last)
    assert {*unexplained} <= {*missing}
    assert len(missing) - len(unexplained) == most_explained(missing, known)
