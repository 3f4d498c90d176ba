"""Waiting: how often it looks, when, and when it ends."""

from __future__ import annotations

import math

import pytest

from persidict.testing.clock import ManualClock
from persidict_sync.seconds import LONGEST
from persidict_sync.wait import checked_timeout, poll_until


def looks_at(clock, *, found_after=math.inf):
    times = []

    def look():
        times.append(clock.monotonic())
        return "found" if clock.monotonic() >= found_after else None

    return look, times


def test_it_looks_at_once_and_returns_what_it_finds():
    clock = ManualClock()
    look, times = looks_at(clock, found_after=0.0)
    found = poll_until(look, clock=clock, deadline=0.0, next_poll=lambda: 1.0)
    assert (found, times) == ("found", [0.0])


def test_it_looks_when_it_makes_sense_and_once_at_the_deadline():
    clock = ManualClock()
    look, times = looks_at(clock)
    found = poll_until(look, clock=clock, deadline=5.0, next_poll=lambda: 2.0)
    assert (found, times) == (None, [0.0, 2.0, 4.0, 5.0])


def test_how_long_it_paused_is_told_at_the_end_however_that_comes():
    clock, told = ManualClock(), []
    look, _ = looks_at(clock, found_after=3.0)
    settings = {"clock": clock, "next_poll": lambda: 2.0, "tell_waited": told.append}
    poll_until(look, deadline=None, **settings)
    poll_until(look, deadline=None, **settings)
    poll_until(lambda: None, deadline=clock.monotonic() + 1.0, **settings)
    assert told == [4.0, 1.0]

    def fail_later():
        if len(told) < 2 or clock.monotonic() >= 7.0:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        poll_until(fail_later, deadline=None, **settings)
    assert told == [4.0, 1.0, 2.0]


def test_without_a_deadline_it_waits_until_it_finds():
    clock = ManualClock()
    look, times = looks_at(clock, found_after=100.0)
    assert poll_until(look, clock=clock, deadline=None, next_poll=lambda: 60.0) == "found"
    assert times == [0.0, 60.0, 120.0]


def test_those_who_wait_for_the_same_thing_are_spread():
    times = []
    for seed in range(20):
        clock = ManualClock(seed=seed)
        look, seen = looks_at(clock, found_after=1.0)
        poll_until(look, clock=clock, deadline=None, next_poll=lambda: 1.0, spread=0.5)
        times.append(seen[1])
    assert min(times) >= 1.0
    assert max(times) <= 1.5
    assert len(set(times)) == 20
    assert max(times) - min(times) > 0.25


@pytest.mark.parametrize(
    ("given", "timeout"),
    [(None, None), (0, 0.0), (2, 2.0), (math.inf, LONGEST), (10**400, LONGEST)],
)
def test_a_timeout(given, timeout):
    assert checked_timeout(given) == timeout


@pytest.mark.parametrize(
    ("wrong", "error"),
    [(-1, ValueError), (math.nan, ValueError), ("1", TypeError), (True, TypeError)],
)
def test_no_timeout(wrong, error):
    with pytest.raises(error):
        checked_timeout(wrong)
