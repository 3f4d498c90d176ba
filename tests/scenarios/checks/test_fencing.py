"""Once a successor's write is accepted, no older one is."""

from __future__ import annotations

from scenarios.checks.fencing import check_fencing
from tests.scenarios.checks.story import Story

KEY = "fenced/d/k"


def write(story, identity, token, *, by="w1"):
    return story.call(identity, KEY, "write", by=by, token=token, value=identity)


def found(story):
    return [each.operations for each in check_fencing(story.history)]


def test_an_older_write_that_is_accepted_after_a_newer_one_is_named():
    story = write(write(Story(), 1, 2).end(1, True), 2, 3, by="w2").end(2, True)
    assert found(story) == []
    write(story, 3, 2).end(3, True)
    assert found(story) == [(3, 2)]
    (violation,) = check_fencing(story.history)
    assert violation.tokens == (2, 3)
    assert "w1's write under token 2 was accepted after w2's under token 3" in violation.text


def test_each_older_write_is_held_against_the_newest():
    story = write(Story(), 1, 5).end(1, True)
    write(write(story, 2, 3).end(2, True), 3, 4).end(3, True)
    assert found(story) == [(2, 1), (3, 1)]


def test_one_token_writes_again_and_again():
    story = write(Story(), 1, 2).end(1, True)
    assert found(write(story, 2, 2).end(2, True)) == []


def test_a_refused_or_unknown_older_write_is_good():
    story = write(Story(), 1, 3).end(1, True)
    write(story, 2, 2).fail(2, "StaleTokenError")
    assert found(write(story, 3, 2).lose(3)) == []


def test_a_newer_write_that_was_not_acknowledged_fences_nothing():
    story = write(Story(), 1, 3).lose(1)
    write(story, 2, 3).fail(2)
    assert found(write(story, 3, 2).end(3, True)) == []


def test_writes_at_the_same_time_may_be_accepted_in_either_order():
    story = write(write(Story(), 1, 2), 2, 3, by="w2").end(2, True).end(1, True)
    assert found(story) == []


def test_each_key_has_its_own_fence():
    story = write(Story(), 1, 3).end(1, True)
    assert found(story.do(2, "fenced/d/other", "write", True, token=2, value=0)) == []
