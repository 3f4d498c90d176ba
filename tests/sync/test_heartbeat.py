"""The scheduler: what is due when, who does it, and that nothing delays a deadline."""

from __future__ import annotations

import sys
import threading

import pytest

from persidict import BackendError, LocalDict, daemons
from persidict.clock import SystemClock
from persidict.testing.clock import ManualClock
from persidict_sync import heartbeat as module
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost
from persidict_sync.heartbeat import Heartbeat, heartbeat_for
from persidict_sync.record import RecordCodec
from tests.contract.places import DictOver, store_of
from tests.sync.around import Around


class One:
    """Something to keep alive, which notes what is asked of it."""

    def __init__(self, clock, *, every=10.0, work=None, context="ours"):
        self.context = context
        self.clock = clock
        self.every = every
        self.due = clock.monotonic() + every
        self.attended = []
        self.work = work
        self.was_let_go = threading.Event()
        self.is_over = False

    def next_due(self):
        return None if self.is_over else self.due

    def on_due(self):
        self.attended.append(self.clock.monotonic())
        self.due = self.clock.monotonic() + self.every
        return self.work

    def on_fork(self):
        self.due = None

    def let_go(self):
        self.was_let_go.set()


@pytest.fixture
def clock():
    return ManualClock()


def test_by_hand_everything_due_is_done_and_nothing_else(clock):
    heartbeat = Heartbeat(clock)
    ten, seven = One(clock), One(clock, every=7.0)
    for one in (ten, seven):
        heartbeat.schedule(one)
    threads = threading.active_count()
    for _ in range(21):
        clock.advance(1.0)
        heartbeat.run_due()
    assert (ten.attended, seven.attended) == ([10.0, 20.0], [7.0, 14.0, 21.0])
    assert threading.active_count() == threads


def test_what_is_never_due_again_is_forgotten(clock):
    heartbeat = Heartbeat(clock)
    one = One(clock)
    heartbeat.schedule(one)
    assert heartbeat.members() == [one]
    one.due = None
    heartbeat.schedule(one)
    clock.advance(100.0)
    heartbeat.run_due()
    assert (heartbeat.members(), one.attended) == ([], [])


def test_what_is_scheduled_anew_is_due_only_then(clock):
    heartbeat = Heartbeat(clock)
    one = One(clock)
    heartbeat.schedule(one)
    one.due = 30.0
    heartbeat.schedule(one)
    clock.advance(29.0)
    heartbeat.run_due()
    assert one.attended == []
    clock.advance(1.0)
    heartbeat.run_due()
    assert one.attended == [30.0]


def test_what_has_gone_leaves_nothing_behind(clock):
    heartbeat = Heartbeat(clock)
    stays = One(clock, every=1e6)
    heartbeat.schedule(stays)
    for _ in range(1_000):
        one = One(clock)
        heartbeat.schedule(one)
        one.due = None
        heartbeat.schedule(one)
    assert len(heartbeat._queue) < 100


def test_a_system_clock_has_one_heartbeat_and_every_other_clock_its_own(clock):
    assert heartbeat_for(SystemClock()) is heartbeat_for(SystemClock())
    assert heartbeat_for(clock) is not heartbeat_for(clock)


def test_work_that_hangs_delays_neither_deadlines_nor_other_work():
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    hangs, goes_on, worked = threading.Event(), threading.Event(), threading.Event()
    hung = One(clock, every=0.001, work=hangs.wait)
    other = One(clock, every=0.001, work=worked.set)
    plain = One(clock, every=0.001, work=None)
    plain.on_due = goes_on.set
    heartbeat.schedule(hung)
    while not hung.attended:
        pass
    hung.is_over = True
    heartbeat.schedule(other)
    heartbeat.schedule(plain)
    assert worked.wait(30)
    assert goes_on.wait(30)
    other.is_over = plain.is_over = True
    hangs.set()


def test_what_is_sooner_wakes_the_scheduler():
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    later, sooner, worked = One(clock, every=1e6), One(clock, every=0.0), threading.Event()
    heartbeat.schedule(later)
    sooner.work = worked.set
    heartbeat.schedule(sooner)
    assert worked.wait(30)
    sooner.is_over = True


def test_letting_go_waits_no_longer_than_it_may():
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    free, stuck, never = One(clock), One(clock), threading.Event()
    stuck.let_go = never.wait
    begin = clock.monotonic()
    heartbeat.let_go([stuck, free], within=0.2)
    assert clock.monotonic() - begin < 10
    assert free.was_let_go.wait(30)
    never.set()


class OneTime(One):
    """Something that is due at once, and then never again."""

    def __init__(self, clock, **settings):
        super().__init__(clock, every=0.0, **settings)

    def on_due(self):
        self.due = None
        return self.work


def hanging(clock, count, hangs):
    """So many of one coordinator, whose renewals hang."""
    return [OneTime(clock, work=hangs.wait, context="hung") for _ in range(count)]


def test_a_store_that_hangs_delays_nothing_of_another_coordinator():
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    hangs, worked = threading.Event(), threading.Event()
    hung = hanging(clock, 2 * module.WORKERS, hangs)
    for one in hung:
        heartbeat.schedule(one)
    while any(one.due is not None for one in hung):
        pass
    heartbeat.schedule(OneTime(clock, work=worked.set, context="well"))
    assert worked.wait(30)
    hangs.set()


def test_of_one_coordinator_so_many_renewals_are_under_way_and_the_others_follow():
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    goes_on, running = threading.Event(), threading.Semaphore(0)

    def work():
        running.release()
        goes_on.wait(30)

    many = [OneTime(clock, work=work) for _ in range(module.WORKERS + 2)]
    for one in many:
        heartbeat.schedule(one)
    for _ in range(module.WORKERS):
        assert running.acquire(timeout=30)
    while any(one.due is not None for one in many):
        pass
    assert not running.acquire(blocking=False)
    goes_on.set()
    for _ in range(2):
        assert running.acquire(timeout=30)


def test_work_that_exits_takes_nothing_with_it():
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    again = threading.Event()
    exits = One(clock, every=0.001, work=sys.exit)
    heartbeat.schedule(exits)
    while len(exits.attended) <= module.WORKERS:
        pass
    exits.work = again.set
    assert again.wait(30)
    exits.is_over = True


def test_letting_go_that_exits_takes_nothing_with_it():
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    exits = [One(clock) for _ in range(module.WORKERS)]
    other = One(clock)
    for one in exits:
        one.let_go = sys.exit
    heartbeat.let_go([*exits, other], within=30.0)
    assert other.was_let_go.is_set()


def test_letting_go_waits_for_no_renewal_that_hangs():
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    hangs = threading.Event()
    hung = hanging(clock, module.WORKERS, hangs)
    for one in hung:
        heartbeat.schedule(one)
    while any(one.due is not None for one in hung):
        pass
    heartbeat.let_go(hung, within=30.0)
    assert all(one.was_let_go.is_set() for one in hung)
    hangs.set()


def test_without_new_threads_what_hangs_keeps_nothing_of_others_from_letting_go(monkeypatch):
    # As at interpreter exit, from Python 3.12 on.
    clock = SystemClock()
    heartbeat = Heartbeat(clock)
    hangs = threading.Event()
    stuck = [One(clock, every=1e6, context="stuck") for _ in range(2 * module.WORKERS)]
    well = [One(clock, every=1e6, context="well") for _ in range(3)]
    for one in (*stuck, *well):
        heartbeat.schedule(one)
    for one in stuck:
        one.let_go = hangs.wait
    monkeypatch.setattr(daemons, "start", lambda _: False)
    heartbeat.let_go([*stuck, *well], within=0.01)
    assert all(one.was_let_go.wait(30) for one in well)
    hangs.set()


def test_after_a_fork_nothing_is_kept_alive(clock):
    heartbeat = Heartbeat(clock)
    one = One(clock)
    heartbeat.schedule(one)
    heartbeat.after_fork()
    assert (heartbeat.members(), one.due) == ([], None)


def test_without_threads_nothing_is_held_that_could_not_be_renewed(monkeypatch):
    monkeypatch.setattr(module, "start", lambda _: False)
    heartbeat = Heartbeat(SystemClock())
    with pytest.raises(RuntimeError, match="no thread"):
        heartbeat.schedule(One(SystemClock()))
    assert heartbeat.members() == []


@pytest.mark.parametrize("lacking", [module, daemons])
@pytest.mark.parametrize(
    "acquire",
    [
        lambda fleet: fleet.lease("a").acquire(),
        lambda fleet: fleet.lock("a").acquire(),
        lambda fleet: fleet.semaphore("a", 2).try_acquire(),
        lambda fleet: fleet.claims("a").claim("b"),
    ],
    ids=["lease", "lock", "semaphore", "claim"],
)
def test_without_threads_nothing_is_acquired(monkeypatch, lacking, acquire):
    class OwnClock(SystemClock):
        """It has a heartbeat of its own, which has started nothing yet."""

    store = LocalDict(serialization_format="json")
    monkeypatch.setattr(module, "_running", {})
    fleet = Coordinator(store, clock=OwnClock())
    with monkeypatch.context() as patch:
        patch.setattr(lacking, "start", lambda _: False)
        with pytest.raises(RuntimeError, match="no thread"):
            acquire(fleet)
    assert list(store.get_subdict("coordination").with_codec(RecordCodec())) == []
    assert fleet.heartbeat.members() == []
    with fleet:
        assert acquire(fleet)


class Failing(Around):
    """A store that refuses writes as long as it is told to."""

    def __init__(self, inner):
        super().__init__(inner)
        self.error = None
        self.writes = 0

    def pass_on(self, verb, call):
        if verb == "put":
            self.writes += 1
            if self.error is not None:
                raise self.error
        return call()


class Renewing:
    """A held lease and its heartbeat, under a clock by hand."""

    def __init__(self, clock):
        self.clock = clock
        self.store = Failing(store_of(LocalDict(clock=clock)))
        self.told = []
        self.fleet = Coordinator(
            DictOver(store=self.store, clock=clock, serialization_format="json"), clock=clock
        )
        self.lease = self.fleet.lease("nightly", on_lost=self.told.append)
        self.held = self.lease.acquire()

    def run(self, seconds):
        for _ in range(round(seconds / 0.25)):
            self.clock.advance(0.25)
            self.fleet.heartbeat.run_due()


@pytest.fixture
def renewing(clock):
    return Renewing(clock)


def test_a_held_lease_is_renewed_for_as_long_as_it_is_held(renewing):
    before = renewing.store.writes
    for _ in range(100):
        renewing.run(10.0)
        renewing.held.check()
    # One each 9 to 10 seconds, and a step of the test.
    assert 97 <= renewing.store.writes - before <= 111
    renewing.held.release()
    before = renewing.store.writes
    renewing.run(100.0)
    assert renewing.store.writes == before


def test_a_renewal_that_failed_is_tried_again_until_it_lands(renewing):
    renewing.store.error = BackendError("no", backend="test", operation="put")
    before = renewing.store.writes
    renewing.run(26.0)
    assert renewing.store.writes - before >= 5
    renewing.held.check()
    renewing.store.error = None
    renewing.run(1.0 + 2.25)
    assert renewing.held.remaining() > 20
    assert renewing.told == []


def test_a_renewal_that_fails_until_the_deadline_loses_it_then(renewing):
    renewing.store.error = BackendError("no", backend="test", operation="put")
    renewing.run(26.75)
    assert renewing.told == []
    renewing.run(0.25)
    assert renewing.told == [renewing.held]
    assert renewing.held._tenure.reason == "unreachable"
    before = renewing.store.writes
    renewing.store.error = None
    renewing.run(50.0)
    assert renewing.store.writes == before


def test_what_goes_wrong_unforeseen_is_tried_again_as_well(renewing):
    renewing.store.error = ArithmeticError("a listener's, or a bug")
    renewing.run(20.0)
    renewing.store.error = None
    renewing.run(5.0)
    assert renewing.held.remaining() > 20


def test_what_goes_wrong_unforeseen_is_told_and_is_the_cause_of_the_loss(renewing):
    renewing.store.error = ArithmeticError("a bug")
    renewing.run(30.0)
    assert renewing.fleet.stats().count("renewal-failed") >= 5
    with pytest.raises(LeaseLost) as caught:
        renewing.held.check()
    assert caught.value.__cause__ is renewing.store.error


def test_a_renewal_whose_listener_exits_is_followed_by_the_next(clock):
    def exit_when_renewed(event):
        if event.name == "renewed":
            sys.exit()

    fleet = Coordinator(LocalDict(clock=clock), clock=clock, listeners=[exit_when_renewed])
    held = fleet.lease("nightly").acquire()
    for _ in range(3):
        clock.advance(10.0)
        with pytest.raises(SystemExit):
            held.on_due()()
    assert held.remaining() > 20


def test_a_lease_that_others_broke_is_lost_at_the_next_renewal(renewing):
    renewing.fleet.lease("nightly").break_(renewing.held.token)
    renewing.run(10.25)
    assert renewing.told == [renewing.held]
    assert renewing.held._tenure.reason == "broken"
    assert renewing.fleet.heartbeat.members() == []


def test_a_record_that_someone_damaged_is_a_broken_lease(renewing):
    memory = renewing.store.inner.memory
    name = next(iter(memory.objects))
    stored = memory.objects[name]
    memory.objects[name] = type(stored)("elsewhere", "x", b"{}", stored.modified)
    renewing.run(10.25)
    assert renewing.held._tenure.reason == "broken"


def test_a_long_pause_is_an_expiry(renewing):
    renewing.clock.advance(1_000.0)
    before = renewing.store.writes
    renewing.fleet.heartbeat.run_due()
    assert (renewing.told, renewing.held._tenure.reason) == ([renewing.held], "expired")
    assert renewing.store.writes == before


def test_while_a_renewal_is_under_way_only_the_deadline_is_due(renewing):
    renewing.clock.advance(10.0)
    work = renewing.held.on_due()
    assert renewing.held.next_due() == 27.0
    assert renewing.held.on_due() is None
    work()
    assert 19.0 <= renewing.held.next_due() <= 20.0


def test_a_renewal_beside_one_that_was_asked_for_waits_for_the_next_time(renewing):
    renewing.clock.advance(10.0)
    before = renewing.store.writes
    with renewing.held._store_lock:
        renewing.fleet.heartbeat.run_due()
    assert renewing.store.writes == before
    assert 10.0 < renewing.held.next_due() <= 12.0
