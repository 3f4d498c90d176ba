"""For how long a holder believes that it holds, and how that ends: once, for one reason."""

from __future__ import annotations

import pytest

from persidict.testing.clock import ManualClock
from persidict_sync.tenure import Tenure
from persidict_sync.watch import Terms


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def tenure(clock, told):
    return Tenure(Terms(30.0), clock=clock, sent=0.0, on_end=told.append)


def test_it_ends_a_margin_before_the_ttl_and_counts_from_the_sending(clock, tenure, told):
    clock.advance(26.9)
    assert not tenure.is_over()
    assert tenure.extend(sent=20.0)
    clock.advance(20.0)
    assert not tenure.is_over()
    assert tenure.remaining() == pytest.approx(0.1)
    clock.advance(0.1)
    assert tenure.lost.is_set()
    assert (tenure.reason, tenure.remaining(), told) == ("expired", 0.0, ["expired"])


def test_what_is_over_is_not_extended(clock, tenure):
    clock.advance(27.0)
    assert not tenure.extend(sent=26.0)
    assert tenure.is_over()


def test_after_a_renewal_that_was_begun_and_not_answered_it_ends_as_unreachable(clock, tenure):
    tenure.is_in_doubt = True
    clock.advance(27.0)
    assert tenure.is_over()
    assert tenure.reason == "unreachable"


def test_it_ends_once(clock, tenure, told):
    assert tenure.end("stolen")
    assert not tenure.end("released")
    clock.advance(27.0)
    assert tenure.is_over()
    assert (tenure.reason, told) == ("stolen", ["stolen"])


def test_an_old_deadline_ends_nothing(clock, tenure):
    # A thread looks at the clock at the old deadline, while another one extends it.
    deadline = tenure.deadline
    clock.advance(10.0)
    assert tenure.extend(sent=10.0)
    assert not tenure.end("expired", not_before=deadline)
    assert not tenure.is_over()
    assert tenure.end("expired", not_before=tenure.deadline)


class ExtendedWhileAsked(Tenure):
    """Extended by a thread that had looked at the clock just before the deadline."""

    @property
    def is_in_doubt(self):
        self.deadline = 47.0
        return False

    @is_in_doubt.setter
    def is_in_doubt(self, value):
        pass


def test_who_notices_an_old_deadline_does_not_end_what_was_extended_in_time(clock, told):
    tenure = ExtendedWhileAsked(Terms(30.0), clock=clock, sent=0.0, on_end=told.append)
    clock.advance(27.0)
    assert not tenure.is_over()
    assert (tenure.reason, told) == (None, [])


def test_what_is_put_off_is_tried_again_soon_and_ever_sooner(clock, tenure):
    pauses = []
    for _ in range(20):
        tenure.put_off()
        pauses.append(tenure.next_renewal - clock.monotonic())
        clock.advance(pauses[-1])
    assert all(0.1 <= pause <= 2.0 for pause in pauses)
    assert pauses[-1] < pauses[0]


def test_a_forked_childs_copy_is_over_and_nobody_is_told(tenure, told):
    tenure.on_fork()
    assert tenure.lost.is_set()
    assert (tenure.reason, told) == ("forked", [])
