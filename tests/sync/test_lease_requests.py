"""How many requests a lease costs on S3."""

from __future__ import annotations

import pytest

from persidict_sync.coordinator import Coordinator
from tests.contract.places import InBucket
from tests.s3.wire import Wire
from tests.sync.fleets import Fleet


@pytest.fixture
def place(persidict_bucket, s3_client):
    return InBucket(persidict_bucket, client=s3_client)


@pytest.fixture
def fleet(place):
    # The first write over a connection also finds out whether the store keeps its identity.
    place.open(serialization_format="json")["known"] = 1
    return Fleet(place)


@pytest.fixture
def wire(place):
    with Wire(place.client.meta.events) as wire:
        yield wire


def sent(wire, act):
    before = len(wire)
    result = act()
    return result, wire.operations[before:]


def test_uncontended(fleet, wire):
    lease = fleet.member().lease("nightly")
    held, operations = sent(wire, lease.try_acquire)
    assert operations == ["GetObject", "PutObject"]
    assert sent(wire, held.renew)[1] == ["PutObject"]
    assert sent(wire, held.renew)[1] == ["PutObject"]
    assert sent(wire, held.check)[1] == []
    assert sent(wire, held.remaining)[1] == []
    assert sent(wire, held.release)[1] == ["PutObject"]
    held, operations = sent(wire, lease.try_acquire)
    assert (held.token, operations) == (5, ["PutObject"])


def test_with_a_stale_etag_at_hand(fleet, wire):
    lease, rival = (fleet.member().lease("nightly") for _ in range(2))
    lease.try_acquire().release()
    rival.try_acquire().release()
    held, operations = sent(wire, lease.try_acquire)
    assert (held.token, operations) == (5, ["PutObject", "GetObject", "PutObject"])


def test_a_first_look_at_what_is_held(fleet, wire):
    fleet.member().lease("nightly").try_acquire()
    assert sent(wire, fleet.member().lease("nightly").try_acquire) == (None, ["GetObject"])


def test_each_poll_is_one_conditional_get_without_a_body(fleet, wire, persidict_faults):
    fleet.member().lease("nightly").try_acquire()
    rival = fleet.member().lease("nightly")
    rival.try_acquire()
    persidict_faults.reset_log()
    _, operations = sent(wire, rival.acquire)
    polls, takeover = operations[:-1], operations[-1]
    assert takeover == "PutObject"
    assert set(polls) == {"GetObject"}
    assert 33 / 1.5 <= len(polls) <= 33 + 1
    assert persidict_faults.log().counts["GET"] == {"304": len(polls)}


def test_asking_the_stores_clock_is_one_more_request_at_the_first_look(fleet, wire):
    held = fleet.member().lease("nightly").try_acquire()
    late = fleet.member().lease("nightly", expiry="server")
    assert sent(wire, late.try_acquire) == (None, ["GetObject", "HeadObject"])
    assert sent(wire, late.try_acquire) == (None, ["GetObject"])
    held.renew()
    assert sent(wire, late.try_acquire) == (None, ["GetObject"])


def test_who_holds_it_and_breaking_it(fleet, wire):
    fleet.member().lease("nightly").try_acquire()
    operator = fleet.member().lease("nightly")
    holder, operations = sent(wire, operator.holder)
    assert operations == ["GetObject"]
    freed, operations = sent(wire, lambda: operator.break_(holder.token))
    assert (freed, operations) == (True, ["GetObject", "PutObject"])


def test_a_lock_and_an_election_cost_what_a_lease_costs(fleet, wire):
    member = fleet.member()
    lock, election = member.lock("index"), member.election("leader")
    for enter in (lock.acquire, lambda: election.campaign("me")):
        assert sent(wire, enter)[1] == ["GetObject", "PutObject"]
    assert sent(wire, lock.locked)[1] == []
    assert sent(wire, election.leader)[1] == ["GetObject"]
    for leave in (lock.release, election.resign):
        assert sent(wire, leave)[1] == ["PutObject"]


def test_nothing_is_sent_at_construction(place, wire):
    Coordinator(place.open(serialization_format="json")).lease("nightly")
    assert len(wire) == 0
