"""What a delete ends as: it leaves nothing behind that could be recognised."""

from __future__ import annotations

from typing import Any

import pytest

from persidict.exceptions import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict.jokers_and_status_flags import ITEM_NOT_AVAILABLE
from persidict.object_store import Applied, IfMatch, NotApplied, Refused, Unaccounted
from persidict.retry import RetryPolicy
from persidict.settle import Lost
from persidict.settled_store import SettledStore
from persidict.testing.clock import ManualClock
from tests.stores.scripted import NAME, ScriptedStore, Seen, SilenceError, Step, broken, transient

SILENCE = SilenceError()
LOST_REPLY: Step = ("delete", Unaccounted(SILENCE))
REFUSED: Step = ("delete", Refused())
CONFLICT: Step = ("delete", NotApplied(SILENCE, conflict=True))
UNSENT: Step = ("delete", NotApplied(SILENCE, conflict=False))
APPLIED: Step = ("delete", Applied(""))
EXPECTED = Seen("expected")
ANOTHERS = Seen("another's")
GONE: Step = ("head", None)

CONDITION = IfMatch("expected")


def delete(*steps: Step, precondition: IfMatch | None, body_if_lost: bool = False) -> Any:
    store = ScriptedStore(*steps)
    settled = SettledStore(store, policy=RetryPolicy(clock=ManualClock()))
    outcome = settled.delete(NAME, precondition=precondition, body_if_lost=body_if_lost)
    assert store.steps == []
    assert {call.precondition for call in store.calls if call.verb == "delete"} == {precondition}
    return outcome


def failure(*steps: Step, precondition: IfMatch | None, error: type[Exception]) -> Any:
    with pytest.raises(error) as raised:
        delete(*steps, precondition=precondition)
    assert type(raised.value) is error
    return raised.value


@pytest.mark.parametrize("precondition", [None, CONDITION])
class TestAnyDelete:
    def test_an_answered_one_is_one_request(self, precondition: Any) -> None:
        assert delete(APPLIED, precondition=precondition) == Applied("")

    def test_conflicts_are_tried_again(self, precondition: Any) -> None:
        assert delete(CONFLICT, UNSENT, CONFLICT, APPLIED, precondition=precondition) == Applied("")

    def test_five_conflicts(self, precondition: Any) -> None:
        error = failure(*[CONFLICT] * 5, precondition=precondition, error=ConcurrencyConflictError)

        assert (error.key, error.attempts) == ("the key", 5)

    def test_a_store_that_cannot_be_reached(self, precondition: Any) -> None:
        error = failure(*[UNSENT] * 5, precondition=precondition, error=BackendError)

        assert (error.operation, error.__cause__) == ("delete", SILENCE)

    def test_what_is_still_there_is_deleted_again(self, precondition: Any) -> None:
        steps = [LOST_REPLY, ("head", EXPECTED), APPLIED]

        assert delete(*steps, precondition=precondition) == Applied("")

    def test_a_resend_that_is_forbidden(self, precondition: Any) -> None:
        steps = [LOST_REPLY, ("head", EXPECTED), ("delete", broken())]

        error = failure(*steps, precondition=precondition, error=OutcomeUnknownError)
        assert error.actual_etag == "expected"

    def test_nobody_can_look(self, precondition: Any) -> None:
        steps = [LOST_REPLY, *[("head", transient())] * 100]

        error = failure(*steps, precondition=precondition, error=OutcomeUnknownError)
        assert error.actual_etag is None

    def test_a_store_that_says_no(self, precondition: Any) -> None:
        failure(("delete", broken()), precondition=precondition, error=BackendError)


class TestUnderACondition:
    def test_who_deleted_it_nobody_can_say(self) -> None:
        error = failure(LOST_REPLY, GONE, precondition=CONDITION, error=OutcomeUnknownError)

        assert (error.actual_etag, error.__cause__) == (ITEM_NOT_AVAILABLE, SILENCE)
        assert (error.operation, error.key) == ("delete", "the key")

    def test_it_vanishes_before_the_resend(self) -> None:
        steps = [LOST_REPLY, ("head", EXPECTED), REFUSED, GONE]

        error = failure(*steps, precondition=CONDITION, error=OutcomeUnknownError)
        assert error.actual_etag is ITEM_NOT_AVAILABLE

    def test_another_has_written(self) -> None:
        """Ours may have deleted what was there, and the other created anew."""
        steps = [LOST_REPLY, ("head", ANOTHERS)]

        error = failure(*steps, precondition=CONDITION, error=OutcomeUnknownError)
        assert error.actual_etag == "another's"

    def test_absence_at_the_only_attempt_is_a_failed_condition(self) -> None:
        assert delete(REFUSED, GONE, precondition=CONDITION) == Lost(None)

    def test_anothers_write_at_the_only_attempt(self) -> None:
        assert delete(REFUSED, ("head", ANOTHERS), precondition=CONDITION) == Lost(ANOTHERS)

    def test_the_value_comes_with_the_etag(self) -> None:
        both = Seen("another's", body=b"theirs")
        steps = [REFUSED, ("get", both)]

        assert delete(*steps, precondition=CONDITION, body_if_lost=True) == Lost(both)

    def test_the_form_of_the_etag_is_learnt(self) -> None:
        steps = [REFUSED, ("head", EXPECTED), APPLIED]

        assert delete(*steps, precondition=CONDITION) == Applied("")

    def test_a_store_that_refuses_what_it_shows(self) -> None:
        steps = [REFUSED, ("head", EXPECTED)] * 5

        error = failure(*steps, precondition=CONDITION, error=BackendError)
        assert "refuses If-Match even with the etag that it shows" in str(error)

    def test_the_deadline(self) -> None:
        steps = [LOST_REPLY, ("head", EXPECTED)] * 200

        error = failure(*steps, precondition=CONDITION, error=OutcomeUnknownError)
        assert error.actual_etag == "expected"


class TestWithoutACondition:
    def test_what_is_gone_is_deleted_whoever_it_was(self) -> None:
        assert delete(LOST_REPLY, GONE, precondition=None) == Applied("")

    def test_what_another_has_written_meanwhile_is_deleted_as_well(self) -> None:
        steps = [LOST_REPLY, ("head", ANOTHERS), LOST_REPLY, GONE]

        assert delete(*steps, precondition=None) == Applied("")
