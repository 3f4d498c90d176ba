"""A belief begins when something was acquired, and ends with whatever comes first."""

from __future__ import annotations

import math

import pytest

from scenarios.beliefs import beliefs_in
from tests.scenarios.checks.story import Story

X = "lease/x"


def belief(story):
    (found,) = beliefs_in(story.history)
    return found.begin.at, found.end.at, found.ended_by


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ({"name": "released", "object": X, "token": 7}, (1.0, 5.0, "released")),
        ({"name": "lost", "object": X, "token": 7, "reason": "stolen"}, (1.0, 5.0, "lost")),
        ({"name": "crashed"}, (1.0, 5.0, "crashed")),
        ({"name": "paused"}, (1.0, 9.0, "deadline")),
        ({"name": "released", "object": X, "token": 6}, (1.0, 9.0, "deadline")),
        ({"name": "released", "object": "lease/y", "token": 7}, (1.0, 9.0, "deadline")),
    ],
)
def test_what_ends_a_belief(end, expected):
    story = Story().acquire(7, until=9.0).tell("w1", at=5.0, **end)
    assert belief(story) == expected


def test_another_actors_end_ends_no_belief():
    story = Story().acquire(7, until=9.0).tell("w2", "crashed").release(7, by="w2")
    assert belief(story) == (1.0, 9.0, "deadline")


def test_an_operator_breaks_it():
    story = Story().acquire(7).tell("operator", "broken", object=X, token=7)
    assert belief(story) == (1.0, 2.0, "broken")
    assert belief(story.tell("w1", "renewed", object=X, token=7)) == (1.0, 2.0, "broken")


def test_the_call_of_release_ends_it():
    story = Story().acquire(7).call(1, X, "release", token=7).end(1, True).release(7)
    assert belief(story) == (1.0, 2.0, "released")


def test_renewing_moves_the_deadline():
    story = Story().acquire(7, until=3.0).tell("w1", "renewed", object=X, token=7, until=8.0)
    (found,) = beliefs_in(story.history)
    assert (found.begin.at, found.end.at, found.renewed) == (1.0, 8.0, 2.0)


def test_what_is_renewed_after_its_end_is_believed_again():
    story = Story().acquire(7, until=1.5).tell("w1", "renewed", object=X, token=7, until=4.0)
    one, other = beliefs_in(story.history)
    assert (one.begin.at, one.end.at) == (1.0, 1.5)
    assert (other.begin.at, other.end.at) == (2.0, 4.0)


def test_what_was_acquired_too_late_is_not_believed():
    assert beliefs_in(Story().acquire(7, until=1.0).history) == []


def test_what_remains_counts_from_the_event():
    assert belief(Story().acquire(7, remaining=2.5)) == (1.0, 3.5, "deadline")


def test_without_an_end_it_lasts():
    assert belief(Story().acquire(7)) == (1.0, math.inf, "")


def test_a_belief_names_the_operation_that_returned_its_token():
    story = Story().call("a", X, "try_acquire").end("a", 7).acquire(7, ttl=30)
    (found,) = beliefs_in(story.history)
    assert (found.acquired_by, found.ttl, found.actor, found.token) == ("a", 30, "w1", 7)


def test_an_order_that_failed_breaks_nothing():
    order = {"object": X, "token": 7}
    story = Story().acquire(7).tell("op", "broken", **order)
    story.call(1, X, "break", by="op", token=7).fail(1)
    assert belief(story) == (1.0, math.inf, "")
    story.tell("op", "broken", **order).call(2, X, "break", by="op", token=7).lose(2)
    assert belief(story) == (1.0, 5.0, "broken")
