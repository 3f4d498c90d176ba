"""What becomes of a request, fault by fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from persidict.object_store import (
    Applied,
    IfAbsent,
    IfMatch,
    Name,
    NotApplied,
    Refused,
    TransientError,
    Unaccounted,
)
from persidict.write import md5
from scenarios.simulation.faults import KINDS, READ_FAULTS, WRITE_FAULTS, Mix
from scenarios.simulation.limits import DELETABLE
from scenarios.simulation.network import Network
from tests.simulation.stage import TIMES, plan, staged

NAME = Name.of("a", "a.json")


def answered(kind, act):
    """What a request is answered that a fault strikes, when, and what is stored then and later."""
    with staged(plan(mix=Mix(1.0, {kind: 1.0}))) as stage:
        host, seen = stage.host(), {}
        network = Network(stage.world, host, mix=stage.world.plan.mix)

        def body():
            try:
                seen["answer"] = act(network)
            except TransientError as error:
                seen["answer"] = error
            seen["at"], seen["then"] = stage.scheduler.now, dict(stage.world.bucket.objects)

        stage.run(host, body)
        assert stage.world.strikes == {kind: 1}
        fault = next(
            fields for _, _, name, fields in stage.world.chronicle.lines if name == "fault"
        )
        assert fault["until"] <= stage.scheduler.now
        return seen["answer"], seen["at"], len(seen["then"]), len(stage.world.bucket.objects)


def put(network):
    return network.put(
        NAME, b"{}", write_id="1", content_type="application/json", precondition=IfAbsent()
    )


@pytest.mark.parametrize(
    ("kind", "answer", "then", "later"),
    [
        ("request-lost", Unaccounted, 0, 0),
        ("reply-lost", Unaccounted, 1, 1),
        ("error-before", Unaccounted, 0, 0),
        ("error-after", Unaccounted, 1, 1),
        ("conflict", NotApplied, 0, 0),
        ("not-sent", NotApplied, 0, 0),
        ("doubled", Applied, 1, 1),
        ("doubled-and-crossed", Refused, 1, 1),
        ("late", Unaccounted, 0, 1),
        ("slow-answer", Applied, 1, 1),
    ],
)
def test_writes(kind, answer, then, later):
    told, at, stored, stored_later = answered(kind, put)
    assert (type(told), stored, stored_later) == (answer, then, later)
    assert at <= TIMES.request + 1e-9


def test_every_fault_of_writes_is_tested():
    (marks,) = test_writes.pytestmark
    assert {case[0] for case in marks.args[1]} == set(WRITE_FAULTS)


def test_409_and_no_connection_are_told_apart():
    assert answered("conflict", put)[0].conflict
    assert not answered("not-sent", put)[0].conflict


@pytest.mark.parametrize("kind", sorted(READ_FAULTS))
def test_reads(kind):
    told, at, _, _ = answered(kind, lambda network: network.get(NAME))
    if kind == "slow-answer":
        assert told is None
        assert at > TIMES.request * 0.3
    else:
        assert isinstance(told, TransientError)
        assert isinstance(told.__cause__, Exception)


def test_who_is_cut_off_hears_nothing_and_some_requests_arrive_afterwards():
    with staged() as stage:
        host, answers = stage.host(), []
        network = Network(stage.world, host, mix=stage.world.plan.mix)
        host.cut_until = 20.0

        def body():
            while stage.scheduler.now < 20.0:
                answers.append(put(network))

        stage.run(host, body)
        assert all(isinstance(answer, Unaccounted) for answer in answers)
        assert list(stage.world.bucket.objects) == [NAME]
        assert stage.world.bucket.objects[NAME].written >= 20.0


def test_an_answer_that_would_come_after_the_timeout_does_not_come():
    with staged() as stage:
        host, seen = stage.host(), []
        hasty = Network(stage.world, host, mix=stage.world.plan.mix).within(0.006)

        def body():
            seen.append(put(hasty))

        stage.run(host, body)
        assert isinstance(seen[0], Unaccounted)
        assert len(stage.world.bucket.objects) == 1


@pytest.mark.parametrize("kind", ["late", "doubled-and-crossed"])
def test_what_the_contract_leaves_open_does_not_strike_what_is_deleted(kind):
    name = Name.of("a", f"{DELETABLE}/a.json")
    with staged(plan(mix=Mix(1.0, {kind: 1.0}))) as stage:
        host, answers = stage.host(), []

        def body():
            network = Network(stage.world, host, mix=stage.world.plan.mix)
            answers.append(
                network.put(name, b"", write_id="1", content_type="", precondition=IfAbsent())
            )

        stage.run(host, body)
        assert answers == [Applied(f'"{md5(b"")}"')]
        assert not stage.world.strikes


def test_a_process_is_frozen_in_the_midst_of_a_request_which_arrives():
    with staged(plan(mix=Mix(0.0, {}, freezing=1.0))) as stage:
        host, seen = stage.host(), []
        network = Network(stage.world, host, mix=stage.world.plan.mix)

        def body():
            seen.append(put(network))
            seen.append(stage.scheduler.now)

        stage.run(host, body)
        (stored,) = stage.world.bucket.objects.values()
        assert isinstance(seen[0], Applied)
        assert stored.written < 0.1 < seen[1]


def test_the_bucket_is_like_s3():
    with staged() as stage:
        bucket = stage.world.bucket
        assert bucket.put("a", b"x", write_id="1", precondition=None) == Applied(f'"{md5(b"x")}"')
        assert bucket.put("a", b"x", write_id="2", precondition=IfAbsent()) == Refused()
        assert bucket.put("b", b"x", write_id="2", precondition=IfMatch("no")) == Refused()
        assert bucket.delete("b", precondition=IfMatch("no")) == Refused()
        assert bucket.delete("b", precondition=None) == Applied("")
        seen = bucket.get("a")
        assert (seen.body, seen.write_id, seen.etag) == (b"x", "1", f'"{md5(b"x")}"')
        assert bucket.head("a").body is None
        page, after = bucket.list("", after="")
        assert ([entry.name for entry in page], after) == (["a"], None)


def test_each_kind_has_a_name_of_its_own():
    assert len(KINDS) == len(set(KINDS)) == 16


def test_in_a_lull_no_request_is_struck():
    with staged(plan(mix=Mix(1.0, {"error-before": 1.0}), lulls=[(10.0, 20.0)])) as stage:
        host, answers = stage.host(), []
        network = Network(stage.world, host, mix=stage.world.plan.mix)

        def body():
            for at in (9.0, 10.0, 19.9, 20.0):
                host.clock.sleep(at - stage.scheduler.now)
                answers.append(type(put(network)))

        stage.run(host, body)
    assert answers == [Unaccounted, Applied, Refused, Unaccounted]


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_answer_comes_in_time_however_long_its_request_takes(seed):
    times = replace(TIMES, latency=0.2, request=1.0)
    with staged(plan(seed=seed, times=times, mix=Mix(1.0, {"slow-answer": 1.0}))) as stage:
        host, seen = stage.host(rate=1.05), []
        network = Network(stage.world, host, mix=stage.world.plan.mix)
        stage.run(host, lambda: seen.append(type(put(network))))
    assert seen == [Applied]


def test_who_has_less_time_than_a_request_takes_waits_for_a_slow_answer_in_vain():
    times = replace(TIMES, latency=1.0, request=0.1)
    with staged(plan(times=times, mix=Mix(1.0, {"slow-answer": 1.0}))) as stage:
        host, seen = stage.host(), []
        network = Network(stage.world, host, mix=stage.world.plan.mix)
        stage.run(host, lambda: seen.append((type(put(network)), stage.scheduler.now)))
    assert seen == [(Unaccounted, pytest.approx(0.1))]
