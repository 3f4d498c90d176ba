"""What a coordinator counts of what has happened."""

from __future__ import annotations

import itertools
import os
import threading

import pytest

from persidict.testing import FaultKind, FaultRule
from persidict_sync import stats as stats_module
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import AcquireTimeout, LeaseLost
from persidict_sync.events import Event
from persidict_sync.stats import Request, Row, Tally
from tests.contract.places import InMemory
from tests.sync.fleets import Fleet
from tests.sync.interrupted import interrupted_at


@pytest.fixture
def fleet():
    return Fleet(InMemory())


def test_nothing_has_happened_at_first(fleet):
    stats = fleet.member().stats()
    assert (stats.counts, stats.waited, stats.requests) == ({}, 0.0, {})
    assert stats.count("acquired") == 0


def test_of_leases_by_kind_and_reason(fleet):
    ours, theirs = fleet.member(), fleet.member()
    held = ours.lease("a").acquire()
    held.renew()
    held.release()
    lock = ours.lock("b")
    lock.acquire()
    theirs.lease("a").acquire()
    fleet.clock.advance(27.0)
    with pytest.raises(LeaseLost):
        lock.release()
    stats = ours.stats()
    assert stats.counts == {
        Row("lease", "acquired"): 1,
        Row("lease", "renewed"): 1,
        Row("lease", "released"): 1,
        Row("lock", "acquired"): 1,
        Row("lock", "lost", "expired"): 1,
    }
    assert stats.count("acquired") == 2
    assert stats.count("acquired", kind="lock") == 1
    assert stats.count("lost", detail="expired") == 1
    assert stats.count("lost", detail="stolen") == 0
    assert theirs.stats().count("acquired") == 1


def test_of_waiting_for_others(fleet):
    fleet.member().lease("a").acquire()
    ours = fleet.member()
    with pytest.raises(AcquireTimeout):
        ours.lease("a").acquire(timeout=5.0)
    assert (ours.stats().count("waited"), ours.stats().waited) == (1, pytest.approx(5.0))
    ours.lease("b").acquire()
    assert ours.stats().count("waited") == 1


def test_of_claims_and_of_waiting_for_what_runs_once(fleet):
    ours, theirs = fleet.member(), fleet.member()
    theirs.claims("frames").claim("a").complete()
    assert ours.claims("frames").claim("a") is None
    assert ours.stats().count("claim-lost", detail="done") == 1
    assert ours.stats().count("claim-lost", detail="open") == 0
    assert theirs.stats().count("completed", kind="claim") == 1

    @theirs.once("migrate")
    def migrate():
        with pytest.raises(TimeoutError):
            ours.once("migrate", timeout=3.0)(print)()

    migrate()
    assert ours.stats().waited == pytest.approx(3.0)
    assert ours.stats().count("waited", kind="once") == 1


def test_of_an_update_with_trouble(bucket, rival_bucket, control, fleet, wire):
    ours = Fleet(bucket).member()
    counter, rival = ours.counter("n"), Fleet(rival_bucket).member().counter("n")
    counter.add()
    rival.add()
    counter.add()
    control.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("PUT",), nth=(0,)))
    wire.after_write(rival.add, before=("GetObject", "HeadObject"))
    counter.add()
    stats = ours.stats()
    assert (stats.count("conflict"), stats.count("doubt")) == (1, 1)
    assert stats.count("settled", detail=True) == 1
    assert stats.count("settled", detail=False) == 0


def test_what_was_handed_out_does_not_change(fleet):
    member = fleet.member()
    before = member.stats()
    member.counter("n").add()
    assert before.counts == {}
    assert member.stats().counts == {Row("counter", "counted"): 1}


def test_threads_lose_no_count():
    tally, event = Tally(), Event("acquired", "lease", "a", "me", 0.0)
    threads = [
        threading.Thread(target=lambda: [tally(event) for _ in range(2_000)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.stats().count("acquired") == 16_000


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_counts_anew_whatever_another_thread_was_at():
    fleet = Coordinator("memory:")
    fleet.counter("n").add()
    with fleet._tally._lock:
        child = os.fork()
        if child == 0:
            fleet.counter("n").add()
            os._exit(fleet.stats().count("counted"))
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    assert fleet.stats().count("counted") == 1


def test_of_requests_and_what_they_cost(fleet):
    ours, theirs = fleet.member(), fleet.member()
    counter = ours.counter("n")
    counter.add()
    counter.value()
    theirs.counter("n").add()
    counter.add()
    list(ours.claims("frames").keys())
    stats = ours.stats()
    assert stats.requests == {
        Request("get", "absent"): 1,
        Request("put", "applied"): 2,
        Request("put", "refused"): 1,
        Request("get", "unchanged"): 1,
        Request("get", "answered"): 1,
        Request("list", "answered"): 1,
    }
    assert stats.cost() == pytest.approx((4 * 0.005 + 3 * 0.0004) / 1000)
    assert stats.cost(write_price=1.0, read_price=0.0) == pytest.approx(0.004)


def test_of_requests_that_were_not_answered(bucket, control):
    ours = Coordinator(bucket.open(), clock=bucket.clock)
    control.set_faults(
        FaultRule(kind=FaultKind.DROP_REPLY, methods=("PUT",), nth=(0,)),
        FaultRule(kind=FaultKind.CONFLICT, methods=("PUT",), nth=(1,)),
        FaultRule(kind=FaultKind.DROP_REQUEST, methods=("GET",), nth=(2,)),
    )
    counter = ours.counter("n")
    assert (counter.add(), counter.add(), counter.value()) == (1, 2, 2)
    assert ours.stats().requests == {
        Request("get", "absent"): 1,
        Request("get", "answered"): 1,
        Request("get", "unanswered"): 1,
        Request("get", "unchanged"): 1,
        Request("put", "unanswered"): 1,
        Request("put", "conflict"): 1,
        Request("put", "applied"): 1,
    }


def test_no_interrupt_leaves_a_child_with_its_parents_lock(monkeypatch):
    # What is interrupted is the first count after a fork, while another thread was counting.
    for nth in itertools.count(1):
        tally = Tally()
        tally._lock.acquire()
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            begins = interrupted_at(nth, tally._be_of_this_process, modules=[stats_module])
            tally._be_of_this_process()
            assert not tally._lock.locked(), f"interrupt {nth}"
        if not begins:
            break
    assert nth > 3
