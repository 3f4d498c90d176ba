"""Each acquisition has a token of its own, higher than those of all before it."""

from __future__ import annotations

from scenarios.checks.tokens import check_tokens
from tests.scenarios.checks.story import Story

X = "lease/x"


def found(story):
    return [(each.operations, each.tokens) for each in check_tokens(story.history)]


def test_rising_tokens_are_good():
    story = Story().do(1, X, "acquire", 1).do(2, X, "try_acquire", None, by="w2")
    assert found(story.do(3, X, "try_acquire", 5, by="w2")) == []


def test_a_falling_token_is_named_with_the_higher_one():
    story = Story().do(1, X, "acquire", 3).do(2, X, "acquire", 5).do(3, X, "acquire", 4, by="w2")
    assert found(story) == [((3, 2), (4, 5))]


def test_a_token_given_twice_is_named():
    story = Story().call(1, X, "acquire").call(2, X, "acquire", by="w2").end(1, 3).end(2, 3)
    assert found(story) == [((2, 1), (3, 3))]


def test_acquisitions_at_the_same_time_may_draw_in_either_order():
    story = Story().call(1, X, "acquire").do(2, X, "acquire", 8, by="w2").end(1, 7)
    assert found(story) == []


def test_a_belief_without_an_operation_counts_where_it_begins():
    assert found(Story().acquire(2).acquire(3, by="w2")) == []
    assert found(Story().acquire(2).acquire(1, by="w2")) == [((), (1, 2))]
    assert found(Story().acquire(2).acquire(2, by="w2")) == [((), (2, 2))]
    assert found(Story().do(1, X, "acquire", 4).acquire(4).acquire(3, by="w2")) == [((1,), (3, 4))]


def test_a_belief_with_its_operation_counts_once():
    story = Story().do(1, X, "acquire", 4).acquire(4, until=4.0)
    assert found(story.tell("w1", "renewed", object=X, token=4, at=5.0)) == []


def test_what_came_too_late_to_be_believed_does_not_count():
    assert found(Story().acquire(2).acquire(1, by="w2", until=2.0)) == []


def test_each_object_has_tokens_of_its_own():
    assert found(Story().acquire(2).acquire(1, of="lease/y")) == []
