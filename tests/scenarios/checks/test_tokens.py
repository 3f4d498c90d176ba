"""Each acquisition has a token of its own, higher than those of all before it."""

from __future__ import annotations

from scenarios.checks.tokens import check_tokens
from tests.scenarios.checks.story import Story

X = "lease/x"
S = "semaphore/s"


def found(story):
    return [(each.operations, each.tokens) for each in check_tokens(story.history)]


def test_rising_tokens_are_good():
    story = Story().do(1, X, "acquire", 1).do(2, X, "try_acquire", None, by="w2")
    assert found(story.do(3, X, "try_acquire", 5, by="w2")) == []


def test_a_falling_token_is_named_with_the_higher_one():
    story = Story().do(1, X, "acquire", 3).do(2, X, "acquire", 5).do(3, X, "acquire", 4, by="w2")
    assert found(story) == [((3, 2), (4, 5))]
    assert found(story.do(4, X, "acquire", 2)) == [((3, 2), (4, 5)), ((4, 2), (2, 5))]


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
    alone = Story().acquire(4, until=2.0).tell("w1", "renewed", object=X, token=4, at=3.0)
    assert found(alone) == []


def test_what_came_too_late_to_be_believed_does_not_count():
    assert found(Story().acquire(2).acquire(1, by="w2", until=2.0)) == []


def test_each_object_has_tokens_of_its_own():
    assert found(Story().acquire(2).acquire(1, of="lease/y")) == []


def test_of_what_many_may_hold_a_belief_alone_does_not_say_when_its_token_was_drawn():

    story = Story(permits={S: 2}).acquire(2, of=S, by="w2").acquire(1, of=S)
    assert found(story) == []
    assert found(story.acquire(2, of=S, by="w3")) == [((), (2, 2))]
    story = Story(permits={S: 2}).do(1, S, "acquire", 2, by="w2").do(2, S, "acquire", 1)
    assert found(story) == [((2, 1), (1, 2))]


def test_a_token_that_one_actor_was_given_twice_is_named():
    assert found(Story().acquire(4).release(4).acquire(4)) == [((), (4, 4))]
    story = Story().do(1, X, "acquire", 4).acquire(4).release(4).acquire(4)
    assert found(story) == [((1,), (4, 4))]


def test_what_others_call_acquire_is_not_held():
    assert found(Story().do(1, "pool/x", "acquire", 3).do(2, "pool/x", "acquire", 3)) == []
