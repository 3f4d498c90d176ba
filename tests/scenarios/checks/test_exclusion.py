"""Never do more believe to hold something than may."""

from __future__ import annotations

import pytest

from scenarios.checks.exclusion import check_mutual_exclusion, check_permit_bound
from tests.scenarios.checks.story import Story

X = "lease/x"
S = "semaphore/s"


def found(story):
    return check_mutual_exclusion(story.history)


def test_one_after_the_other_is_good():
    story = Story().acquire(1).release(1).acquire(2, by="w2").release(2, by="w2").acquire(3)
    assert found(story) == []


def test_two_at_once_are_named():
    story = Story().do("a", X, "try_acquire", 1).acquire(1)
    story.do("b", X, "try_acquire", 2, by="w2").acquire(2, by="w2").release(1)
    (violation,) = found(story)
    assert violation.check == "mutual exclusion"
    assert violation.object == X
    assert violation.operations == ("b", "a")
    assert violation.tokens == (2, 1)
    assert violation.at == 6.0
    assert "at most 1 may hold it, and 2 believed to, for 1.000 s: w1 under" in violation.text


def test_a_frozen_holder_believes_until_its_deadline_and_no_longer():
    story = Story().acquire(1, until=5.0).tell("w1", "paused")
    assert found(story.acquire(2, by="w2", at=5.0)) == []
    story = Story().acquire(1, until=5.0).tell("w1", "paused").acquire(2, by="w2", at=4.9)
    (violation,) = found(story)
    assert violation.tokens == (2, 1)


def test_a_dead_holder_believes_nothing():
    assert found(Story().acquire(1).tell("w1", "crashed").acquire(2, by="w2")) == []


def test_at_the_same_time_the_order_of_events_decides():
    assert found(Story().acquire(1).release(1, at=2.0).acquire(2, by="w2", at=2.0)) == []
    assert found(Story().acquire(1).acquire(2, by="w2", at=2.0).release(1, at=2.0)) != []


def test_what_was_renewed_after_a_takeover_is_two_at_once():
    story = Story().acquire(1, until=2.0).acquire(2, by="w2", at=3.0)
    story.tell("w1", "renewed", object=X, token=1, until=9.0)
    (violation,) = found(story)
    assert violation.tokens == (1, 2)


def test_two_threads_of_one_actor_are_two():
    assert found(Story().acquire(1).acquire(2)) != []


def test_different_things_are_held_by_different_actors():
    assert found(Story().acquire(1).acquire(1, by="w2", of="lease/y")) == []


def test_a_check_passes_no_more_once_a_successor_has_acquired():
    story = Story().acquire(1, until=2.0).acquire(2, by="w2", at=3.0)
    story.do("c", X, "check", False, token=1)
    assert found(story) == []
    story = Story().acquire(1, until=2.0).do("b", X, "acquire", 2, by="w2").acquire(2, by="w2")
    story.release(2, by="w2").do("c", X, "check", True, token=1)
    (violation,) = found(story)
    assert violation.operations == ("c", "b")
    assert violation.tokens == (1, 2)


def test_a_check_that_began_before_may_pass():
    story = Story().acquire(1, until=2.0).call("c", X, "check", token=1)
    assert found(story.acquire(2, by="w2", at=3.0).end("c", True)) == []


def test_whom_an_operator_has_broken_may_still_believe():
    story = Story().acquire(1).tell("operator", "broken", object=X, token=1).acquire(2, by="w2")
    assert found(story.do("c", X, "check", True, token=1)) == []


def permits(story):
    return check_permit_bound(story.history)


def test_as_many_as_there_are_permits():
    story = Story(permits={S: 2}).acquire(1, of=S).acquire(2, by="w2", of=S)
    assert permits(story) == []
    (violation,) = permits(story.acquire(3, by="w3", of=S))
    assert violation.check == "permit bound"
    assert violation.tokens == (3, 2, 1)
    assert "at most 2 may hold it, and 3 believed to, from then on: " in violation.text


def test_a_holder_of_a_permit_may_check_it_after_another_has_acquired_one():
    story = Story(permits={S: 2}).acquire(1, of=S).acquire(2, by="w2", of=S)
    assert found(story.do("c", S, "check", True, token=1)) == []


def test_a_permit_given_back_is_taken_by_another():
    story = Story(permits={S: 2}).acquire(1, of=S).acquire(2, by="w2", of=S)
    assert permits(story.release(1, of=S).acquire(3, by="w3", of=S)) == []


@pytest.mark.parametrize("where", ["event", "call"])
def test_permits_may_be_stated_where_they_are_acquired(where):
    story = Story()
    for token in (1, 2, 3):
        args, fields = ({}, {"permits": 2}) if where == "event" else ({"permits": 2}, {})
        story.do(token, S, "acquire", token, **args).acquire(token, of=S, **fields)
    assert len(permits(story)) == 1


@pytest.mark.parametrize(
    "story",
    [
        Story().acquire(1, of=S),
        Story(permits={S: 2}).acquire(1, of=S, permits=3),
    ],
)
def test_permits_must_be_known(story):
    with pytest.raises(ValueError, match=r"semaphore/s: its permits are stated as"):
        permits(story)


def test_each_check_judges_its_own_things():
    story = Story(permits={S: 2}).acquire(1, of=S).acquire(2, of=S).acquire(3, of=S)
    story.acquire(1).acquire(2)
    assert {each.object for each in found(story)} == {X}
    assert {each.object for each in permits(story)} == {S}


def test_permits_are_known_of_what_was_only_renewed():
    story = Story(permits={S: 2}).tell("w1", "renewed", object=S, token=1)
    story.tell("w2", "renewed", object=S, token=2)
    assert (found(story), permits(story)) == ([], [])
    assert len(permits(story.acquire(3, of=S))) == 1


def test_what_is_believed_again_after_a_successor_has_gone_is_named():
    story = Story().do("a", X, "acquire", 1).acquire(1, until=4.0)
    story.do("b", X, "acquire", 2, by="w2").acquire(2, by="w2").release(2, by="w2")
    assert found(story) == []
    (violation,) = found(story.tell("w1", "renewed", object=X, token=1))
    assert violation.operations == ("a", "b")
    assert violation.tokens == (1, 2)
    assert "w1 believed again that it holds it under token 1, after w2 had" in violation.text


def test_what_is_believed_again_before_anybody_else_is_good():
    story = Story().acquire(1, until=2.0).tell("w1", "renewed", object=X, token=1, at=3.0)
    assert found(story.release(1).acquire(2, by="w2")) == []


def test_an_order_excuses_only_checks_that_ended_after_it():
    story = Story().acquire(1, until=2.0).acquire(2, by="w2", at=3.0)
    story.do("c", X, "check", True, token=1)
    assert [each.operations for each in found(story)] == [("c",)]
    assert len(found(story.tell("op", "broken", object=X, token=1))) == 1
    excused = Story().acquire(1, until=2.0).tell("op", "broken", object=X, token=1)
    excused.acquire(2, by="w2", at=3.0).do("c", X, "check", True, token=1)
    assert found(excused) == []


@pytest.mark.parametrize(("ending", "expected"), [("fail", 1), ("lose", 0), ("end", 0)])
def test_an_order_that_failed_excuses_nothing(ending, expected):
    story = Story().acquire(1).tell("op", "broken", object=X, token=1)
    getattr(story.call("b", X, "break", by="op", token=1), ending)("b")
    assert len(found(story.acquire(2, by="w2"))) == expected
