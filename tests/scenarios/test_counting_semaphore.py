"""The planted wrong semaphore is wrong where it is meant to be, and nowhere else."""

from __future__ import annotations

import pytest

from persidict import LocalDict
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost
from scenarios.semaphore.counting import CountingSemaphore
from scenarios.semaphore.terms import NAME, TARGET, TERMS


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store():
    return LocalDict(serialization_format="json")


@pytest.fixture
def semaphore(store, clock):
    def semaphore(owner, *, between=lambda: None):
        return CountingSemaphore(
            store, TARGET, permits=2, owner=owner, between=between, clock=clock
        )

    return semaphore


def holders(store):
    return Coordinator(store).semaphore(NAME, 2).holders()


def test_one_after_the_other_it_looks_right(semaphore, store):
    first, second = semaphore("w1").acquire(), semaphore("w2").acquire()
    assert (first.token, second.token, second.tokens) == (1, 2, [1, 2])
    assert holders(store) == {1: "w1", 2: "w2"}
    assert first.release() is True
    assert semaphore("w3").acquire().tokens == [2, 3]


def test_two_between_read_and_write_have_the_same_token_and_one_is_forgotten(semaphore, store):
    inner = []
    outer = semaphore("w1", between=lambda: inner.append(semaphore("w2").acquire())).acquire()
    assert (outer.token, inner[0].token) == (1, 1)
    assert holders(store) == {1: "w1"}


def test_it_waits_until_one_has_run_out(semaphore, clock):
    first = semaphore("w1").acquire()
    semaphore("w2").acquire()
    began = clock.time()
    assert semaphore("w3").acquire().token == 3
    assert TERMS.ttl <= clock.time() - began <= TERMS.ttl + 1.5 * TERMS.poll
    with pytest.raises(LeaseLost):
        first.check()
