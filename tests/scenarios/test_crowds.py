"""Who held something at once."""

from __future__ import annotations

from scenarios.leases.beliefs import Belief
from scenarios.leases.crowds import crowds


def belief(worker, begins, ends):
    return Belief(worker, token=begins, begins=begins, ends=ends, is_lost=False)


def sizes(*beliefs):
    return [len(crowd.members) for crowd in crowds(beliefs)]


def test_one_after_the_other():
    assert sizes(belief("w1", 0, 5), belief("w2", 6, 9)) == [1, 1]


def test_one_that_begins_as_another_ends():
    assert sizes(belief("w1", 0, 5), belief("w2", 5, 9)) == [1, 1]


def test_two_and_then_three_at_once():
    beliefs = [belief("w1", 0, 10), belief("w3", 7, 8), belief("w2", 5, 12), belief("w4", 11, 20)]
    found = [*crowds(beliefs)]
    assert [[one.worker for one in crowd.members] for crowd in found] == [
        ["w1"],
        ["w1", "w2"],
        ["w1", "w2", "w3"],
        ["w2", "w4"],
    ]
    assert [crowd.seconds for crowd in found] == [10, 5, 1, 1]
    assert str(found[3]) == "2 at once for 1.000 s: w2 under token 5, w4 under token 11"


def test_one_that_was_over_when_it_began_holds_nothing():
    assert sizes(belief("w1", 0, 10), belief("w2", 5, 5)) == [1]


def test_two_of_one_worker_are_two():
    assert sizes(belief("w1", 0, 10), belief("w1", 1, 10)) == [1, 2]
