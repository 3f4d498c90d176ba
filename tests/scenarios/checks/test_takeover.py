"""What nobody holds any more goes to one who waits for it, in time."""

from __future__ import annotations

import math

import pytest

from scenarios.checks.takeover import check_takeover, takeovers
from tests.scenarios.checks.story import Story

X = "lease/x"
S = "semaphore/s"
ALLOWED = 14.0
"""ttl 10 * (1 + 2 * 0.05) + poll 1.35 = 12.35; / 0.95 = 13; + 1 of allowance."""


def died(at=5.0, **about):
    """A lease of 10 s whose holder dies, and one who waits for it."""
    story = Story(drift=0.05, poll=1.35, **about).acquire(1, ttl=10.0, until=12.0, at=1.0)
    return story.call("wait", X, "acquire", by="w2", at=2.0).tell("w1", "crashed", at=at)


def taken(story, *, at):
    return story.end("wait", 2, at=at).acquire(2, by="w2", at=at, ttl=10.0)


def found(story):
    return [each.operations for each in check_takeover(story.history)]


def test_a_takeover_in_time_is_good_and_its_time_is_known():
    story = taken(died(), at=5.0 + ALLOWED - 0.01)
    assert found(story) == []
    (takeover,) = takeovers(story.history)
    assert (takeover.object, takeover.token, takeover.died) == (X, 1, 5.0)
    assert takeover.seconds == pytest.approx(ALLOWED - 0.01)
    assert takeover.allowed == pytest.approx(ALLOWED)


def test_a_late_takeover_is_named():
    story = taken(died(), at=5.0 + ALLOWED + 0.01)
    (violation,) = check_takeover(story.history)
    assert violation.operations == ("wait",)
    assert violation.at == pytest.approx(5.0 + ALLOWED)
    assert "w2 waited undisturbed for 14.010 s for what nobody held" in violation.text


def test_no_takeover_until_the_end_is_late_as_well():
    story = died().tell("w3", "note", at=5.0 + ALLOWED + 1)
    assert found(story) == [("wait",)]
    assert [each.seconds for each in takeovers(story.history)] == [math.inf]


def test_nobody_is_late_where_the_history_ends_before():
    assert found(died().tell("w3", "note", at=5.0 + ALLOWED - 1)) == []


def test_the_allowance_is_stated_by_the_history():
    assert found(taken(died(allowance=3.0), at=20.9)) == []
    assert found(taken(died(allowance=3.0), at=21.1)) == [("wait",)]


def test_who_begins_to_wait_later_waits_from_there():
    story = Story(poll=1.35).acquire(1, ttl=10.0, at=1.0).tell("w1", "crashed", at=5.0)
    story.call("wait", X, "acquire", by="w2", at=30.0)
    taken(story, at=30.0 + ALLOWED - 0.1)
    assert found(story) == []
    assert [each.seconds for each in takeovers(story.history)] == [pytest.approx(ALLOWED - 0.1)]


def test_who_has_given_up_or_only_tries_does_not_wait():
    story = died().fail("wait", "AcquireTimeout").call(7, X, "try_acquire", by="w3")
    assert found(story.tell("w3", "note", at=50.0)) == []
    assert takeovers(Story().acquire(1).tell("w1", "crashed").acquire(2).history) == []


def test_only_what_somebody_waited_for_when_its_holder_died_is_a_takeover():
    early = Story().acquire(1).call(1, X, "acquire", by="w2").fail(1).tell("w1", "crashed")
    assert takeovers(early.acquire(2, by="w2").history) == []
    late = Story().acquire(1).tell("w1", "crashed").acquire(2, by="w2").release(2, by="w2")
    assert takeovers(late.call(1, X, "acquire", by="w3").history) == []
    released = Story().acquire(1).call(1, X, "acquire", by="w2").release(1).end(1, 2)
    assert takeovers(released.acquire(2, by="w2").history) == []


@pytest.mark.parametrize(
    ("actor", "event"),
    [
        ("w2", {"name": "fault", "kind": "reply lost"}),
        ("w3", {"name": "paused"}),
        ("w3", {"name": "crashed"}),
        ("w3", {"name": "restarted"}),
    ],
)
def test_from_each_disturbance_the_time_begins_anew(actor, event):
    story = taken(died().tell(actor, at=10.0, **event), at=10.0 + ALLOWED - 0.1)
    assert found(story) == []
    story = taken(died().tell(actor, at=10.0, **event), at=10.0 + ALLOWED + 0.1)
    assert found(story) == [("wait",)]


def test_a_fault_that_lasts_disturbs_until_its_end():
    fault = {"name": "fault", "kind": "late", "until": 12.0}
    assert found(taken(died().tell("w2", at=6.0, **fault), at=12.0 + ALLOWED - 0.1)) == []


def test_a_fault_of_who_has_nothing_to_do_with_it_disturbs_nobody():
    story = died().tell("w9", "fault", kind="reply lost", at=10.0)
    assert found(taken(story, at=5.0 + ALLOWED + 0.1)) == [("wait",)]


def test_a_fault_at_another_key_disturbs_nobody_where_keys_are_called_as_objects_are():
    def struck(*keys):
        story = died()
        for place, key in enumerate(keys):
            story.tell("w2", "fault", kind="reply lost", key=key, at=6.0 + place)
        return taken(story, at=7.0 + ALLOWED - 0.1)

    assert found(struck("c/lease/x.record", "c/lease/y.record")) == [("wait",)]
    assert found(struck("c/lease/y.record", "c/lease/x.record")) == []
    assert found(struck("c/lock/x.record", "c/lock/x.record")) == []
    keyless = died().tell("w2", "fault", kind="reply lost", key="c/lease/x.record", at=6.0)
    keyless.tell("w2", "fault", kind="cut off", at=7.0)
    assert found(taken(keyless, at=7.0 + ALLOWED - 0.1)) == []


def test_a_frozen_one_does_not_wait():
    story = died().tell("w2", "paused", at=6.0).tell("w2", "resumed", at=100.0)
    assert found(taken(story, at=100.0 + ALLOWED - 0.1)) == []
    story = died().tell("w2", "paused", at=6.0).tell("w2", "resumed", at=100.0)
    assert found(taken(story, at=100.0 + ALLOWED + 0.1)) == [("wait",)]


def test_a_dead_one_does_not_wait():
    assert found(died().tell("w2", "crashed", at=6.0).tell("w3", "note", at=100.0)) == []


def test_who_waits_while_another_holds_is_not_late():
    story = Story().acquire(1, ttl=10.0, at=1.0).call("wait", X, "acquire", by="w2", at=2.0)
    assert found(story.tell("w3", "note", at=100.0)) == []


def test_what_was_released_or_has_run_out_is_taken_over_in_time_as_well():
    story = Story(poll=1.35).acquire(1, ttl=10.0, until=4.0, at=1.0)
    story.call("wait", X, "acquire", by="w2", at=2.0)
    assert found(story.tell("w3", "note", at=4.0 + ALLOWED + 0.1)) == [("wait",)]
    story = Story(poll=1.35).acquire(1, ttl=10.0, at=1.0).release(1, at=4.0)
    story.call("wait", X, "acquire", by="w2", at=5.0)
    assert found(story.tell("w3", "note", at=5.0 + ALLOWED + 0.1)) == [("wait",)]


def broken(*, of=X, answer=None, **about):
    """One who waits for what an operator has ordered to be freed, and perhaps has been told of."""
    story = Story(poll=1.35, **about).acquire(1, of=of, ttl=10.0, at=1.0)
    story.call("wait", of, "acquire", by="w2", at=2.0)
    story.tell("operator", "broken", object=of, token=1, at=3.0)
    story.call("break", of, "break", by="operator", token=1, at=3.0)
    return story if answer is None else story.end("break", answer, at=4.0)


@pytest.mark.parametrize("answer", [True, False])
def test_what_an_operator_has_certainly_freed_is_taken_over_in_time(answer):
    story = broken(answer=answer)
    assert found(story.tell("w3", "note", at=4.0 + ALLOWED - 0.1)) == []
    assert found(story.tell("w3", "note", at=4.0 + ALLOWED + 0.1)) == [("wait",)]
    told = Story(poll=1.35).acquire(1, ttl=10.0, at=1.0).call("wait", X, "acquire", by="w2", at=2.0)
    told.tell("operator", "broken", object=X, token=1, at=4.0)
    assert found(told.tell("w3", "note", at=4.0 + ALLOWED + 0.1)) == [("wait",)]


def test_who_may_not_have_been_broken_may_hold_it_on():
    assert found(broken().fail("break").tell("w3", "note", at=100.0)) == []
    assert found(broken().lose("break").tell("w3", "note", at=100.0)) == []
    assert found(broken().tell("w3", "note", at=100.0)) == []


def broken_unheard(*, answer=None):
    """An order to free what its holder has not heard yet that it holds, after another's release."""
    story = Story(poll=1.35).acquire(1, ttl=10.0, at=1.0).release(1, at=2.0)
    story.call("wait", X, "acquire", by="w2", at=2.0)
    story.tell("operator", "broken", object=X, token=2, at=3.0)
    story.call("break", X, "break", by="operator", token=2, at=3.0)
    story = story.lose("break") if answer is None else story.end("break", answer, at=4.0)
    return story.acquire(2, by="w3", ttl=10.0, at=5.0)


def test_who_hears_late_that_it_holds_what_may_not_have_been_broken_may_hold_it():
    assert found(broken_unheard().tell("w4", "note", at=100.0)) == []


@pytest.mark.parametrize("answer", [True, False])
def test_what_was_certainly_freed_before_its_holder_heard_of_it_is_free(answer):
    story = broken_unheard(answer=answer)
    assert found(story.tell("w4", "note", at=100.0)) == [("wait",)]


def test_what_was_held_unheard_is_free_when_its_successor_has_released_it():
    story = broken_unheard().acquire(3, by="w4", ttl=10.0, at=110.0).release(3, by="w4", at=111.0)
    assert found(story.tell("w9", "note", at=111.0 + ALLOWED - 0.1)) == []
    assert found(story.tell("w9", "note", at=111.0 + ALLOWED + 0.1)) == [("wait",)]


def test_a_successor_proves_that_one_is_not_held_any_more():
    story = (
        broken().lose("break").acquire(2, by="w3", ttl=10.0, at=50.0).release(2, by="w3", at=51.0)
    )
    assert found(story.tell("w9", "note", at=51.0 + ALLOWED + 0.1)) == [("wait",)]


def test_a_successor_of_one_permit_says_nothing_of_another():
    story = broken(of=S, permits={S: 2}).lose("break").acquire(2, by="w3", of=S, ttl=10.0, at=50.0)
    assert found(story.tell("w9", "note", at=100.0)) == []


def test_a_leaked_permit_is_found():
    story = Story(permits={S: 2}, poll=1.35).acquire(1, of=S, ttl=10.0, at=1.0)
    story.acquire(2, by="w2", of=S, ttl=10.0, at=1.5).call("wait", S, "acquire", by="w3", at=2.0)
    assert found(story.tell("w9", "note", at=40.0)) == []
    story.tell("w1", "crashed", at=50.0).tell("w9", "note", at=50.0 + ALLOWED + 0.1)
    assert found(story) == [("wait",)]


def test_without_a_stated_ttl_nothing_is_said():
    story = Story().acquire(1, at=1.0).call("wait", X, "acquire", by="w2", at=2.0)
    assert found(story.tell("w1", "crashed").tell("w3", "note", at=1000.0)) == []


def test_an_order_that_failed_has_freed_nothing():
    assert found(broken().fail("break").tell("w3", "note", at=100.0)) == []
    story = broken().fail("break").tell("w1", "crashed", at=50.0)
    assert found(story.tell("w9", "note", at=50.0 + ALLOWED + 0.1)) == [("wait",)]


def test_what_its_holder_has_released_is_free_whatever_became_of_the_order():
    story = broken().lose("break").do("back", X, "release", True, token=1)
    assert found(story.tell("w9", "note", at=6.0 + ALLOWED - 0.1)) == []
    assert found(story.tell("w9", "note", at=6.0 + ALLOWED + 0.1)) == [("wait",)]


def test_who_believes_again_after_an_order_that_may_have_failed_may_hold_it():
    story = Story(poll=1.35).acquire(1, ttl=10.0, until=2.0, at=1.0)
    story.call("wait", X, "acquire", by="w2", at=2.0)
    story.tell("operator", "broken", object=X, token=1, at=3.0)
    story.call("break", X, "break", by="operator", token=1, at=3.0).lose("break")
    story.tell("w1", "renewed", object=X, token=1, at=5.0)
    assert found(story.tell("w3", "note", at=100.0)) == []


def test_a_fault_of_one_who_only_believes_disturbs_as_well():
    fault = {"name": "fault", "kind": "late", "until": 12.0}
    assert found(taken(died().tell("w1", at=5.0, **fault), at=12.0 + ALLOWED - 0.1)) == []


def test_who_waits_does_not_wait_while_its_own_request_is_struck():
    fault = {"name": "fault", "kind": "black hole", "until": 100.0}
    assert found(taken(died().tell("w2", at=6.0, **fault), at=100.0 + ALLOWED - 0.1)) == []
    assert found(taken(died().tell("w2", at=6.0, **fault), at=100.0 + ALLOWED + 0.1)) == [("wait",)]
    others = died().call("other", X, "holder", by="w3").tell("w3", at=6.0, **fault)
    assert found(taken(others, at=6.0 + ALLOWED + 0.1)) == [("wait",)]
