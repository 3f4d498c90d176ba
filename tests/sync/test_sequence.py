"""Sequences: no number twice, whatever happens, and one request a block."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict import BackendError, LocalDict, OutcomeUnknownError
from persidict.testing import FaultKind, FaultRule, ServerControl
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import RecordError
from persidict_sync.outcome import Refusal, Updated
from persidict_sync.record import MAX_INT, RING
from persidict_sync.sequence import LARGEST_BLOCK, Sequence, SequenceState, claimed, first_of
from tests.contract.places import DictOver, InBucket, InMemory, Place
from tests.s3.wire import Wire
from tests.sync.gate import Gate
from tests.sync.interrupted import interrupted_at


class TestTransition:
    @given(st.integers(1, LARGEST_BLOCK), st.integers(1, MAX_INT - LARGEST_BLOCK - 1))
    def test_a_block_begins_where_the_last_one_ended(self, block: int, begin: int) -> None:
        after = claimed(block, SequenceState(next=begin, unknown={"x": 1}))
        assert after == SequenceState(next=begin + block, unknown={"x": 1})

    def test_a_new_one_begins_at_1(self) -> None:
        assert claimed(5, None) == SequenceState(next=6)
        assert first_of(None) == 1

    @pytest.mark.parametrize("block", [1, 2, 100, LARGEST_BLOCK])
    def test_it_ends(self, block: int) -> None:
        assert isinstance(claimed(block, SequenceState(next=2**53 - 1)), Refusal)
        last = SequenceState(next=2**53 - 1)
        assert claimed(block, SequenceState(next=2**53 - 2)) == last
        assert claimed(2 * block, SequenceState(next=2**53 - 1 - block)) == last

    @pytest.mark.parametrize("wrong", [0, -5])
    def test_a_state_below_1_is_refused(self, wrong: int) -> None:
        with pytest.raises(RecordError):
            SequenceState.parse({"next": wrong})


def test_numbers_are_unique_and_rise(place: Place, fleet: Callable[..., Coordinator]) -> None:
    ours = fleet(place).sequence("ids", block=3)
    theirs = fleet(place).sequence("ids", block=2)
    numbers = [ours.next(), theirs.next(), *itertools.islice(ours, 4), next(theirs), next(theirs)]
    assert numbers == [1, 4, 2, 3, 6, 7, 5, 9]


def test_block_1_orders_all_numbers(place: Place, fleet: Any) -> None:
    ours, theirs = (fleet(place).sequence("ids", block=1) for _ in range(2))
    assert [ours.next(), theirs.next(), theirs.next(), ours.next()] == [1, 2, 3, 4]


def test_requests(bucket: InBucket, fleet: Any, wire: Wire) -> None:
    ours, theirs = (fleet(bucket).sequence("ids", block=10) for _ in range(2))

    def asked(sequence: Any, count: int) -> list[str]:
        wire.sent.clear()
        for _ in range(count):
            sequence.next()
        return wire.operations

    read, write = "GetObject", "PutObject"
    assert asked(ours, 1) == [read, write]
    assert asked(ours, 9) == []
    assert asked(ours, 20) == [write] * 2
    assert asked(theirs, 10) == [read, write]
    assert asked(ours, 1) == [write, read, write]


@pytest.mark.parametrize(
    ("block", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (2**32 + 1, ValueError),
        (1.0, TypeError),
        (True, TypeError),
    ],
)
def test_wrong_blocks_fail_at_construction(fleet: Any, block: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="block"):
        fleet(InMemory()).sequence("ids", block=block)


def near_the_end(sequence: Sequence, *, begin: int) -> None:
    """Have the next block of a new sequence begin there."""
    outcome = sequence._cell.update(lambda *_: SequenceState(next=begin), deadline=5.0)
    assert isinstance(outcome, Updated)


def rest_of(sequence: Sequence) -> list[int]:
    """All that it hands out; behind that it hands out nothing, however often it is asked."""
    numbers: list[int] = []
    with pytest.raises(OverflowError, match=r"'ids' is used up: .* 2\*\*53 - 2"):
        numbers.extend(sequence)
    for _ in range(2):
        with pytest.raises(OverflowError):
            sequence.next()
    return numbers


@pytest.mark.parametrize("block", [1, 2, 5, 100, LARGEST_BLOCK])
@pytest.mark.parametrize("begin", [2**53 - 6, 2**53 - 3, 2**53 - 2, 2**53 - 1])
def test_each_number_is_handed_out_once_up_to_the_last(fleet: Any, begin: int, block: int) -> None:
    place = InMemory()
    ours, theirs = (fleet(place).sequence("ids", block=block) for _ in range(2))
    near_the_end(ours, begin=begin)
    first = [ours.next()] if begin < 2**53 - 1 else []
    assert sorted([*first, *rest_of(theirs), *rest_of(ours)]) == list(range(begin, 2**53 - 1))
    state = ours._cell.look().state
    assert state is not None
    assert state.next == 2**53 - 1


def test_threads_that_wait_share_what_is_left(fleet: Any) -> None:
    sequence = fleet(InMemory()).sequence("ids", block=5)
    near_the_end(sequence, begin=2**53 - 3)
    deadline = sequence._context.deadline()
    assert sequence._take([None] * 3, deadline) == [2**53 - 3, 2**53 - 2, None]
    with pytest.raises(OverflowError):
        sequence._take([None], deadline)


def test_a_last_block_that_was_settled_late_is_no_larger(
    bucket: InBucket, rival_bucket: InBucket, fleet: Any, control: ServerControl, wire: Wire
) -> None:
    ours = fleet(bucket).sequence("ids", block=5)
    theirs = fleet(rival_bucket).sequence("ids", block=1)
    near_the_end(ours, begin=2**53 - 4)
    wire.after_write(theirs.next, before=("GetObject", "HeadObject"))
    control.set_faults(FaultRule(kind=FaultKind.DROP_REQUEST, methods=("PUT",), nth=(0,)))
    numbers = rest_of(ours)
    assert wire.has_acted
    assert numbers == [2**53 - 3, 2**53 - 2]


@pytest.mark.parametrize(
    "kind", [FaultKind.DROP_REPLY, FaultKind.DROP_REQUEST, FaultKind.DUPLICATE_SECOND], ids=str
)
def test_faults(bucket: InBucket, fleet: Any, control: ServerControl, kind: FaultKind) -> None:
    control.set_faults(FaultRule(kind=kind, methods=("PUT",), probability=0.5), seed=3)
    sequences = [fleet(bucket).sequence("ids", block=2) for _ in range(3)]
    numbers = [sequences[i % 3].next() for i in range(60)]
    assert sorted(numbers) == list(range(1, 61))
    assert control.fault_report().count(kind) > 3


def test_a_block_that_was_settled_late_is_no_larger(
    bucket: InBucket, rival_bucket: InBucket, fleet: Any, control: ServerControl, wire: Wire
) -> None:
    ours = fleet(bucket).sequence("ids", block=2)
    theirs = fleet(rival_bucket).sequence("ids", block=3)
    wire.after_write(theirs.next, before=("GetObject", "HeadObject"))
    control.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("PUT",), nth=(0,)))
    assert [ours.next() for _ in range(4)] == [1, 2, 6, 7]
    assert wire.has_acted


def test_a_block_in_doubt_is_a_gap(
    bucket: InBucket, rival_bucket: InBucket, fleet: Any, control: ServerControl, wire: Wire
) -> None:
    ours = fleet(bucket).sequence("ids", block=10)
    theirs = fleet(rival_bucket).sequence("ids", block=1)
    assert ours.next() == 1
    list(itertools.islice(ours, 9))
    # More blocks than the record remembers.
    wire.after_write(
        lambda: list(itertools.islice(theirs, RING + 1)), before=("GetObject", "HeadObject")
    )
    control.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("PUT",), nth=(0,)))
    with pytest.raises(OutcomeUnknownError):
        ours.next()
    assert ours.next() == 10 + 10 + RING + 1 + 1


def test_threads_share_a_block() -> None:
    sequence = Coordinator(LocalDict()).sequence("ids", block=7)
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(itertools.islice(sequence, 100)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert sorted(numbers) == list(range(1, 801))


def held_claim(gate: Gate, sequence: Sequence) -> threading.Thread:
    """A thread whose claim is at the gate."""
    gate.is_armed = True
    thread = threading.Thread(target=sequence.next, daemon=True)
    thread.start()
    assert gate.is_waiting.wait(30.0)
    return thread


def test_nobody_waits_for_ever_for_another_threads_claim() -> None:
    gate = Gate()
    fleet = Coordinator(DictOver(store=gate, operation_timeout=30.0), timeout=0.02)
    sequence = fleet.sequence("ids")
    thread = held_claim(gate, sequence)
    with pytest.raises(BackendError, match="another thread's update of it has not ended in time"):
        sequence.next()
    gate.is_open.set()
    thread.join(30.0)
    assert sequence.next() == 2


@pytest.mark.parametrize(("block", "puts"), [(1, 5), (3, 2), (4, 2), (100, 1)])
def test_threads_that_wait_share_a_claim(block: int, puts: int) -> None:
    gate = Gate()
    sequence = Coordinator(DictOver(store=gate, operation_timeout=30.0)).sequence(
        "ids", block=block
    )
    list(itertools.islice(sequence, block - 1))
    sequence.next()
    gate.puts, numbers = 0, []
    threads = [held_claim(gate, sequence)]
    for _ in range(4):
        threads.append(threading.Thread(target=lambda: numbers.append(sequence.next())))
        threads[-1].start()
    waiting = sequence._combiner._queue.waiting
    while len(waiting) < 4:
        threads[-1].join(0.001)
    gate.is_open.set()
    for thread in threads:
        thread.join(30.0)
    assert sorted(numbers) == list(range(block + 2, block + 6))
    assert gate.puts == puts


@pytest.mark.parametrize("block", [1, 2])
def test_no_interrupt_leaves_the_object_unusable(block: int) -> None:
    sequence = Coordinator("memory:", timeout=20.0).sequence("ids", block=block)
    numbers: list[int] = []
    for nth in itertools.count(1):
        if not interrupted_at(nth, lambda: numbers.extend(sequence.next() for _ in range(2))):
            break
        other = threading.Thread(target=lambda: numbers.append(sequence.next()))
        other.start()
        other.join(10.0)
        assert not other.is_alive(), f"interrupt {nth}"
    assert nth > 50
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= nth


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_never_repeats_its_parents_numbers(tmp_path: Any) -> None:
    sequence = Coordinator(f"sqlite:///{tmp_path}/ids.db").sequence("ids", block=10)
    assert sequence.next() == 1
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, " ".join(str(sequence.next()) for _ in range(12)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        theirs = [int(number) for number in answers.read().split()]
    assert os.waitpid(child, 0)[1] == 0
    ours = [sequence.next() for _ in range(12)]
    assert theirs == list(range(11, 23))
    assert ours == [*range(2, 11), 31, 32, 33]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_waits_for_no_claim_of_its_parent() -> None:
    gate = Gate()
    sequence = Coordinator(DictOver(store=gate, operation_timeout=30.0)).sequence("ids")
    thread = held_claim(gate, sequence)
    child = os.fork()
    if child == 0:
        os._exit(0 if sequence.next() == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    gate.is_open.set()
    thread.join(30.0)
