"""A lease on S3 while requests and answers are lost, doubled, late, or never come."""

from __future__ import annotations

import threading
import time

import pytest

from persidict import BackendError, BasicS3Dict, OutcomeUnknownError
from persidict.clock import SYSTEM_CLOCK
from persidict.testing import FaultKind, FaultRule
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import AcquireTimeout, LeaseLost

LOST = [
    FaultRule(kind=kind, nth=(0,), methods=("PUT",), conditional=True)
    for kind in (
        FaultKind.DROP_REQUEST,
        FaultKind.DROP_REPLY,
        FaultKind.RESET_REPLY,
        FaultKind.ERROR_500_BEFORE,
        FaultKind.ERROR_500_AFTER,
        FaultKind.ERROR_503_BEFORE,
        FaultKind.ERROR_503_AFTER,
        FaultKind.DUPLICATE_FIRST,
        FaultKind.DUPLICATE_SECOND,
        FaultKind.CONFLICT,
        FaultKind.TRUNCATE,
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
    for requests in (1, 2, 3)
]


@pytest.fixture
def client(persidict_server):
    client = persidict_server.client(
        retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=60
    )
    yield client
    client.close()


@pytest.fixture
def s3(persidict_bucket, client):
    def member(clock, **settings):
        store = BasicS3Dict(
            bucket_name=persidict_bucket,
            s3_client=client,
            create_bucket=False,
            serialization_format="json",
            clock=clock,
        )
        return Coordinator(store, clock=clock, **settings)

    return member


def by_name(rule):
    late = "" if rule.after_requests is None else f"-{rule.after_requests}"
    return f"{rule.kind}{late}"


@pytest.mark.parametrize("rule", LOST, ids=by_name)
def test_each_step_happens_exactly_once_whatever_becomes_of_its_first_request(
    s3, persidict_faults, rule
):
    clock = ManualClock()
    lease, rival = s3(clock).lease("nightly"), s3(clock).lease("nightly")
    steps = []

    def faulty(act):
        persidict_faults.set_faults(rule)
        result = act()
        steps.append(persidict_faults.fault_report().count(rule.kind))
        persidict_faults.clear_faults()
        return result

    held = faulty(lease.try_acquire)
    assert (held.token, rival.try_acquire()) == (1, None)
    faulty(held.renew)
    held.check()
    assert rival.holder().token == 1
    assert faulty(held.release) is True
    assert rival.holder() is None
    assert rival.try_acquire().token == 4
    assert steps == [1, 1, 1]


def test_an_acquisition_that_cannot_be_settled_is_nobodys_and_is_outwaited(s3, persidict_faults):
    clock = ManualClock()
    lease = s3(clock).lease("nightly")
    puts, gets = (
        FaultRule(kind=FaultKind.DROP_REPLY, methods=(method,), key="*nightly*")
        for method in ("PUT", "GET")
    )
    assert lease.holder() is None
    persidict_faults.set_faults(puts, gets)
    with pytest.raises(OutcomeUnknownError):
        lease.try_acquire()
    persidict_faults.clear_faults()
    begin = clock.monotonic()
    held = lease.acquire()
    assert held.token == 2
    assert 33.0 <= clock.monotonic() - begin <= 33.0 + 1.5


def test_waiting_goes_on_after_an_acquisition_that_cannot_be_settled(s3, monkeypatch):
    clock = ManualClock()
    lease = s3(clock).lease("nightly")
    update = lease._cell.update

    def unknown_at_first(*args, **settings):
        monkeypatch.setattr(lease._cell, "update", update)
        update(*args, **settings)
        raise OutcomeUnknownError("", backend="S3", operation="put", key="k", actual_etag=None)

    monkeypatch.setattr(lease._cell, "update", unknown_at_first)
    assert lease.acquire(timeout=100.0).token == 2
    assert clock.monotonic() > 33.0


def test_a_store_that_answers_only_conflicts_gives_it_to_nobody(s3, persidict_faults):
    clock = ManualClock()
    lease = s3(clock).lease("nightly")
    persidict_faults.set_faults(FaultRule(kind=FaultKind.CONFLICT, methods=("PUT",)))
    assert lease.try_acquire() is None
    with pytest.raises(AcquireTimeout) as caught:
        lease.acquire(timeout=1.0)
    assert caught.value.holder is None


def test_a_store_that_is_gone_is_told_and_the_holder_keeps_its_time(s3, persidict_faults):
    clock = ManualClock()
    held = s3(clock).lease("nightly").try_acquire()
    persidict_faults.set_faults(FaultRule(kind=FaultKind.FORBIDDEN))
    clock.advance(10.0)
    with pytest.raises(BackendError):
        held.renew()
    assert held.remaining() == pytest.approx(17.0)
    clock.advance(17.0)
    with pytest.raises(LeaseLost) as caught:
        held.check()
    assert caught.value.reason == "unreachable"
    assert isinstance(caught.value.__cause__, BackendError)


def test_a_release_that_is_not_confirmed_says_so_and_the_ttl_ends_it(s3, persidict_faults):
    clock = ManualClock()
    lease, rival = s3(clock).lease("nightly"), s3(clock).lease("nightly")
    held = lease.try_acquire()
    persidict_faults.set_faults(FaultRule(kind=FaultKind.FORBIDDEN))
    assert held.release() is False
    assert held.lost.is_set()
    persidict_faults.clear_faults()
    assert rival.try_acquire() is None
    clock.advance(33.1)
    assert rival.try_acquire().token == 2


def in_thread(act):
    outcome = []

    def body():
        try:
            outcome.append(act())
        except Exception as error:  # noqa: BLE001 - the test looks at it
            outcome.append(error)

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    return thread, outcome


def wait_for_landing(rival, *, generation):
    """Wait until a write has landed whose answer is held back."""
    end = time.monotonic() + 30
    while rival.holder() is None or rival._lookout.seen.known.generation < generation:
        assert time.monotonic() < end


def test_while_a_renewal_hangs_the_loss_is_told_at_the_deadline_and_it_revives_nothing(
    s3, persidict_faults
):
    clock = ManualClock()
    told = []
    held = s3(clock).lease("nightly", on_lost=told.append).try_acquire()
    persidict_faults.set_faults(
        FaultRule(kind=FaultKind.DELAY, seconds=3600.0, methods=("PUT",), max_count=1)
    )
    clock.advance(10.0)
    thread, outcome = in_thread(held.renew)
    rival = s3(clock).lease("nightly")
    wait_for_landing(rival, generation=2)
    clock.advance(16.999)
    held.check()
    clock.advance(0.001)
    with pytest.raises(LeaseLost) as caught:
        held.check()
    assert (caught.value.reason, told) == ("unreachable", [held])
    assert held.lost.is_set()
    assert thread.is_alive()
    persidict_faults.clear_faults()
    thread.join(30)
    assert [type(one) for one in outcome] == [LeaseLost]
    # The renewal had landed, under a token that nobody holds any more: it was given back.
    assert rival.holder() is None


def test_releasing_while_a_renewal_hangs_resurrects_nothing(s3, persidict_faults):
    clock = ManualClock()
    held = s3(clock).lease("nightly").try_acquire()
    rival = s3(clock).lease("nightly")
    persidict_faults.set_faults(
        FaultRule(kind=FaultKind.DELAY, seconds=3600.0, methods=("PUT",), max_count=1)
    )
    renewing, renewal = in_thread(held.renew)
    wait_for_landing(rival, generation=2)
    releasing, release = in_thread(held.release)
    assert held.lost.wait(30)
    assert renewing.is_alive()
    assert releasing.is_alive()
    persidict_faults.clear_faults()
    renewing.join(30)
    releasing.join(30)
    assert release == [True]
    assert renewal[0].reason == "released"
    assert rival.try_acquire().token == 4


def test_renewed_in_the_background_by_real_time_until_released(s3):
    renewed = threading.Semaphore(0)

    def hear(event):
        if event.name == "renewed":
            renewed.release()

    with s3(SYSTEM_CLOCK, listeners=[hear]) as fleet:
        held = fleet.lease("nightly", ttl=10.0, renew_every=0.02).acquire()
        for _ in range(5):
            assert renewed.acquire(timeout=30)
        held.check()
    assert held.lost.is_set()


def test_a_black_hole_is_told_before_the_ttl_ends_by_real_time(s3, persidict_faults):
    told = []
    ended = threading.Event()

    def on_lost(held):
        told.append((time.monotonic(), held))
        ended.set()

    begin = time.monotonic()
    lease = s3(SYSTEM_CLOCK).lease("nightly", ttl=0.5, renew_every=0.05, on_lost=on_lost)
    other = s3(SYSTEM_CLOCK).lease("other", ttl=60.0, renew_every=0.05)
    held, alive = lease.acquire(), other.acquire()
    persidict_faults.set_faults(
        FaultRule(kind=FaultKind.BLACK_HOLE, methods=("PUT",), key="*nightly*")
    )
    # Not `is_set`, which looks at the clock itself: the scheduler has to wake who waits.
    assert held.lost.wait(30)
    assert ended.wait(30)
    assert told[0][1] is held
    assert told[0][0] - begin < 10
    with pytest.raises(LeaseLost) as caught:
        held.check()
    assert caught.value.reason == "unreachable"
    alive.check()
    persidict_faults.clear_faults()
    assert alive.release() is True
