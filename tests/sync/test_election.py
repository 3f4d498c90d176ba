"""One leader at a time, whom the others can look up and follow."""

from __future__ import annotations

import itertools

import pytest

from persidict_sync.errors import AcquireTimeout, LeaseLost
from tests.sync.fleets import Fleet


@pytest.fixture
def fleet(place):
    return Fleet(place)


@pytest.fixture
def election(fleet):
    return fleet.member().election("indexer")


@pytest.fixture
def rival(fleet):
    return fleet.member().election("indexer")


def test_the_leader_is_known_to_all(election, rival):
    assert rival.leader() is None
    held = election.campaign({"at": "a:1"})
    assert rival.leader() == election.leader() == {"at": "a:1"}
    assert held.data == {"at": "a:1"}
    assert election.resign() is True
    assert rival.leader() is None
    assert held.lost.is_set()


def test_others_campaign_until_the_leader_is_gone(fleet, election, rival):
    election.campaign("a")
    with pytest.raises(AcquireTimeout):
        rival.campaign("b", timeout=5)
    held = rival.campaign("b")
    assert held.token == 2
    assert fleet.clock.monotonic() < 33 + 1.5
    assert election.leader() == "b"


def test_resigning_without_leading(fleet, election):
    with pytest.raises(RuntimeError, match="nobody leads"):
        election.resign()
    election.campaign()
    assert election.resign() is True
    with pytest.raises(RuntimeError, match="nobody leads"):
        election.resign()
    election.campaign()
    fleet.clock.advance(27.0)
    with pytest.raises(LeaseLost):
        election.resign()


def test_followers_see_each_leader_once_and_in_order(fleet, election, rival):
    observed = fleet.member().election("indexer").observe()
    seen = []
    for value in ("a", "b", "b"):
        election.campaign(value)
        seen.append(next(observed))
        election.resign()
    rival.campaign("c")
    seen += itertools.islice(observed, 1)
    assert seen == ["a", "b", "b", "c"]


def test_followers_wait_for_the_next_leader(fleet, election, rival):
    election.campaign("a")
    observed = rival.observe(timeout=10.0)
    assert next(observed) == "a"
    begin = fleet.clock.monotonic()
    assert list(observed) == []
    assert fleet.clock.monotonic() - begin == pytest.approx(10.0)


def test_a_renewal_is_no_new_leader(election, rival):
    held = election.campaign("a")
    observed = rival.observe(timeout=10.0)
    assert next(observed) == "a"
    held.renew()
    assert list(observed) == []


def test_a_wrong_timeout_is_refused_before_anything_is_asked(election):
    with pytest.raises(ValueError, match="timeout"):
        election.observe(timeout=-1)


def test_run_leads_calls_and_resigns(election, rival):
    def lead(held):
        held.check()
        return rival.leader(), held.token

    assert election.run(lead, value="a") == ("a", 1)
    assert rival.leader() is None
    assert rival.campaign("b", timeout=0).token == 3


def test_run_resigns_after_an_error(election, rival):
    def lead(_):
        raise KeyError("mine")

    with pytest.raises(KeyError):
        election.run(lead)
    assert rival.leader() is None


def test_run_tells_of_a_loss(fleet, election):
    with pytest.raises(LeaseLost):
        election.run(lambda _: fleet.clock.advance(27.0))


def test_loss_is_told(fleet):
    told = []
    election = fleet.member().election("indexer", on_lost=told.append)
    held = election.campaign()
    fleet.clock.advance(27.0)
    assert held.remaining() == 0.0
    assert told == [held]
