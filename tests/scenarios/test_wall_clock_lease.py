"""The planted wrong lease: right as long as nobody else is there, and wrong when somebody is."""

from __future__ import annotations

import pytest

from persidict import LocalDict
from persidict.testing.clock import ManualClock
from persidict_sync.errors import LeaseLost
from scenarios.leases.wall_clock import WallClockLease


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def lease(clock):
    store = LocalDict(serialization_format="json")

    def lease(owner, *, between=lambda: None):
        return WallClockLease(store, "lease/work", owner=owner, between=between, clock=clock)

    return lease


def test_it_is_held_until_it_is_released_or_has_run_out(lease, clock):
    first = lease("w1").acquire(data="hello")
    first.check()
    holder = lease("w2").holder()
    assert (holder.owner, holder.token, holder.data) == ("w1", 1, "hello")
    first.release()
    assert lease("w2").holder() is None
    second = lease("w2").acquire()
    assert second.token == 3
    clock.advance(3.0)
    with pytest.raises(LeaseLost):
        second.check()
    assert lease("w1").acquire().token == 4


def test_two_that_meet_between_read_and_write_both_hold_it(lease):
    won = []
    first = lease("w1", between=lambda: won.append(lease("w2").acquire())).acquire()
    assert (first.token, won[0].token) == (1, 1)
    assert first.remaining() > 0
    assert won[0].remaining() > 0
