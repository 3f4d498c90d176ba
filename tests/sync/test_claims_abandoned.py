"""What is left open by a process that lives on: others are not kept waiting for it."""

from __future__ import annotations

import itertools

import pytest

from persidict import BackendError
from persidict_sync.claim_state import DIED
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost, OwnerDied
from tests.contract.places import InMemory
from tests.sync.around import Around
from tests.sync.fleets import Fleet

RECLAIM = {"on_owner_death": "reclaim", "ttl": 30.0, "max_attempts": 2}


class Outage(Around):
    """A store that takes no writes for a while."""

    is_on = False

    def pass_on(self, verb, request):
        if verb == "put" and self.is_on:
            raise BackendError("403", backend="memory", operation="put")
        return request()


@pytest.fixture
def fleet():
    return Fleet(InMemory())


@pytest.fixture
def outage(monkeypatch):
    monkeypatch.setattr(Outage, "is_on", False)
    return Outage


@pytest.fixture
def member(fleet, outage):
    d = fleet.place.open(clock=fleet.clock, serialization_format="json").with_store(outage)
    return Coordinator(d, clock=fleet.clock, owner="cut-off")


@pytest.fixture
def alive(fleet, member, monkeypatch):
    """Every wait lets the member's heartbeat beat, and none is for ever."""
    sleeps = itertools.count()

    def sleep(seconds):
        assert next(sleeps) < 1000
        fleet.clock.advance(seconds)
        member.heartbeat.run_due()

    monkeypatch.setattr(fleet.clock, "sleep", sleep)

    def live_for(seconds):
        for _ in range(seconds):
            sleep(1.0)

    return live_for


def cut_off(fleet, member, outage, claims):
    """Run `a`, and be unable to store its result for a moment."""

    def function(task):
        member.heartbeat.run_due()
        outage.is_on = True
        return task

    with pytest.raises(BackendError):
        claims.run(function, ["a"])
    outage.is_on = False


def test_a_task_whose_end_was_not_stored_is_reclaimed_while_its_process_goes_on(
    fleet, member, outage, alive
):
    claims = member.claims("frames", **RECLAIM)
    cut_off(fleet, member, outage, claims)
    held = claims.claim("b")
    other = fleet.member().claims("frames", **RECLAIM)
    assert other.claim("a") is None
    assert other.claim("b") is None
    alive(50)
    claim = other.claim("a")
    assert (claim.attempts, other.get("a").error) == (2, DIED)
    assert other.claim("b") is None
    held.check()


def test_what_was_claimed_before_keeps_its_lease_until_it_is_settled(fleet, member, outage, alive):
    claims = member.claims("frames", **RECLAIM)
    held = claims.claim("b")
    cut_off(fleet, member, outage, claims)
    other = fleet.member().claims("frames", **RECLAIM)
    assert other.claim("b") is None
    alive(100)
    held.check()
    assert other.claim("b") is None
    held.complete()
    alive(10)
    assert other.claim("a") is None
    alive(40)
    assert other.claim("a") is not None


def test_the_process_itself_may_run_it_again(fleet, member, outage, alive):
    claims = member.claims("frames", **RECLAIM)
    cut_off(fleet, member, outage, claims)
    assert claims.run(str, ["a"]).done == 1


def test_never_lists_it_as_orphaned(fleet, member, outage, alive):
    claims = member.claims("frames", ttl=30.0)
    cut_off(fleet, member, outage, claims)
    claims.claim("b")
    assert claims.orphaned(timeout=100.0) == ["a"]


def test_who_calls_once_is_told_when_the_result_was_not_stored(fleet, member, outage, alive):
    @member.once("migrate")
    def function():
        member.heartbeat.run_due()
        outage.is_on = True

    with pytest.raises(BackendError):
        function()
    outage.is_on = False
    with pytest.raises(OwnerDied):
        fleet.member().once("migrate")(function)()
    assert fleet.clock.monotonic() < 50.0
    with pytest.raises(OwnerDied):
        function()


def test_an_abandoned_claim_is_over(member):
    claims = member.claims("frames")
    claim = claims.claim("a")
    for _ in range(2):
        claim.abandon()
        with pytest.raises(LeaseLost, match="settled"):
            claim.complete()
    done = claims.claim("b")
    done.complete(1)
    done.abandon()
    assert claims.get("a").worker != claims.get("b").worker
    claims.claim("c").complete()
    assert claims.get("b").worker == claims.get("c").worker
