"""Semaphores: never more than k, each permit on its own, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from persidict import Memory
from persidict.testing import FaultKind, FaultRule
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import AcquireTimeout, LeaseLost, RecordError
from persidict_sync.outcome import Refusal
from persidict_sync.semaphore_state import PermitState, SemaphoreState, freed, renewed, taken
from persidict_sync.watch import Watch
from tests.contract.places import InMemory
from tests.sync.fleets import Fleet


@pytest.fixture
def fleet(place):
    return Fleet(place)


def test_k_at_once_each_with_a_token_of_its_own(fleet):
    one, another = (fleet.member().semaphore("gpus", 2) for _ in range(2))
    first, second = one.try_acquire(data={"gpu": 0}), another.try_acquire()
    assert (first.token, second.token, first.data) == (1, 2, {"gpu": 0})
    assert one.try_acquire() is None
    assert another.try_acquire() is None
    assert one.holders() == {1: "worker-1", 2: "worker-2"}
    first.release()
    third = another.try_acquire()
    assert third.token == 3
    with pytest.raises(LeaseLost, match="released"):
        first.check()
    second.check()
    third.check()


def test_another_number_of_permits_is_an_error_that_names_both(fleet):
    fleet.member().semaphore("gpus", 2).acquire()
    other = fleet.member().semaphore("gpus", 3)
    for ask in (other.try_acquire, other.acquire, other.holders):
        with pytest.raises(ValueError, match="has 2 permits, and 3 were asked for"):
            ask()


def test_another_number_is_noticed_by_who_creates_it_too_late(fleet):
    late = fleet.member().semaphore("gpus", 3)
    assert late.holders() == {}
    fleet.member().semaphore("gpus", 2).acquire()
    with pytest.raises(ValueError, match="has 2 permits"):
        late.try_acquire()


def test_who_waits_takes_over_what_is_not_renewed_and_nothing_else(fleet):
    dead, alive = fleet.member(), fleet.member()
    lost = dead.semaphore("gpus", 2, ttl=30.0).acquire()
    kept = alive.semaphore("gpus", 2, ttl=30.0).acquire()
    waiting = fleet.member().semaphore("gpus", 2, ttl=30.0)
    held = None
    while held is None:
        assert fleet.clock.monotonic() <= 34.0
        held = waiting.try_acquire()
        fleet.clock.advance(1.0)
        alive.heartbeat.run_due()
    assert fleet.clock.monotonic() >= 33.0
    kept.check()
    held.check()
    with pytest.raises(LeaseLost):
        lost.check()
    dead.heartbeat.run_due()
    assert waiting.holders() == {kept.token: "worker-2", held.token: "worker-3"}


def test_what_others_write_keeps_no_permit_alive(fleet):
    fleet.member().semaphore("gpus", 2, ttl=30.0).acquire()
    busy = fleet.member().semaphore("gpus", 2, ttl=30.0)
    waiting = fleet.member().semaphore("gpus", 1 + 1, ttl=30.0)
    for _ in range(33):
        held = busy.acquire()
        assert waiting.try_acquire() is None
        held.release()
        fleet.clock.advance(1.0)
    busy.acquire()
    assert waiting.try_acquire() is not None


def test_acquire_waits_and_gives_up(fleet):
    holder = fleet.member().semaphore("gpus", 1, ttl=30.0).acquire()
    waiting = fleet.member().semaphore("gpus", 1, ttl=30.0)
    with pytest.raises(AcquireTimeout) as timeout:
        waiting.acquire(timeout=5.0)
    assert timeout.value.holder == "worker-1"
    assert 27.5 <= timeout.value.remaining <= 28.5
    with waiting as held:
        assert held.token > holder.token
    with pytest.raises(LeaseLost):
        held.release()


def test_an_operator_breaks_one_permit(fleet):
    semaphore = fleet.member().semaphore("gpus", 2)
    first, second = semaphore.acquire(), semaphore.acquire()
    operator = fleet.member().semaphore("gpus", 2)
    assert operator.break_(first.token) is True
    assert operator.break_(first.token) is False
    with pytest.raises(LeaseLost):
        first.renew()
    second.renew()
    with pytest.raises(TypeError):
        operator.break_("1")


def test_who_asks_for_another_number_of_permits_breaks_none(fleet):
    semaphore = fleet.member().semaphore("gpus", 2)
    held = semaphore.acquire()
    operator = fleet.member().semaphore("gpus", 3)
    for token in (held.token, held.token + 1):
        with pytest.raises(ValueError, match="has 2 permits, and 3 were asked for"):
            operator.break_(token)
    assert semaphore.holders() == {held.token: "worker-1"}
    assert fleet.told("broken") == []
    held.renew()
    assert held.release()


def test_requests(bucket, wire):
    bucket.open(serialization_format="json")["known"] = 1
    fleet = Fleet(bucket)
    semaphore = fleet.member().semaphore("gpus", 2)

    def cost(act):
        before = len(wire)
        held.append(act())
        return wire.operations[before:]

    held = []
    assert cost(semaphore.try_acquire) == ["GetObject", "PutObject"]
    assert cost(held[0].renew) == ["PutObject"]
    assert cost(semaphore.try_acquire) == ["PutObject"]
    assert cost(held[2].release) == ["PutObject"]
    assert cost(semaphore.try_acquire) == ["PutObject"]
    assert cost(semaphore.try_acquire) == ["GetObject"]
    assert cost(held[0].release) == ["PutObject", "GetObject", "PutObject"]


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.DROP_REQUEST,
        FaultKind.DROP_REPLY,
        FaultKind.ERROR_500_AFTER,
        FaultKind.DUPLICATE_FIRST,
        FaultKind.DUPLICATE_SECOND,
        FaultKind.CONFLICT,
    ],
)
def test_each_step_happens_once_whatever_becomes_of_its_first_request(bucket, control, kind):
    fleet = Fleet(bucket)
    semaphore, watcher = (fleet.member().semaphore("gpus", 2) for _ in range(2))
    rule = FaultRule(kind=kind, nth=(0,), methods=("PUT",), conditional=True)
    control.set_faults(rule)
    held = semaphore.try_acquire()
    assert watcher.holders() == {held.token: "worker-1"}
    control.set_faults(rule)
    held.renew()
    control.set_faults(rule)
    second = semaphore.try_acquire()
    assert control.fault_report().fired
    assert watcher.holders() == {held.token: "worker-1", second.token: "worker-1"}
    control.set_faults(rule)
    held.release()
    assert watcher.holders() == {second.token: "worker-1"}


PERMIT = PermitState(token=1, beat=0, ttl=30.0, owner="worker-1", data=None)
STATE = taken(None, 0, permits=2, permit=PERMIT, over=())


def test_transitions():
    assert (STATE.permits, STATE.token, STATE.held) == (2, 1, (PERMIT,))
    full = taken(STATE, 1, permits=2, permit=PERMIT, over=())
    assert [one.token for one in full.held] == [1, 2]
    assert taken(full, 2, permits=2, permit=PERMIT, over=()) == Refusal("held")
    assert taken(full, 2, permits=3, permit=PERMIT, over=()) == Refusal("permits")
    over = (Watch(token=1, beat=0, ttl=30.0, since=0.0),)
    again = taken(full, 2, permits=2, permit=PERMIT, over=over)
    assert ([one.token for one in again.held], again.token) == ([2, 3], 3)
    beaten = renewed(full, 2, token=1)
    assert [one.beat for one in beaten.held] == [1, 0]
    assert taken(beaten, 3, permits=2, permit=PERMIT, over=over) == Refusal("held")
    assert [one.token for one in freed(full, 2, token=1).held] == [2]
    assert renewed(again, 3, token=1) == freed(again, 3, token=1) == Refusal("stolen")
    assert renewed(None, 0, token=1) == freed(None, 0, token=1) == Refusal("broken")


@pytest.mark.parametrize(
    "change",
    [
        {"permits": 0},
        {"permits": True},
        {"token": 0},
        {"held": [PERMIT.body(), PERMIT.body()]},
        {"held": [{**PERMIT.body(), "ttl": -1.0}]},
        {"held": [{**PERMIT.body(), "token": 2}]},
        {"held": {}},
    ],
)
def test_a_damaged_record_is_refused(change):
    with pytest.raises(RecordError):
        SemaphoreState.parse({**STATE.body(), **change})


def test_what_a_newer_version_added_is_kept():
    body = {**STATE.body(), "colour": "red"}
    body["held"] = [{**PERMIT.body(), "shape": "round"}]
    state = renewed(SemaphoreState.parse(body), 1, token=1)
    assert state.body()["colour"] == "red"
    assert state.body()["held"][0]["shape"] == "round"
    assert replace(state, unknown={}).held[0].beat == 1


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"permits": 0}, ValueError, "1 to 200"),
        ({"permits": 201}, ValueError, "1 to 200"),
        ({"permits": 2.0}, TypeError, "float"),
        ({"permits": True}, TypeError, "bool"),
        ({"expiry": "server"}, ValueError, "every holder writes"),
        ({"ttl": 0}, ValueError, "ttl"),
        ({"renew_every": 60.0}, ValueError, "renew_every"),
        ({"margin": 0.0}, ValueError, "margin"),
        ({"on_lost": 7}, TypeError, "on_lost"),
        ({"name": "a/b"}, ValueError, "a/b"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    settings_ = {"name": "gpus", "permits": 2, **arguments}
    with pytest.raises(error, match=text):
        Coordinator("memory:").semaphore(
            settings_.pop("name"), settings_.pop("permits"), **settings_
        )


class Drifting(ManualClock):
    """A clock that is fast or slow by up to 5%."""

    def __init__(self, true, *, rate, seed):
        super().__init__(seed=seed)
        self._true = true
        self._rate = rate

    def monotonic(self):
        return self._true.monotonic() * self._rate

    def sleep(self, seconds):
        self._true.advance(seconds / self._rate)

    def advance(self, seconds):
        raise AssertionError


class NeverMoreThanK(RuleBasedStateMachine):
    """Workers whose clocks drift, who are paused, die and come back."""

    PERMITS = 2
    WORKERS = st.integers(0, 3)

    @initialize(rates=st.tuples(*[st.sampled_from([0.95, 1.0, 1.05])] * 4))
    def begin(self, rates):
        self.true = ManualClock()
        place = InMemory()
        place.memory = Memory()
        self.clocks = [Drifting(self.true, rate=rate, seed=n) for n, rate in enumerate(rates)]
        self.members = [
            Coordinator(place.open(clock=clock, serialization_format="json"), clock=clock)
            for clock in self.clocks
        ]
        self.semaphores = [member.semaphore("gpus", 2, ttl=30.0) for member in self.members]
        self.held = []
        self.highest = 0

    @rule(workers=st.permutations(range(4)))
    def contend(self, workers):
        for worker in workers:
            held = self.semaphores[worker].try_acquire()
            if held is not None:
                assert held.token > self.highest
                self.highest = held.token
                self.held.append(held)

    @rule(worker=WORKERS)
    def beat(self, worker):
        self.members[worker].heartbeat.run_due()

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 9))
    def release(self, number):
        held = self.held.pop(number % len(self.held))
        if not held.lost.is_set():
            held.release()

    @rule(seconds=st.sampled_from([5.0, 20.0, 25.0, 27.0, 31.0, 60.0]))
    def wait(self, seconds):
        self.true.advance(seconds)

    @rule()
    def restart(self):
        self.semaphores = [member.semaphore("gpus", 2, ttl=30.0) for member in self.members]

    @invariant()
    def never_more_than_k(self):
        valid = [held for held in getattr(self, "held", ()) if not held.lost.is_set()]
        assert len(valid) <= self.PERMITS


class TestNeverMoreThanK(NeverMoreThanK.TestCase):
    settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
