"""Updates over real HTTP, with answers that are lost, late, doubled or wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import pytest

from persidict import BackendError, OutcomeUnknownError
from persidict.testing import FaultKind, FaultRule, ServerControl
from persidict_sync.coordinator import Coordinator
from persidict_sync.record import RING
from tests.contract.places import InBucket
from tests.s3.wire import Wire

LOST_REPLY = [
    FaultKind.DROP_REPLY,
    FaultKind.RESET_REPLY,
    FaultKind.TRUNCATE,
    FaultKind.ERROR_500_AFTER,
    FaultKind.ERROR_503_AFTER,
]
NEVER_ARRIVED = [FaultKind.DROP_REQUEST, FaultKind.ERROR_500_BEFORE, FaultKind.ERROR_503_BEFORE]
HARMLESS = [FaultKind.DUPLICATE_FIRST, FaultKind.DUPLICATE_SECOND, FaultKind.CONFLICT]


def on_writes(kind: FaultKind, *, nth: tuple[int, ...] | None = (0,), **more: Any) -> FaultRule:
    return FaultRule(kind=kind, methods=("PUT",), nth=nth, **more)


class Rivals:
    """We, and others who write whenever they are let in."""

    def __init__(
        self, fleet: Callable[..., Coordinator], bucket: InBucket, rival_bucket: InBucket
    ) -> None:
        self.ours = fleet(bucket, prefix="c").counter("n")
        self.theirs = fleet(rival_bucket, prefix="c").counter("n")
        assert self.ours.add(3) == 3

    def others_add(self, times: int) -> None:
        for _ in range(times):
            self.theirs.add(100)

    def others_have_added(self, times: int) -> None:
        """Leaves the record as `others_add` does, by one write."""
        cell = self.theirs._cell
        seen = cell.look()
        for _ in range(times):
            attempt = cell.attempt(lambda state, _: replace(state, total=state.total + 100), seen)
            seen = replace(seen, state=attempt.state, record=attempt.record)
        cell.send(replace(attempt, base=seen), latest=inf)


@pytest.fixture
def rivals(bucket: InBucket, rival_bucket: InBucket, fleet: Callable[..., Coordinator]) -> Rivals:
    return Rivals(fleet, bucket, rival_bucket)


@pytest.mark.parametrize("kind", [*LOST_REPLY, *NEVER_ARRIVED, *HARMLESS], ids=str)
def test_a_fault_of_one_write(rivals: Rivals, control: ServerControl, kind: FaultKind) -> None:
    control.set_faults(on_writes(kind))
    assert rivals.ours.add() == 4
    assert control.fault_report().count(kind) == 1
    assert rivals.theirs.value() == 4


@pytest.mark.parametrize("kind", [*LOST_REPLY, *NEVER_ARRIVED, *HARMLESS], ids=str)
def test_a_fault_of_the_first_write_of_all(
    bucket: InBucket, control: ServerControl, fleet: Any, kind: FaultKind
) -> None:
    control.set_faults(on_writes(kind))
    assert fleet(bucket).counter("n").add() == 1
    assert fleet(bucket).counter("n").value() == 1


@pytest.mark.parametrize("others", [1, 2, RING - 1])
@pytest.mark.parametrize("kind", [*LOST_REPLY, *NEVER_ARRIVED], ids=str)
def test_others_write_before_anybody_looks(
    rivals: Rivals, control: ServerControl, wire: Wire, kind: FaultKind, others: int
) -> None:
    wire.after_write(lambda: rivals.others_have_added(others), before=("GetObject", "HeadObject"))
    control.set_faults(on_writes(kind))
    applied_first = kind in LOST_REPLY
    assert rivals.ours.add() == (4 if applied_first else 4 + 100 * others)
    assert wire.has_acted
    assert rivals.theirs.value() == 4 + 100 * others


def test_the_ring_overflows(rivals: Rivals, control: ServerControl, wire: Wire) -> None:
    wire.after_write(lambda: rivals.others_add(RING + 1), before=("GetObject", "HeadObject"))
    control.set_faults(on_writes(FaultKind.DROP_REPLY))
    with pytest.raises(OutcomeUnknownError) as caught:
        rivals.ours.add()
    assert caught.value.key == ("counter", "n")
    assert wire.has_acted
    # It is usable again, and what was in doubt can be seen.
    assert rivals.ours.add() == 5 + 100 * (RING + 1)


def before_our_write(wire: Wire, act: Callable[[], object]) -> None:
    wire.once(lambda sent: sent.operation == "PutObject", act)


def test_refused_when_others_have_filled_the_ring(rivals: Rivals, wire: Wire) -> None:
    before_our_write(wire, lambda: rivals.others_add(RING))
    assert rivals.ours.add() == 4 + 100 * RING
    assert wire.has_acted


def test_refused_when_the_ring_has_been_overrun(rivals: Rivals, wire: Wire) -> None:
    before_our_write(wire, lambda: rivals.others_add(RING + 1))
    with pytest.raises(OutcomeUnknownError):
        rivals.ours.add()
    assert wire.has_acted
    assert rivals.theirs.value() == 3 + 100 * (RING + 1)


def test_what_was_remembered_for_longer_than_a_request_was_stale(
    rivals: Rivals, bucket: InBucket
) -> None:
    rivals.others_have_added(RING + 1)
    bucket.clock.advance(1.0)
    assert rivals.ours.add() == 4 + 100 * (RING + 1)


def test_late_application_before_the_next_request(rivals: Rivals, control: ServerControl) -> None:
    control.set_faults(on_writes(FaultKind.LATE, close=True, after_requests=1))
    assert rivals.ours.add() == 4
    assert control.count_late() == 0
    assert rivals.theirs.value() == 4


def test_late_application_after_it_was_sent_again(rivals: Rivals, control: ServerControl) -> None:
    control.set_faults(on_writes(FaultKind.LATE, close=True))
    assert rivals.ours.add() == 4
    assert rivals.theirs.add(100) == 104
    assert control.release_late() == (412,)
    assert rivals.ours.value() == 104


def test_late_application_after_it_was_decided_anew(
    rivals: Rivals, control: ServerControl, wire: Wire
) -> None:
    wire.after_write(lambda: rivals.others_add(1), before=("GetObject", "HeadObject"))
    control.set_faults(on_writes(FaultKind.LATE, close=True))
    assert rivals.ours.add() == 104
    assert control.release_late() == (412,)
    assert rivals.ours.value() == 104


def test_all_replies_lost(rivals: Rivals, control: ServerControl) -> None:
    control.set_faults(on_writes(FaultKind.DROP_REPLY, nth=None))
    assert [rivals.ours.add() for _ in range(5)] == [4, 5, 6, 7, 8]
    control.clear_faults()
    assert rivals.theirs.value() == 8


def test_unreachable_while_open_is_unknown(
    rivals: Rivals, control: ServerControl, wire: Wire
) -> None:
    wire.after_write(
        lambda: control.set_faults(FaultRule(kind=FaultKind.DROP_REQUEST)),
        before=("GetObject", "HeadObject", "PutObject"),
    )
    control.set_faults(on_writes(FaultKind.DROP_REPLY))
    with pytest.raises(OutcomeUnknownError):
        rivals.ours.add()
    control.clear_faults()
    assert rivals.ours.value() == 4


def test_refused_while_open_is_unknown(rivals: Rivals, control: ServerControl, wire: Wire) -> None:
    wire.after_write(
        lambda: control.set_faults(FaultRule(kind=FaultKind.FORBIDDEN)),
        before=("GetObject", "HeadObject", "PutObject"),
    )
    control.set_faults(on_writes(FaultKind.DROP_REQUEST))
    with pytest.raises(OutcomeUnknownError):
        rivals.ours.add()
    control.clear_faults()
    assert rivals.ours.value() == 3


@pytest.mark.parametrize("kind", [FaultKind.FORBIDDEN, FaultKind.NO_SUCH_BUCKET], ids=str)
def test_refused_at_once_wrote_nothing(
    rivals: Rivals, control: ServerControl, kind: FaultKind
) -> None:
    control.set_faults(FaultRule(kind=kind))
    with pytest.raises(BackendError) as caught:
        rivals.ours.add()
    assert not isinstance(caught.value, OutcomeUnknownError)
    control.clear_faults()
    assert rivals.ours.value() == 3


def test_a_fifth_of_everything_fails(bucket: InBucket, fleet: Any, control: ServerControl) -> None:
    rules = (
        FaultRule(kind=FaultKind.ERROR_503_BEFORE, probability=0.1),
        FaultRule(kind=FaultKind.DROP_REPLY, probability=0.1, methods=("PUT",)),
        FaultRule(kind=FaultKind.CONFLICT, probability=0.05, methods=("PUT",)),
        FaultRule(kind=FaultKind.DUPLICATE_SECOND, probability=0.05, methods=("PUT",)),
    )
    control.set_faults(*rules, seed=7)
    counters = [fleet(bucket).counter("n") for _ in range(4)]
    told = [counters[number % 4].add() for number in range(60)]
    assert told == list(range(1, 61))
    assert {fault.kind for fault in control.fault_report().fired} == {rule.kind for rule in rules}
    control.clear_faults()
    assert counters[0].value() == 60
