"""Claims on every store: who gets a task, what becomes of it, and of what its owner leaves."""

from __future__ import annotations

import os
import pickle
import re
import signal
import threading
from collections import Counter
from typing import ClassVar

import pytest

from persidict import OutcomeUnknownError
from persidict.testing.clock import ManualClock
from persidict_sync.claim_state import (
    DIED,
    Bid,
    ClaimState,
    claimed,
    completed,
    error_text,
    failed,
    given_back,
    requeued,
)
from persidict_sync.context import OWNER_MAX_LENGTH
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import (
    LeaseLost,
    NotDoneError,
    RecordError,
    RecordTooLargeError,
    StaleTokenError,
    TaskFailedError,
)
from persidict_sync.outcome import Refusal
from persidict_sync.record import MAX_BYTES, RING
from tests.sync.around import Around
from tests.sync.fleets import Fleet

MANUAL = {"on_owner_death": "manual"}
RECLAIM = {"on_owner_death": "reclaim", "ttl": 30.0, "max_attempts": 2}
# From Python 3.12 on a fork beside threads is warned of; that it does no harm is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture
def fleet(place):
    return Fleet(place)


@pytest.fixture
def one_and_another(fleet):
    def make(**policy):
        members = fleet.member(), fleet.member()
        return [member.claims("frames", **policy) for member in members]

    return make


def test_one_of_all_gets_a_task_and_all_get_its_result(fleet, one_and_another):
    one, another = one_and_another()
    claim = one.claim("a")
    assert (claim.task, claim.token, claim.attempts) == ("a", 1, 1)
    assert another.claim("a") is None
    assert another.contend("a").owner == another.holder("a") == "worker-1"
    assert one.claim("a") is None
    with pytest.raises(NotDoneError, match="open"):
        another.result("a")
    claim.check()
    claim.complete({"pixels": [1, 2.5, None]})
    assert another.result("a") == {"pixels": [1, 2.5, None]}
    assert another.claim("a") is None
    assert another.holder("a") is None
    told = fleet.told("claimed", "claim-lost", "completed")
    assert [event.name for event in told] == [
        "claimed",
        *["claim-lost"] * 3,
        "completed",
        "claim-lost",
    ]
    assert told[1].fields == {"status": "open", "holder": "worker-1"}


def test_of_16_threads_one_gets_each_task(fleet):
    members = [fleet.member().claims("frames") for _ in range(4)] * 4
    barrier, won = threading.Barrier(16, timeout=60), Counter()

    def contend(claims):
        barrier.wait()
        for number in range(5):
            if claims.claim(f"t{number}") is not None:
                won[number] += 1

    threads = [threading.Thread(target=contend, args=(claims,)) for claims in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == dict.fromkeys(range(5), 1)


def test_listing(one_and_another):
    one, another = one_and_another(**RECLAIM)
    one.claim("open")
    one.claim("done").complete()
    one.claim("failed").fail("no")
    for _ in range(2):
        one.claim(("dead", "1")).fail(OSError("disk"))
    assert another.open() == ["open"]
    assert another.done() == ["done"]
    assert another.failed() == ["failed"]
    assert another.dead() == [("dead", "1")]
    assert another.get(("dead", "1")).error == "OSError: disk"
    assert sorted(another.keys()) == [("dead", "1"), "done", "failed", "open"]
    assert another.get("never") is None
    with pytest.raises(NotDoneError, match="unclaimed"):
        another.result("never")
    with pytest.raises(TaskFailedError, match="dead: OSError: disk"):
        another.result(("dead", "1"))


def test_a_claim_is_settled_once(one_and_another):
    one, _ = one_and_another()
    claim = one.claim("a")
    claim.complete(1)
    for again in (claim.check, claim.complete, lambda: claim.fail("x")):
        with pytest.raises(LeaseLost, match="settled"):
            again()
    assert one.result("a") == 1


@pytest.mark.parametrize("result", [{1, 2}, object(), (1,), {1: 2}, b"", float("nan"), 10**400])
def test_a_result_that_is_no_json_leaves_the_claim_open(one_and_another, result):
    claim = one_and_another()[0].claim("a")
    with pytest.raises((TypeError, RecordError)):
        claim.complete(result)
    claim.complete("fine")


def test_a_result_that_is_too_large_leaves_the_claim_open_and_says_so(one_and_another):
    one, another = one_and_another()
    claim = one.claim("a")
    with pytest.raises(RecordTooLargeError) as raised:
        claim.complete("x" * MAX_BYTES)
    assert re.fullmatch(
        r"The record NonEmptySafeStrTuple\('claim', 'frames', 'a'\) cannot be written: it would "
        r"have \d+ bytes, and 65536 is the most\. Store what is large under a key of a dictionary, "
        r"and here only the key\. Its task stays claimed until it is completed with less, or "
        "failed",
        str(raised.value),
    )
    arrived = pickle.loads(pickle.dumps(raised.value))
    assert (type(arrived), str(arrived)) == (RecordTooLargeError, str(raised.value))
    assert another.get("a").status == "open"
    claim.complete({"key": "a"})
    assert another.result("a") == {"key": "a"}


def test_a_result_of_60_kib_fits_into_any_record():
    frames = Coordinator("memory:", owner="\U0001f600" * OWNER_MAX_LENGTH).claims("f", **MANUAL)
    for _ in range(RING):
        frames.claim("a")
        frames.requeue("a")
    result = "x" * (60 * 1024 - len('""'))
    frames.claim("a").complete(result)
    assert frames.result("a") == result


def test_never_lists_the_orphaned_and_leaves_them(fleet, one_and_another):
    one, another = one_and_another(ttl=30.0)
    member = fleet.member()
    member.claims("frames").claim("alive")
    member.heartbeat.run_due()
    one.claim("lost")
    assert another.orphaned() == []
    for _ in range(14):
        fleet.clock.advance(9.9)
        member.heartbeat.run_due()
    assert another.orphaned() == ["lost"]
    assert another.claim("lost") is None
    with pytest.raises(RuntimeError, match="never begun again"):
        fleet.member().claims("frames", **MANUAL).requeue("lost")


def test_orphaned_waits(fleet, one_and_another):
    one, another = one_and_another(ttl=30.0)
    one.claim("lost")
    assert another.orphaned(timeout=10.0) == []
    assert another.orphaned(timeout=100.0) == ["lost"]
    assert fleet.clock.monotonic() == pytest.approx(33.0, abs=0.1)


def test_who_closes_leaves_orphans_at_once(fleet):
    member = fleet.member()
    member.claims("frames").claim("a")
    member.heartbeat.run_due()
    member.close()
    assert fleet.member().claims("frames").orphaned() == ["a"]


def test_who_closes_before_it_has_shown_that_it_is_alive_leaves_orphans_at_once(fleet):
    member = fleet.member()
    claims = member.claims("frames")
    claims.claim("a").complete()
    member.close()
    assert fleet.told("acquired") == []
    claims.claim("b")
    member.close()
    assert fleet.member().claims("frames").orphaned() == ["b"]
    member.heartbeat.run_due()
    assert fleet.told("acquired") == []


class Slow(Around):
    """A store that does something before its next answer to a verb is read."""

    before_answer: ClassVar = {}

    def pass_on(self, verb, request):
        answer = request()
        Slow.before_answer.pop(verb, lambda: None)()
        return answer


def test_a_life_that_was_shown_too_late_does_not_come_back(fleet, monkeypatch):
    slow = fleet.place.open(clock=fleet.clock, serialization_format="json").with_store(Slow)
    member = Coordinator(slow, clock=fleet.clock)
    claim = member.claims("frames", **RECLAIM).claim("a")
    fleet.clock.advance(18.0)
    claim.check()
    monkeypatch.setattr(Slow, "before_answer", {"put": lambda: fleet.clock.advance(10.0)})
    member.heartbeat.run_due()
    # Its lease would last for longer than it does itself, which begins with the claim.
    with pytest.raises(LeaseLost, match="unreachable"):
        claim.check()
    assert member.heartbeat.members() == []


def test_who_was_frozen_before_it_read_an_answer_takes_nothing_from_the_living(fleet, monkeypatch):
    owner = fleet.member()
    claim = owner.claims("frames", **RECLAIM).claim("a")
    owner.heartbeat.run_due()

    def freeze():
        for _ in range(40):
            fleet.clock.advance(1.0)
            owner.heartbeat.run_due()

    slow = fleet.place.open(clock=fleet.clock, serialization_format="json").with_store(Slow)
    others = Coordinator(slow, clock=fleet.clock).claims("frames", **RECLAIM)
    assert others.claim("a") is None
    # It looks at the claim, which it is refused, and then at its owner.
    answers = iter([lambda: None, freeze])

    def next_answer():
        next(answers, lambda: None)()
        monkeypatch.setitem(Slow.before_answer, "get", next_answer)

    monkeypatch.setattr(Slow, "before_answer", {"get": next_answer})
    assert others.claim("a") is None
    assert next(answers, None) is None
    claim.check()


def test_a_worker_with_nothing_open_stops_renewing(fleet):
    member = fleet.member()
    claims = member.claims("frames", ttl=30.0)
    claims.claim("a").complete()
    member.heartbeat.run_due()
    (worker,) = fleet.told("acquired")
    fleet.clock.advance(10.0)
    member.heartbeat.run_due()
    assert fleet.told("renewed") == []
    claim = claims.claim("b")
    fleet.clock.advance(0.1)
    member.heartbeat.run_due()
    assert fleet.told("acquired")[1].key != worker.key
    claim.complete()


def test_an_operator_requeues(one_and_another):
    one, another = one_and_another(**MANUAL)
    claim = one.claim("a")
    assert another.requeue("a") is True
    assert another.requeue("a") is False
    assert another.requeue("b") is False
    second = another.claim("a")
    assert second.token > claim.token
    with pytest.raises(StaleTokenError) as stale:
        claim.complete("late")
    assert (stale.value.token, stale.value.highest) == (claim.token, second.token)
    second.complete("right")
    assert one.result("a") == "right"
    assert another.requeue("a") is False


def test_reclaim_takes_over_from_the_dead(fleet, one_and_another):
    one, another = one_and_another(**RECLAIM)
    claim = one.claim("a")
    assert another.claim("a") is None
    fleet.clock.advance(32.0)
    assert another.claim("a") is None
    fleet.clock.advance(1.1)
    with pytest.raises(LeaseLost):
        claim.check()
    second = another.claim("a")
    assert (second.token, second.attempts) == (2, 2)
    assert another.get("a").error == DIED
    with pytest.raises(StaleTokenError):
        claim.complete("late")
    second.complete("right")
    assert one.result("a") == "right"


def test_reclaim_leaves_a_worker_alone_that_renews(fleet, one_and_another):
    member = fleet.member()
    claim = member.claims("frames", **RECLAIM).claim("a")
    another = fleet.member().claims("frames", **RECLAIM)
    for _ in range(30):
        member.heartbeat.run_due()
        assert another.claim("a") is None
        fleet.clock.advance(5.0)
    claim.check()
    claim.complete()


def test_the_last_attempt_counts_though_its_owner_died(fleet):
    for _ in range(2):
        claims = fleet.member().claims("frames", **RECLAIM)
        claims.claim("a")
        fleet.clock.advance(100.0)
        claims = fleet.member().claims("frames", **RECLAIM)
        assert claims.claim("a") is None
        fleet.clock.advance(100.0)
        last = claims.claim("a")
        if last is None:
            break
    fleet.clock.advance(100.0)
    watcher = fleet.member().claims("frames", **RECLAIM)
    watcher.claim("a")
    fleet.clock.advance(100.0)
    assert watcher.claim("a") is None
    assert watcher.dead() == ["a"]
    assert (watcher.get("a").attempts, watcher.get("a").error) == (2, DIED)


def test_who_was_cut_off_may_still_commit_while_nobody_took_over(fleet, one_and_another):
    one, another = one_and_another(**RECLAIM)
    claim = one.claim("a")
    fleet.clock.advance(1000.0)
    with pytest.raises(LeaseLost):
        claim.check()
    claim.complete("late, and welcome")
    assert another.result("a") == "late, and welcome"


def test_another_policy_touches_nothing(one_and_another, fleet):
    one, _ = one_and_another(**MANUAL)
    one.claim("a").fail("no")
    one.requeue("a")
    assert fleet.member().claims("frames").claim("a") is None
    assert fleet.member().claims("frames", **RECLAIM).claim("a") is None
    assert one.claim("a").attempts == 1


def lose_answers(member, clock, monkeypatch):
    """Each write is applied, and told of as unknown when the time is up."""
    records = type(member._context.records)
    put = records.set_item_if

    def lost(self, key, **settings):
        put(self, key, **settings)
        clock.advance(1000.0)
        raise OutcomeUnknownError("lost", backend="x", operation="put", key=key, actual_etag=None)

    monkeypatch.setattr(records, "set_item_if", lost)


def test_an_unknown_claim_is_found_by_who_asks_again(fleet, monkeypatch):
    member = fleet.member()
    claims = member.claims("frames")
    lose_answers(member, fleet.clock, monkeypatch)
    with pytest.raises(OutcomeUnknownError):
        claims.claim("a")
    monkeypatch.undo()
    assert fleet.member().claims("frames").claim("a") is None
    claim = claims.claim("a")
    assert claim.token == 1
    assert claims.claim("a") is None
    claim.complete()


def test_an_unknown_result_is_found_by_who_completes_again(fleet, monkeypatch):
    member = fleet.member()
    claim = member.claims("frames").claim("a")
    lose_answers(member, fleet.clock, monkeypatch)
    with pytest.raises(OutcomeUnknownError):
        claim.complete(1)
    monkeypatch.undo()
    claim.complete(1)
    assert member.claims("frames").result("a") == 1


def test_who_fails_again_is_not_told_that_it_failed_when_it_is_done(fleet, monkeypatch):
    member = fleet.member()
    claim = member.claims("frames").claim("a")
    lose_answers(member, fleet.clock, monkeypatch)
    with pytest.raises(OutcomeUnknownError):
        claim.complete(1)
    with pytest.raises(OutcomeUnknownError):
        claim.fail("no")
    monkeypatch.undo()
    with pytest.raises(LeaseLost, match="settled"):
        claim.fail("no")
    assert member.claims("frames").result("a") == 1
    assert fleet.told("failed") == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_holds_no_claim(tmp_path):
    # By hand, so that no thread is in the middle of a write when the process forks.
    fleet = Coordinator(f"sqlite:///{tmp_path}/fleet.db", clock=ManualClock())
    claims = fleet.claims("frames")
    claim = claims.claim("a")
    fleet.heartbeat.run_due()
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            claim.complete("child's")
        except LeaseLost as loss:
            os.write(writer, loss.reason.encode())
            own = claims.claim("b")
            os.write(writer, f" {own.token} {claims.get('b').worker}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        reason, token, worker = pipe.read().split()
    assert (reason, token) == ("forked", "1")
    assert worker != claims.get("a").worker
    claim.complete("parent's")
    assert claims.result("a") == "parent's"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_waits_for_no_thread_of_its_parent(tmp_path):
    fleet = Coordinator(f"sqlite:///{tmp_path}/fleet.db", clock=ManualClock())
    claims = fleet.claims("frames", **RECLAIM)
    claim = claims.claim("a")
    fleet.heartbeat.run_due()
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        bids = claims._bids
        with claim._lock, bids._lock, bids._doubts._lock, bids._life._lock:
            is_held.set()
            may_end.wait(timeout=60)

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait(timeout=60)
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            signal.alarm(20)
            with pytest.raises(LeaseLost, match="forked"):
                claim.complete("child's")
            assert claims.claim("a") is None
            claims.claim("b").complete("child's")
            os.write(writer, b"well")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "well"
    may_end.set()
    thread.join()
    assert claims.result("b") == "child's"


class Signalled(Around):
    """A store that a signal comes to just before or after a write."""

    before = after = staticmethod(lambda: None)

    def pass_on(self, verb, request):
        if verb != "put":
            return request()
        Signalled.before()
        answer = request()
        Signalled.after()
        return answer


@pytest.mark.parametrize(("when", "status"), [("before", "requeued"), ("after", "done")])
def test_a_handler_gives_back_what_its_thread_is_completing(fleet, monkeypatch, when, status):
    d = fleet.place.open(clock=fleet.clock, serialization_format="json").with_store(Signalled)
    claims = Coordinator(d, clock=fleet.clock).claims("frames", **RECLAIM)
    claim, lost = claims.claim("a"), []

    def settle(call):
        try:
            call()
        except LeaseLost as loss:
            lost.append(loss.reason)

    def handler():
        monkeypatch.undo()
        settle(lambda: claim.give_back("terminated"))

    monkeypatch.setattr(Signalled, when, handler)
    # In a thread of its own: it would wait for itself for ever.
    thread = threading.Thread(target=settle, args=(claim.complete,), daemon=True)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert lost == ["settled"]
    assert claims.get("a").status == status


BID = Bid("c" * 24, "w" * 24, "worker-1", 30.0, "reclaim", 2)
STATE = claimed(None, 0, bid=BID, died=None)


def test_transitions():
    assert claimed(STATE, 1, bid=BID, died=None) == Refusal("open")
    assert claimed(STATE, 1, bid=BID, died=9) == Refusal("open")
    second = claimed(STATE, 1, bid=BID, died=1)
    assert (second.token, second.attempts, second.error) == (2, 2, DIED)
    dead = claimed(second, 2, bid=BID, died=2)
    assert (dead.status, dead.error) == ("dead", DIED)
    assert claimed(dead, 3, bid=BID, died=3) == Refusal("dead")
    done = completed(STATE, 1, token=1, result=7)
    assert (done.status, done.result) == ("done", 7)
    assert completed(done, 2, token=1, result=8) == Refusal("settled")
    assert completed(second, 2, token=1, result=8) == Refusal("stale")
    assert completed(None, 0, token=1, result=8) == Refusal("gone")
    assert failed(STATE, 1, token=1, error="e", max_attempts=2).status == "failed"
    assert failed(STATE, 1, token=1, error="e", max_attempts=1).status == "dead"
    assert given_back(STATE, 1, token=1, error="e", max_attempts=2).status == "requeued"
    assert given_back(STATE, 1, token=1, error="e", max_attempts=1).status == "dead"
    again = requeued(dead, 3)
    assert (again.status, again.attempts, again.token) == ("requeued", 0, 4)
    assert requeued(done, 2) == Refusal("done")


def test_the_text_of_an_error_is_bounded_and_can_be_stored():
    assert error_text(ValueError("x" * 5000)).startswith("ValueError: xxx")
    assert len(error_text(ValueError("x" * 5000))) == 1000
    assert error_text("\ud800") == "?"


class UnspeakableError(Exception):
    def __str__(self):
        raise ValueError


def test_an_error_that_cannot_be_told_is_told_by_its_name(fleet):
    def function(task):
        raise UnspeakableError

    claims = fleet.member().claims("frames")
    assert claims.run(function, ["a", "b"]).failed == 2
    assert claims.get("a").error == "UnspeakableError"


@pytest.mark.parametrize(
    "change",
    [
        {"status": "lost"},
        {"on_owner_death": "retry"},
        {"token": 0},
        {"ttl": 0},
        # A worker's identity becomes a part of a key.
        {"worker": "../../elsewhere"},
        {"worker": "e" * 23},
        {"claim": "D" * 24},
    ],
)
def test_a_damaged_record_is_refused(change):
    with pytest.raises(RecordError):
        ClaimState.parse({**STATE.body(), **change})


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"on_owner_death": "requeue"}, ValueError, "refused"),
        ({"on_owner_death": "maybe"}, ValueError, "maybe"),
        ({"on_owner_death": "reclaim"}, ValueError, "needs ttl"),
        ({"on_owner_death": "reclaim", "ttl": 30.0}, ValueError, "max_attempts"),
        ({**RECLAIM, "max_attempts": 0}, ValueError, "1 or more"),
        ({**RECLAIM, "max_attempts": 1.5}, TypeError, "float"),
        ({"max_attempts": 3}, ValueError, "belongs to"),
        ({"ttl": 0}, ValueError, "ttl"),
        ({"name": "a/b"}, ValueError, "a/b"),
        ({"name": ("a", "b")}, TypeError, "one string"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    settings = {"name": "frames", **arguments}
    with pytest.raises(error, match=text):
        Coordinator("memory:").claims(settings.pop("name"), **settings)
