"""A claim whose outcome was in doubt belongs to one caller, however many threads ask for it."""

from __future__ import annotations

import threading

import pytest

from persidict import Memory, OutcomeUnknownError
from persidict.memory_store import MemoryStore
from persidict.object_store import TransientError, Unaccounted
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from tests.contract.places import DictOver
from tests.sync.around import Around


class Silent(Around):
    """Applies writes and answers nothing, until it is told to answer; then every get meets."""

    def __init__(self, clock, *, meeting):
        super().__init__(MemoryStore(Memory(), clock=clock))
        self.is_silent = True
        self.meeting = meeting

    def pass_on(self, verb, call):
        answer = call()
        if self.is_silent and verb == "put":
            return Unaccounted(TimeoutError())
        if self.is_silent:
            raise TransientError("silent") from TimeoutError()
        if verb == "get":
            self.meeting.wait()
        return answer


@pytest.fixture
def silent():
    return Silent(ManualClock(), meeting=threading.Barrier(2, timeout=60))


@pytest.fixture
def claims(silent):
    clock = ManualClock(seed=1)
    d = DictOver(store=silent, clock=clock, serialization_format="json", operation_timeout=10.0)
    return Coordinator(d, clock=clock, owner="us").claims("tasks")


def in_two_threads(act):
    results = []
    threads = [threading.Thread(target=lambda: results.append(act())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    return results


def test_one_of_two_threads_gets_the_claim_that_has_landed(silent, claims):
    with pytest.raises(OutcomeUnknownError):
        claims.claim("a")
    silent.is_silent = False
    found = in_two_threads(lambda: claims.claim("a"))
    assert sum(one is not None for one in found) == 1


def test_a_claim_is_not_given_again_after_another_thread_was_in_doubt(silent, claims):
    with pytest.raises(OutcomeUnknownError):
        claims.claim("a")

    silent.is_silent, silent.meeting = False, threading.Barrier(1)
    answer, taken, has_begun = silent.pass_on, [], False

    def told_elsewhere(verb, call):
        nonlocal has_begun
        if not has_begun:
            # While this request waits for its answer, another call is told of the first claim.
            has_begun = True
            taken.append(claims.claim("a"))
            silent.is_silent = True
        return answer(verb, call)

    silent.pass_on = told_elsewhere
    with pytest.raises(OutcomeUnknownError):
        claims.claim("a")
    assert taken[0] is not None
    silent.is_silent = False
    assert claims.claim("a") is None
