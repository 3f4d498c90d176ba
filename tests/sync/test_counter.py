"""The counter: every addition once, its requests, its threads, and nobody who starves."""

from __future__ import annotations

import itertools
import os
import statistics
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict import BackendError, LocalDict, OutcomeUnknownError
from persidict.clock import SYSTEM_CLOCK
from persidict.object_store import Unaccounted
from persidict.testing import FaultKind, FaultRule, ServerControl
from persidict_sync import combine
from persidict_sync import counter as counter_module
from persidict_sync.coordinator import Coordinator
from persidict_sync.counter import (
    Counter,
    CounterState,
    adding,
    in_turn,
    resetting,
    setting,
    stepped,
    total_of,
)
from persidict_sync.outcome import Refusal
from persidict_sync.record import MAX_INT
from tests.contract.places import DictOver, InBucket, InMemory, Place
from tests.s3.wire import Wire
from tests.shown import shown
from tests.sync.contests import CounterContest
from tests.sync.gate import Gate
from tests.sync.interrupted import interrupted_at

TOTALS = st.integers(-MAX_INT, MAX_INT)


class TestTransitions:
    @given(total=TOTALS, amounts=st.lists(TOTALS | st.integers(-5, 5), max_size=6))
    def test_additions_in_turn(self, total: int, amounts: list[int]) -> None:
        taken = in_turn([adding(n) for n in amounts], total)
        for n, one in zip(amounts, taken, strict=True):
            if abs(total + n) > MAX_INT:
                assert isinstance(one.answer, OverflowError)
                assert not one.is_written
            else:
                total += n
                assert one.answer == total
            assert one.total == total

    def test_one_that_overflows_leaves_the_others_alone(self) -> None:
        steps = [adding(1), adding(MAX_INT), adding(2)]
        assert stepped(steps, CounterState(total=5)) == CounterState(total=8)

    def test_nothing_to_write(self) -> None:
        steps = [setting(1, expected=9), adding(MAX_INT), setting(2, expected=8)]
        assert isinstance(stepped(steps, CounterState(total=5)), Refusal)

    def test_steps_see_what_the_ones_before_them_left(self) -> None:
        taken = in_turn([adding(2), setting(10, expected=2), resetting(4), adding(1)], 0)
        assert [one.answer for one in taken] == [2, True, 10, 5]

    def test_equal_totals_are_written_all_the_same(self) -> None:
        assert stepped([setting(5, expected=5)], CounterState(total=5)) == CounterState(total=5)
        assert stepped([adding(0)], None) == CounterState(total=0)

    def test_unknown_fields_stay(self) -> None:
        state = CounterState(total=1, unknown={"unit": "bytes"})
        assert stepped([adding(1)], state) == CounterState(total=2, unknown={"unit": "bytes"})
        assert total_of(None) == 0


def test_it_counts(place: Place, fleet: Callable[..., Coordinator]) -> None:
    ours, theirs = fleet(place).counter("n"), fleet(place).counter("n")
    assert ours.value() == theirs.value() == 0
    assert [ours.add(), theirs.add(5), ours.add(-2), theirs.add(0)] == [1, 6, 4, 4]
    assert ours.value() == theirs.value() == 4
    assert not ours.compare_and_set(5, 9)
    assert ours.compare_and_set(4, 9)
    assert theirs.compare_and_set(9, 9)
    assert theirs.reset(100) == 9
    assert ours.reset() == 100
    assert ours.add() == 1


def test_names_are_counters_of_their_own(place: Place, fleet: Any) -> None:
    coordinator = fleet(place)
    assert coordinator.counter("a").add() == 1
    assert coordinator.counter(("a", "b")).add(2) == 2
    assert coordinator.counter("a").value() == 1


def test_a_belief_that_is_out_of_date_decides_nothing(place: Place, fleet: Any) -> None:
    ours, theirs = fleet(place).counter("n"), fleet(place).counter("n")
    ours.add(5)
    theirs.add(2)
    assert ours.compare_and_set(7, 1)
    theirs.reset(MAX_INT - 1)
    assert ours.add(1) == MAX_INT
    theirs.reset(0)
    assert ours.add(5) == 5


def test_bounds(place: Place, fleet: Any) -> None:
    counter = fleet(place).counter("n")
    assert counter.add(MAX_INT) == MAX_INT
    with pytest.raises(OverflowError, match="nothing was added"):
        counter.add()
    assert counter.reset(-MAX_INT) == MAX_INT
    with pytest.raises(OverflowError):
        counter.add(-1)
    with pytest.raises(OverflowError):
        counter.reset(MAX_INT + 1)
    with pytest.raises(OverflowError):
        counter.compare_and_set(-MAX_INT, -MAX_INT - 1)
    assert not counter.compare_and_set(MAX_INT + 5, 0)
    assert counter.value() == -MAX_INT


@pytest.mark.parametrize("wrong", [1.0, "1", None, True], ids=shown)
def test_wrong_arguments(fleet: Any, wrong: Any) -> None:
    counter = fleet(InMemory()).counter("n")
    for call in (
        lambda: counter.add(wrong),
        lambda: counter.reset(wrong),
        lambda: counter.compare_and_set(wrong, 1),
        lambda: counter.compare_and_set(1, wrong),
    ):
        with pytest.raises(TypeError, match="must be an int"):
            call()
    assert counter.value() == 0


@pytest.mark.parametrize(("name", "error"), [("a/b", ValueError), ("", ValueError), (5, TypeError)])
def test_wrong_names_fail_at_construction(fleet: Any, name: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        fleet(InMemory()).counter(name)


class TestRequests:
    def test_of_add(self, bucket: InBucket, fleet: Any, wire: Wire) -> None:
        ours, theirs = fleet(bucket).counter("n"), fleet(bucket).counter("n")

        def asked(call: Callable[[], object]) -> list[str]:
            wire.sent.clear()
            call()
            return wire.operations

        read, write = "GetObject", "PutObject"
        assert asked(ours.add) == [read, write]
        assert asked(ours.add) == [write]
        assert asked(theirs.add) == [read, write]
        assert asked(ours.add) == [write, read, write]
        assert asked(theirs.value) == [read]
        assert asked(theirs.add) == [write]
        assert asked(lambda: theirs.compare_and_set(5, 6)) == [write]
        assert asked(lambda: theirs.compare_and_set(1, 2)) == [read]
        assert asked(lambda: ours.compare_and_set(1, 2)) == [read]
        assert asked(ours.reset) == [write]
        assert ours.value() == 0

    def test_value_is_not_sent_again(
        self, bucket: InBucket, fleet: Any, control: ServerControl
    ) -> None:
        counter = fleet(bucket).counter("n")
        counter.add()
        control.reset_log()
        assert counter.value() == 1
        assert [entry.answered for entry in control.log().entries] == ["304"]


def test_a_counter_is_usable_after_an_error(
    bucket: InBucket, fleet: Any, control: ServerControl
) -> None:
    counter = fleet(bucket).counter("n")
    counter.add(3)
    control.set_faults(FaultRule(kind=FaultKind.FORBIDDEN, methods=("PUT",)))
    with pytest.raises(BackendError):
        counter.add()
    control.clear_faults()
    assert counter.add() == 4


class Crowd:
    """Threads that add to one counter, of which the first is held in the store."""

    def __init__(self, counter: Counter, gate: Gate) -> None:
        self.counter = counter
        self.gate = gate
        self.answers: list[int] = []
        self.errors: list[Exception] = []
        self.threads: list[threading.Thread] = []

    def start(self, n: int = 1) -> threading.Thread:
        def body() -> None:
            try:
                self.answers.append(self.counter.add(n))
            except (BackendError, OutcomeUnknownError) as error:
                self.errors.append(error)

        thread = threading.Thread(target=body, daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def hold(self) -> None:
        """Start one thread, and wait until its write is at the gate."""
        self.gate.is_armed = True
        self.start()
        assert self.gate.is_waiting.wait(30.0)

    def await_waiting(self, count: int) -> None:
        seen = threading.Event()
        while self.waiting() < count:
            seen.wait(0.001)

    def waiting(self) -> int:
        waiting = list(self.counter._combiner._queue.waiting)
        return sum(ticket.presence.locked() for ticket in waiting)

    def finish(self) -> None:
        self.gate.is_open.set()
        for thread in self.threads:
            thread.join(30.0)
            assert not thread.is_alive()


@pytest.fixture
def gate() -> Gate:
    return Gate()


def crowd_at(gate: Gate, *, timeout: float = 30.0, **settings: Any) -> Crowd:
    d = DictOver(store=gate, operation_timeout=timeout)
    return Crowd(Coordinator(d, timeout=timeout, **settings).counter("n"), gate)


class TestThreads:
    def test_those_who_wait_share_one_write(self, gate: Gate) -> None:
        crowd = crowd_at(gate)
        crowd.hold()
        for _ in range(20):
            crowd.start()
        crowd.await_waiting(20)
        crowd.finish()
        assert sorted(crowd.answers) == list(range(1, 22))
        assert gate.puts == 2
        assert crowd.counter.value() == 21

    def test_each_gets_the_total_after_its_own(self, gate: Gate) -> None:
        crowd = crowd_at(gate)
        crowd.hold()
        for number, n in enumerate((10, 200, 3_000), start=1):
            crowd.start(n)
            crowd.await_waiting(number)
        crowd.finish()
        assert sorted(crowd.answers) == [1, 11, 211, 3_211]

    def test_a_crowd_that_keeps_coming(self) -> None:
        counter = Coordinator(LocalDict()).counter("n")
        answers: list[int] = []

        def body() -> None:
            answers.extend(counter.add() for _ in range(50))

        threads = [threading.Thread(target=body) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60.0)
        assert sorted(answers) == list(range(1, 801))

    def test_an_error_reaches_all_that_shared_the_write(self, gate: Gate) -> None:
        crowd = crowd_at(gate)
        crowd.hold()
        for _ in range(3):
            crowd.start()
        crowd.await_waiting(3)
        gate.inner.put = _refuse  # type: ignore[method-assign]
        crowd.finish()
        assert len(crowd.errors) == 4
        assert len({id(error) for error in crowd.errors}) == 4
        assert all(type(error) is BackendError for error in crowd.errors)

    def test_an_unknown_outcome_reaches_all_that_shared_the_write(self, gate: Gate) -> None:
        crowd = crowd_at(gate, timeout=0.05)
        crowd.hold()
        gate.inner.put = lambda *_, **__: Unaccounted(TimeoutError())  # type: ignore[method-assign]
        crowd.finish()
        assert [type(error) for error in crowd.errors] == [OutcomeUnknownError]

    def test_nobody_waits_longer_than_its_own_deadline(self, gate: Gate) -> None:
        crowd = crowd_at(gate, timeout=0.05)
        crowd.hold()
        late = crowd.start()
        late.join(30.0)
        assert not late.is_alive()
        (error,) = crowd.errors
        assert type(error) is BackendError
        assert "was not changed" in str(error)
        crowd.finish()
        assert crowd.answers == [1]
        assert crowd.counter.value() == 1

    def test_who_is_taken_along_and_runs_out_of_time_is_told_that_it_is_unknown(
        self, gate: Gate
    ) -> None:
        crowd = crowd_at(gate, timeout=0.2)
        crowd.hold()
        first = crowd.start()
        crowd.await_waiting(1)
        crowd.start()
        crowd.await_waiting(2)
        gate.is_armed = True
        gate.is_waiting.clear()
        gate.is_open.set()
        # The held write goes through; the next one, for both, is held in its turn.
        gate.is_open = threading.Event()
        assert gate.is_waiting.wait(30.0)
        first.join(30.0)
        assert not first.is_alive()
        assert [type(error) for error in crowd.errors] == [OutcomeUnknownError]
        crowd.finish()
        assert crowd.counter.value() == 3

    def test_an_interrupted_leader_leaves_the_others_in_doubt(self, gate: Gate) -> None:
        crowd = crowd_at(gate)
        crowd.hold()
        crowd.start()
        crowd.await_waiting(1)
        write = crowd.counter._combiner._fulfil

        def interrupted(*_: object) -> Any:
            raise KeyboardInterrupt

        def open_gate() -> None:
            crowd.await_waiting(2)
            gate.is_open.set()

        threading.Thread(target=open_gate, daemon=True).start()
        crowd.counter._combiner._fulfil = interrupted
        with pytest.raises(KeyboardInterrupt):
            crowd.counter.add()
        crowd.finish()
        assert crowd.answers == [1]
        assert [type(error) for error in crowd.errors] == [OutcomeUnknownError]
        crowd.counter._combiner._fulfil = write
        assert crowd.counter.add() == 2

    def test_who_is_interrupted_while_waiting_is_not_waited_for(
        self, gate: Gate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        crowd = crowd_at(gate)
        crowd.hold()

        def interrupted(*_: object) -> Any:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(combine._Ticket, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                crowd.counter.add(10)
        crowd.start()
        crowd.await_waiting(1)
        crowd.finish()
        assert sorted(crowd.answers) == [1, 2]


class TestInterrupts:
    def test_none_leaves_the_object_unusable(self) -> None:
        fleet = Coordinator("memory:", timeout=20.0)
        counter, operator = fleet.counter("n"), fleet.counter("n")
        before = 0
        for nth in itertools.count(1):
            if not interrupted_at(nth, counter.add):
                break
            total = operator.value()
            assert total in {before, before + 1}
            # By another thread: the one that was interrupted may well go on with something else.
            other = Crowd(counter, Gate())
            other.start().join(10.0)
            assert other.answers == [total + 1], f"interrupt {nth}: {other.errors}"
            before = total + 1
            assert counter._combiner._queue.waiting == []
        assert nth > 50

    def test_who_was_taken_along_is_told_the_truth(self) -> None:
        told = set()
        for nth in itertools.count(1):
            crowd = crowd_at(Gate(), timeout=20.0)
            crowd.hold()
            crowd.start(10)
            crowd.await_waiting(1)
            was_interrupted = _lead_interrupted(crowd, nth)
            crowd.finish()
            total = crowd.counter.add(0)
            (answer,) = {*crowd.answers, *crowd.errors} - {1}
            if isinstance(answer, int):
                assert (answer, total) in {(11, 11), (11, 111)}
            else:
                assert isinstance(answer, OutcomeUnknownError)
                assert total in {1, 111}
            told.add((type(answer), total))
            if not was_interrupted:
                break
        assert told >= {(int, 11), (int, 111), (OutcomeUnknownError, 1), (OutcomeUnknownError, 111)}


def _lead_interrupted(crowd: Crowd, nth: int) -> bool:
    """Add 100, as the last of those who wait, with an interrupt; whether there was one."""
    is_over = threading.Event()

    def open_gate() -> None:
        while crowd.waiting() < 2 and not is_over.wait(0.001):
            pass
        crowd.gate.is_open.set()

    opener = threading.Thread(target=open_gate, daemon=True)
    opener.start()
    try:
        modules = (combine, counter_module)
        return interrupted_at(nth, lambda: crowd.counter.add(100), modules=modules)
    finally:
        is_over.set()
        opener.join(30.0)


def _refuse(*_: object, **__: object) -> Any:
    raise BackendError("403", backend="memory", operation="put")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_waits_for_no_leader_of_its_parent(gate: Gate) -> None:
    crowd = crowd_at(gate)
    crowd.hold()
    child = os.fork()
    if child == 0:
        os._exit(0 if crowd.counter.add() == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    crowd.finish()
    assert crowd.answers == [1]


@pytest.mark.parametrize("adds", [1, 2, 10])
@pytest.mark.parametrize("latency", [0.0003, 0.005, 0.1])
def test_nobody_starves(adds: int, latency: float) -> None:
    contests = [
        CounterContest(seed=seed, contenders=16, adds=adds, latency=latency) for seed in range(5)
    ]
    for contest in contests:
        assert sorted(contest.totals) == list(range(1, 16 * adds + 1))
        assert contest.spread <= 3.0
    # What it costs: a round of reading and writing would be 2 requests an addition.
    assert statistics.mean(contest.requests_per_add for contest in contests) < 13


def test_sixteen_threads_over_http(bucket: InBucket) -> None:
    told: list[int] = []
    start = threading.Barrier(16)

    def contend() -> None:
        counter = Coordinator(bucket.open(clock=SYSTEM_CLOCK)).counter("n")
        start.wait(30.0)
        told.extend(counter.add() for _ in range(2))

    threads = [threading.Thread(target=contend) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert sorted(told) == list(range(1, 33))
