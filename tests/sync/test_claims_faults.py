"""Claims, fences and once on S3: what they cost, and what lost and doubled messages do to them."""

from __future__ import annotations

import threading

import pytest

from persidict.testing import FaultKind, FaultRule
from persidict_sync.errors import StaleTokenError
from tests.sync.fleets import Fleet
from tests.sync.test_fenced import Token

SPOILED = [
    FaultRule(kind=kind, nth=(0,), methods=("PUT",), conditional=True)
    for kind in (
        FaultKind.DROP_REQUEST,
        FaultKind.DROP_REPLY,
        FaultKind.RESET_REPLY,
        FaultKind.ERROR_500_BEFORE,
        FaultKind.ERROR_500_AFTER,
        FaultKind.ERROR_503_AFTER,
        FaultKind.DUPLICATE_FIRST,
        FaultKind.DUPLICATE_SECOND,
        FaultKind.CONFLICT,
    )
] + [
    FaultRule(
        kind=FaultKind.LATE,
        nth=(0,),
        methods=("PUT",),
        conditional=True,
        close=True,
        after_requests=requests,
    )
    for requests in (1, 2)
]


def by_name(rule):
    return f"{rule.kind}-{rule.after_requests}"


@pytest.fixture
def fleet(bucket):
    # The first write over a connection also finds out whether the store keeps its identity.
    bucket.open(serialization_format="json")["known"] = 1
    return Fleet(bucket)


@pytest.fixture
def cost(wire):
    def of(act):
        before = len(wire)
        act()
        return wire.operations[before:]

    return of


def test_requests_of_claims(fleet, cost):
    one, another = (fleet.member().claims("frames") for _ in range(2))
    won = []
    assert cost(lambda: won.append(one.claim("a"))) == ["PutObject"]
    assert cost(lambda: won.append(one.claim("b"))) == ["PutObject"]
    assert cost(lambda: another.claim("a")) == ["PutObject", "GetObject"]
    assert cost(lambda: one.claim("a")) == ["PutObject", "GetObject"]
    assert cost(won[0].check) == []
    assert cost(lambda: won[0].complete(1)) == ["PutObject"]
    assert cost(lambda: won[1].fail("x")) == ["PutObject"]
    assert cost(lambda: another.result("a")) == ["GetObject"]


def test_requests_of_liveness(fleet, cost):
    member = fleet.member()
    claims = member.claims("frames", ttl=30.0)
    claims.claim("a")
    assert cost(member.heartbeat.run_due) == ["PutObject"]
    claims.claim("b")
    assert cost(member.heartbeat.run_due) == []
    fleet.clock.advance(10.0)
    assert cost(member.heartbeat.run_due) == ["PutObject"]


def test_requests_of_fenced_writes(fleet, bucket, cost):
    fenced = fleet.member().fenced(bucket.open(serialization_format="json"), Token(1))
    fenced["a"] = 1
    assert cost(lambda: fenced.update(a=2)) == ["GetObject", "PutObject"]
    assert cost(lambda: fenced["a"]) == ["GetObject"]


def test_requests_of_once(fleet, cost):
    calls = [fleet.member().once("migrate")(lambda: 7) for _ in range(2)]
    assert cost(calls[0]) == ["PutObject", "PutObject"]
    assert cost(calls[0]) == []
    assert cost(calls[1]) == ["PutObject", "GetObject"]


@pytest.mark.parametrize("rule", SPOILED, ids=by_name)
def test_a_claim_is_had_by_who_won_it_whatever_becomes_of_the_first_request(fleet, control, rule):
    one, another = (fleet.member().claims("frames") for _ in range(2))
    control.set_faults(rule)
    claim = one.claim("a")
    assert control.fault_report().fired
    assert claim is not None
    assert another.claim("a") is None
    assert one.claim("a") is None
    control.set_faults(rule)
    claim.complete(7)
    assert control.fault_report().fired
    control.clear_faults()
    assert another.result("a") == 7
    assert another.get("a").token == 1


@pytest.mark.parametrize("rule", SPOILED, ids=by_name)
def test_one_of_two_gets_a_task_whatever_becomes_of_the_first_request(fleet, control, rule):
    members = [fleet.member().claims("frames") for _ in range(2)]
    control.set_faults(rule)
    barrier, claims = threading.Barrier(2, timeout=60), []

    def contend(member):
        barrier.wait()
        claims.append(member.claim("a"))

    threads = [threading.Thread(target=contend, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in claims) == 1


@pytest.mark.parametrize("rule", SPOILED, ids=by_name)
def test_a_fenced_write_lands_once(fleet, bucket, control, rule):
    d = bucket.open(serialization_format="json", root_prefix="data")
    first, second = (fleet.member().fenced(d, Token(token)) for token in (1, 2))
    first["a"] = [1]
    control.set_faults(rule)
    first.transform_item("a", transformer=lambda value: [*value, 2])
    assert control.fault_report().fired
    control.clear_faults()
    assert first["a"] == [1, 2]
    control.set_faults(rule)
    second["a"] = 3
    control.clear_faults()
    with pytest.raises(StaleTokenError):
        first["a"] = 4
    assert (second["a"], d["a"]["generation"]) == (3, 3)
