"""What a write ends as, for everything that a store can answer to it and show afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from persidict.exceptions import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict.jokers_and_status_flags import ITEM_NOT_AVAILABLE
from persidict.object_store import (
    Applied,
    IfAbsent,
    IfMatch,
)
from persidict.settle import Lost
from tests.stores.scripted import (
    Seen,
    SilenceError,
    broken,
    ours,
    transient,
)
from tests.stores.settling import (
    ANOTHERS,
    APPLIED,
    CONFLICT,
    EXPECTED,
    LOST_REPLY,
    REFUSED,
    SILENCE,
    UNSENT,
    Run,
    for_ever,
)

# How a conditional write may be meant, and what a read shows where it is not applied yet.
MEANT = [
    pytest.param(IfAbsent(), None, id="create"),
    pytest.param(IfMatch("expected"), EXPECTED, id="swap"),
]


@pytest.mark.parametrize("precondition", [None, IfAbsent(), IfMatch("expected")])
def test_an_answered_write_is_one_request(precondition: Any) -> None:
    run = Run(APPLIED)

    assert run.put(precondition) == Applied("ours")
    assert run.store.calls[0].precondition == precondition
    assert run.clock.slept == []


@pytest.mark.parametrize(("precondition", "unapplied"), MEANT)
class TestALostReply:
    def test_our_write_is_there(self, precondition: Any, unapplied: Any) -> None:
        run = Run(LOST_REPLY, ("head", ours("shown")))

        assert run.put(precondition) == Applied("shown")

    def test_what_is_not_applied_yet_goes_out_again_as_it_was(
        self, precondition: Any, unapplied: Any
    ) -> None:
        run = Run(LOST_REPLY, ("head", unapplied), LOST_REPLY, ("head", unapplied), APPLIED)

        assert run.put(precondition) == Applied("ours")
        assert len(run.store.puts) == 3
        assert len(set(run.store.puts)) == 1

    def test_a_resend_refused_by_our_own_write(self, precondition: Any, unapplied: Any) -> None:
        """The first one lands after the read and before the second."""
        run = Run(LOST_REPLY, ("head", unapplied), REFUSED, ("head", ours("shown")))

        assert run.put(precondition) == Applied("shown")

    def test_anothers_write_may_have_come_over_ours(
        self, precondition: Any, unapplied: Any
    ) -> None:
        run = Run(LOST_REPLY, ("head", ANOTHERS))

        error = run.fails(precondition, OutcomeUnknownError)

        assert (error.actual_etag, error.__cause__) == ("another's", SILENCE)
        assert (error.backend, error.operation, error.key) == ("scripted", "put", "the key")
        assert "'the key' may or may not have been applied" in str(error)
        assert "text" not in str(error)

    def test_a_refusal_after_it_is_no_failed_condition(
        self, precondition: Any, unapplied: Any
    ) -> None:
        run = Run(LOST_REPLY, ("head", unapplied), REFUSED, ("head", ANOTHERS))

        assert run.fails(precondition, OutcomeUnknownError).actual_etag == "another's"

    def test_it_is_sent_until_the_deadline(self, precondition: Any, unapplied: Any) -> None:
        run = Run(*for_ever(LOST_REPLY, ("head", unapplied)), timeout=60.0)

        error = run.fails(precondition, OutcomeUnknownError)

        assert error.actual_etag == (unapplied.etag if unapplied else ITEM_NOT_AVAILABLE)
        assert 60.0 <= run.clock.monotonic() <= 62.0
        assert len(run.store.puts) > 20
        assert len(set(run.store.puts)) == 1

    def test_conflicts_after_it_do_not_end_it(self, precondition: Any, unapplied: Any) -> None:
        run = Run(LOST_REPLY, ("head", unapplied), *[CONFLICT, UNSENT] * 5, APPLIED)

        assert run.put(precondition) == Applied("ours")

    def test_conflicts_to_the_deadline_are_no_conflict(
        self, precondition: Any, unapplied: Any
    ) -> None:
        run = Run(LOST_REPLY, ("head", unapplied), *for_ever(CONFLICT, UNSENT))

        assert run.fails(precondition, OutcomeUnknownError).__cause__ is SILENCE

    def test_nobody_can_look_for_a_while(self, precondition: Any, unapplied: Any) -> None:
        run = Run(LOST_REPLY, *[("head", transient())] * 7, ("head", ours("shown")))

        assert run.put(precondition) == Applied("shown")
        assert len(run.store.puts) == 1

    def test_nobody_can_look_until_the_deadline(self, precondition: Any, unapplied: Any) -> None:
        run = Run(LOST_REPLY, *[("head", transient())] * 200)

        error = run.fails(precondition, OutcomeUnknownError)

        assert (error.actual_etag, error.__cause__) == (None, SILENCE)
        assert run.clock.monotonic() >= 30.0

    def test_looking_is_refused(self, precondition: Any, unapplied: Any) -> None:
        refusal = broken()
        run = Run(LOST_REPLY, ("head", refusal))

        error = run.fails(precondition, OutcomeUnknownError)

        assert (error.actual_etag, error.__cause__) == (None, refusal)

    def test_the_resend_is_forbidden(self, precondition: Any, unapplied: Any) -> None:
        """As when credentials expire in between: the first one may still land."""
        refusal = broken()
        run = Run(LOST_REPLY, ("head", unapplied), ("put", refusal))

        error = run.fails(precondition, OutcomeUnknownError)

        assert error.actual_etag == (unapplied.etag if unapplied else ITEM_NOT_AVAILABLE)
        assert error.__cause__ is refusal

    def test_the_look_must_be_certain(self, precondition: Any, unapplied: Any) -> None:
        run = Run(LOST_REPLY, ("head", ours()))
        run.put(precondition)

        assert run.store.calls[1].certain is True


@pytest.mark.parametrize("precondition", [IfAbsent(), IfMatch("expected")])
class TestARefusalOfTheOnlyAttempt:
    def test_anothers_write_is_there(self, precondition: Any) -> None:
        run = Run(REFUSED, ("head", ANOTHERS))

        assert run.put(precondition) == Lost(ANOTHERS)

    def test_the_value_comes_with_the_etag_where_it_is_wanted(self, precondition: Any) -> None:
        both = Seen("another's", body=b'"theirs"')
        run = Run(REFUSED, ("get", both))

        assert run.put(precondition, body_if_lost=True) == Lost(both)

    def test_it_answered_a_copy_of_a_write_that_was_applied(self, precondition: Any) -> None:
        """The network may deliver a request twice, and give us the second answer."""
        run = Run(REFUSED, ("head", ours("shown")))

        assert run.put(precondition) == Applied("shown")

    def test_nobody_can_look_for_a_while(self, precondition: Any) -> None:
        run = Run(REFUSED, *[("head", transient())] * 4, ("head", ANOTHERS))

        assert run.put(precondition) == Lost(ANOTHERS)

    def test_nobody_can_look(self, precondition: Any) -> None:
        run = Run(REFUSED, *[("head", transient())] * 5)

        error = run.fails(precondition, OutcomeUnknownError)

        assert error.actual_etag is None
        assert isinstance(error.__cause__, SilenceError)

    def test_looking_is_refused(self, precondition: Any) -> None:
        run = Run(REFUSED, ("head", broken()))

        assert run.fails(precondition, OutcomeUnknownError).actual_etag is None


def test_a_swap_of_what_is_gone_is_lost() -> None:
    assert Run(REFUSED, ("head", None)).put(IfMatch("expected")) == Lost(None)


def test_a_key_that_has_vanished_is_created_on_the_second_attempt() -> None:
    run = Run(REFUSED, ("head", None), APPLIED)

    assert run.put(IfAbsent()) == Applied("ours")
    assert run.store.forms_refused == 0


def test_a_key_that_appears_and_vanishes_at_each_of_five_attempts() -> None:
    run = Run(*[REFUSED, ("head", None)] * 5)

    error = run.fails(IfAbsent(), ConcurrencyConflictError)

    assert (error.key, error.attempts) == ("the key", 5)


def test_the_form_of_the_etag_is_learnt() -> None:
    run = Run(REFUSED, ("head", EXPECTED), APPLIED)

    assert run.put(IfMatch("expected")) == Applied("ours")
    assert run.store.forms_refused == 1
    assert len(set(run.store.puts)) == 1


def test_a_store_that_refuses_what_it_shows() -> None:
    run = Run(*[REFUSED, ("head", EXPECTED)] * 5)

    error = run.fails(IfMatch("expected"), BackendError)

    assert "refuses If-Match even with the etag that it shows" in str(error)
    assert (error.operation, error.key) == ("put", "the key")


@pytest.mark.parametrize("precondition", [None, IfAbsent(), IfMatch("expected")])
class TestWhatWasNotApplied:
    def test_a_conflict_is_tried_again(self, precondition: Any) -> None:
        run = Run(*[CONFLICT] * 4, APPLIED)

        assert run.put(precondition) == Applied("ours")
        assert len(run.clock.slept) == 4

    def test_five_conflicts_are_the_end(self, precondition: Any) -> None:
        error = Run(*[CONFLICT] * 5).fails(precondition, ConcurrencyConflictError)

        assert (error.key, error.attempts) == ("the key", 5)

    def test_what_was_never_sent_is_tried_again(self, precondition: Any) -> None:
        assert Run(*[UNSENT] * 4, APPLIED).put(precondition) == Applied("ours")

    def test_a_store_that_cannot_be_reached(self, precondition: Any) -> None:
        error = Run(*[UNSENT] * 5).fails(precondition, BackendError)

        assert "was not applied: the store could not be reached in 5 tries (SilenceError)" in str(
            error
        )
        assert (error.key, error.__cause__) == ("the key", SILENCE)

    def test_the_deadline_may_come_before_the_fifth(self, precondition: Any) -> None:
        run = Run(*[UNSENT] * 3, timeout=10.0, first_wait=9.0, longest_wait=9.0)
        run.clock.uniform = lambda _low, high: high

        assert "in 3 tries" in str(run.fails(precondition, BackendError))
        assert run.clock.slept == [9.0, 1.0]

    def test_a_store_that_says_no_is_asked_once(self, precondition: Any) -> None:
        refusal = broken()

        assert Run(("put", refusal)).fails(precondition, BackendError) is refusal

    def test_a_store_that_says_no_after_conflicts(self, precondition: Any) -> None:
        refusal = broken()

        run = Run(CONFLICT, UNSENT, ("put", refusal))
        assert run.fails(precondition, BackendError) is refusal


def test_a_refusal_after_a_conflict_is_a_failed_condition() -> None:
    run = Run(CONFLICT, REFUSED, ("head", ANOTHERS))

    assert run.put(IfMatch("expected")) == Lost(ANOTHERS)


class TestAnUnconditionalWrite:
    def test_our_write_is_there(self) -> None:
        assert Run(LOST_REPLY, ("head", ours("shown"))).put(None) == Applied("shown")

    @pytest.mark.parametrize("shown", [None, ANOTHERS])
    def test_it_goes_out_again_with_bytes_of_its_own(self, shown: Any) -> None:
        run = Run(LOST_REPLY, ("head", shown), CONFLICT, LOST_REPLY, ("head", shown), APPLIED)

        assert run.put(None) == Applied("ours")
        assert len(run.store.puts) == 4
        assert len({call.write_id for call in run.store.puts}) == 4
        assert len({call.body for call in run.store.puts}) == 4

    @pytest.mark.parametrize("attempt", [0, 1])
    def test_any_attempt_is_recognised(self, attempt: int) -> None:
        run = Run(LOST_REPLY, ("head", None), LOST_REPLY, ("head", ours("shown", attempt=attempt)))

        assert run.put(None) == Applied("shown")

    def test_to_the_deadline(self) -> None:
        run = Run(*for_ever(LOST_REPLY, ("head", ANOTHERS)))

        assert run.fails(None, OutcomeUnknownError).actual_etag == "another's"
