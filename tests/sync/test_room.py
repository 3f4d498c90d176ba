"""Room in a record: what was acquired stays renewable, and a full record ends nothing early."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict import NonEmptySafeStrTuple
from persidict_sync.context import OWNER_MAX_LENGTH
from persidict_sync.errors import LeaseLost, RecordError, RecordTooLargeError
from persidict_sync.lease_state import LeaseState
from persidict_sync.plain import MAX_VALUE_BYTES
from persidict_sync.record import (
    MAX_BYTES,
    MAX_INT,
    OP_LENGTH,
    RING,
    Record,
    RecordCodec,
    digits_left,
)
from persidict_sync.semaphore_state import PermitState, SemaphoreState, freed, renewed, taken
from tests.contract.places import InMemory
from tests.sync.fleets import Fleet

KEY = NonEmptySafeStrTuple("semaphore", "gpus")
CODEC = RecordCodec()
WRITTEN = "2026-01-02T03:04:05+00:00"


def record_of(state: SemaphoreState | LeaseState, *, generation: int) -> Record:
    ops = "0" * OP_LENGTH * min(generation, RING)
    op = "0" * OP_LENGTH
    return Record(state.kind, generation, op, ops, WRITTEN, state.body(), room=state.room)


def size_of(state: SemaphoreState | LeaseState, *, generation: int) -> int:
    """How large its record would be with a whole ring, and with what it asks room for."""
    empty = replace(state, room=0)
    ring = RING * OP_LENGTH - OP_LENGTH * min(generation, RING)
    return len(CODEC.encode(record_of(empty, generation=generation))) + ring + state.room


def permit(letters: int, *, owner: str = "worker") -> PermitState:
    return PermitState(token=MAX_INT, beat=0, ttl=30.0, owner=owner, data="x" * letters)


def take(state: SemaphoreState | None, generation: int, letters: int) -> SemaphoreState:
    after = taken(state, generation, permits=200, permit=permit(letters), over=())
    assert isinstance(after, SemaphoreState)
    return after


def filled(letters: list[int], *, token: int, generation: int) -> tuple[SemaphoreState, int]:
    """Permits with so much data each, and a last one that leaves no byte; and its generation."""
    state = SemaphoreState(permits=200, token=token, held=())
    for one in letters:
        state = take(state, generation, one)
        generation += 1
    left = MAX_BYTES - size_of(take(state, generation, 0), generation=generation + 1)
    return take(state, generation, left), generation + 1


NUMBERS = st.integers(0, 15).map(lambda digits: 10**digits - 1) | st.integers(0, MAX_INT - 1)


LETTERS = st.lists(st.integers(0, 2_000), max_size=12)
USED = st.sampled_from([0, 7, 998, MAX_INT // 10, MAX_INT - 1_000])


class TestTaking:
    @given(letters=LETTERS, token=USED, generation=USED, data=st.data())
    def test_what_fits_once_is_renewed_for_ever_and_one_byte_more_does_not_fit(
        self, letters: list[int], token: int, generation: int, data: st.DataObject
    ) -> None:
        full, generation = filled(letters, token=token, generation=generation)
        CODEC.encode(record_of(full, generation=generation))
        *others, last = full.held
        before = replace(full, token=full.token - 1, held=tuple(others))
        larger = take(before, generation - 1, len(last.data) + 1)
        with pytest.raises(RecordTooLargeError, match="65537 bytes, and 65536 is the most"):
            CODEC.encode(record_of(larger, generation=generation))

        beats = [data.draw(NUMBERS, label="beat") for _ in full.held]
        held = tuple(replace(one, beat=beat) for one, beat in zip(full.held, beats, strict=True))
        worn = replace(full, held=held, room=0)
        generation = max(generation, data.draw(NUMBERS, label="generation"))
        CODEC.encode(record_of(worn, generation=generation))
        token = data.draw(st.sampled_from(held), label="whose").token
        for transition in (renewed, freed):
            after = transition(worn, generation, token=token)
            assert isinstance(after, SemaphoreState)
            CODEC.encode(record_of(after, generation=generation + 1))

    @given(letters=LETTERS, token=USED, generation=USED)
    def test_what_fits_once_fits_however_long_the_semaphore_has_been_used(
        self, letters: list[int], token: int, generation: int
    ) -> None:
        young, its_generation = filled(letters, token=0, generation=0)
        old = SemaphoreState(permits=200, token=token, held=())
        for one in young.held:
            old = take(old, generation, len(one.data))
            generation += 1
        assert size_of(young, generation=its_generation) == MAX_BYTES
        assert size_of(old, generation=generation) == MAX_BYTES

    def test_200_permits_with_owners_of_the_largest_length_fit(self) -> None:
        state: SemaphoreState | None = None
        for generation in range(200):
            one = permit(32, owner="w" * OWNER_MAX_LENGTH)
            state = taken(state, generation, permits=200, permit=one, over=())  # type: ignore[assignment]
        assert state is not None
        CODEC.encode(record_of(state, generation=200))

    def test_a_lease_needs_none(self) -> None:
        """Its largest data leaves room for all else."""
        largest = LeaseState(
            token=MAX_INT,
            holder="\U0001f600" * OWNER_MAX_LENGTH,
            beat=MAX_INT,
            ttl=1 / 3,
            data="x" * (MAX_VALUE_BYTES - 2),
            acquired=WRITTEN,
        )
        assert size_of(largest, generation=MAX_INT) < MAX_BYTES - 10_000

    def test_digits_left(self) -> None:
        numbers = (0, 9, 10, 2**53 // 10, MAX_INT)
        assert [digits_left(number) for number in numbers] == [15, 15, 14, 1, 0]


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(InMemory())


def records(fleet: Fleet) -> Any:
    place = fleet.place.open(serialization_format="json")
    return place.get_subdict("coordination").with_codec(CODEC)


def write(fleet: Fleet, state: SemaphoreState) -> None:
    stored = records(fleet)
    op = f"{stored[KEY].generation:024x}"
    stored[KEY] = stored[KEY].next(body=state.body(), op=op, written=WRITTEN)


def fill(fleet: Fleet, *, room: int = 0) -> None:
    """Have an older version take a permit, which leaves so many bytes and cares for no others."""
    record = records(fleet)[KEY]
    state = SemaphoreState.parse(record.body)
    token = state.token + 1

    def after(letters: int) -> SemaphoreState:
        theirs = replace(permit(letters, owner="older"), token=token)
        return replace(state, token=token, held=(*state.held, theirs))

    left = MAX_BYTES - size_of(after(0), generation=record.generation + 1)
    write(fleet, after(left - room))


def leave(fleet: Fleet) -> None:
    state = SemaphoreState.parse(records(fleet)[KEY].body)
    write(fleet, replace(state, held=tuple(one for one in state.held if one.owner != "older")))


@pytest.mark.parametrize("used", [1, MAX_INT - 10_000])
def test_all_holders_of_a_full_record_go_on_renewing(fleet: Fleet, used: int) -> None:
    """Also where no number but those of their renewals can grow any more."""
    records(fleet)[KEY] = record_of(
        SemaphoreState(permits=200, token=used, held=()), generation=used
    )
    semaphore = fleet.member().semaphore("gpus", 200)
    held = [semaphore.acquire(data="x" * 3_000) for _ in range(19)]
    record = records(fleet)[KEY]
    state = SemaphoreState.parse(record.body)
    last = taken(state, record.generation, permits=200, permit=permit(0, owner="worker-1"), over=())
    assert isinstance(last, SemaphoreState)
    left = MAX_BYTES - size_of(last, generation=record.generation + 1)
    with pytest.raises(RecordTooLargeError, match="65537 bytes"):
        semaphore.try_acquire(data="x" * (left + 1))
    held.append(semaphore.acquire(data="x" * left))
    for _ in range(11):
        for one in held:
            one.renew()
    permits = SemaphoreState.parse(records(fleet)[KEY].body).held
    assert [one.beat for one in permits] == [11] * len(held)
    assert all(one.release() for one in held)


class TestFilledByOthers:
    def test_who_does_not_fit_any_more_holds_until_its_time_is_up(self, fleet: Fleet) -> None:
        member, lost = fleet.member(), []
        semaphore = member.semaphore("gpus", 9, ttl=30.0, on_lost=lost.append)
        held = semaphore.acquire()
        for _ in range(9):
            held.renew()
        fill(fleet)
        with pytest.raises(RecordTooLargeError):
            held.renew()
        while fleet.clock.monotonic() < 26.0:
            fleet.clock.advance(1.0)
            member.heartbeat.run_due()
            held.check()
        failed = fleet.told("renewal-failed")
        assert {event.fields["error"] for event in failed} == {"RecordTooLargeError"}
        assert len(failed) >= 5
        fleet.clock.advance(1.0)
        with pytest.raises(LeaseLost) as caught:
            held.check()
        assert caught.value.reason == "expired"
        assert isinstance(caught.value.__cause__, RecordTooLargeError)
        member.heartbeat.run_due()
        assert lost == [held]

    def test_it_goes_on_when_others_have_left(self, fleet: Fleet) -> None:
        member = fleet.member()
        held = member.semaphore("gpus", 9, ttl=30.0).acquire()
        for _ in range(9):
            held.renew()
        fill(fleet)
        with pytest.raises(RecordTooLargeError):
            held.renew()
        fleet.clock.advance(20.0)
        leave(fleet)
        member.heartbeat.run_due()
        assert held.remaining() == 27.0
        held.renew()

    def test_a_renewal_that_fits_needs_no_room_besides(self, fleet: Fleet) -> None:
        held = fleet.member().semaphore("gpus", 9).acquire()
        fill(fleet, room=1)
        for _ in range(9):
            held.renew()
        with pytest.raises(RecordTooLargeError):
            held.renew()
        held.check()
        assert held.release()

    def test_an_operator_breaks_one(self, fleet: Fleet) -> None:
        semaphore = fleet.member().semaphore("gpus", 9)
        held = semaphore.acquire()
        fill(fleet)
        assert semaphore.break_(held.token + 1)
        for _ in range(10):
            held.renew()

    def test_a_damaged_record_still_ends_it_at_once(self, fleet: Fleet) -> None:
        held = fleet.member().semaphore("gpus", 9).acquire()
        stored = records(fleet)
        stored[KEY] = replace(stored[KEY], body={"permits": 9})
        with pytest.raises(LeaseLost) as caught:
            held.renew()
        assert caught.value.reason == "broken"
        assert type(caught.value.__cause__) is RecordError


class TestAcquiring:
    def test_what_others_have_released_since_the_last_look_is_used(self, fleet: Fleet) -> None:
        other = fleet.member().semaphore("gpus", 2).acquire(data="x" * 40_000)
        semaphore = fleet.member().semaphore("gpus", 2)
        for _ in range(2):
            with pytest.raises(RecordTooLargeError):
                semaphore.try_acquire(data="x" * 30_000)
        other.release()
        held = semaphore.try_acquire(data="x" * 30_000)
        assert held is not None
        assert semaphore.holders() == {held.token: "worker-2"}

    def test_what_others_hold_by_now_is_seen(self, fleet: Fleet) -> None:
        one = fleet.member().semaphore("gpus", 2).acquire(data="x" * 40_000)
        semaphore, other = (fleet.member().semaphore("gpus", 2) for _ in range(2))
        with pytest.raises(RecordTooLargeError):
            semaphore.try_acquire(data="x" * 30_000)
        one.release()
        assert other.acquire()
        assert other.acquire()
        assert semaphore.try_acquire(data="x" * 30_000) is None


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


class TestDepth:
    def test_of_what_is_said_with_a_permit(self, fleet: Fleet) -> None:
        semaphore = fleet.member().semaphore("gpus", 2)
        for ask in (semaphore.try_acquire, lambda **how: semaphore.acquire(1.0, **how)):
            with pytest.raises(ValueError, match="data is nested more than 12 deep") as caught:
                ask(data=nested(13))
            assert not isinstance(caught.value, RecordError)
        assert len(records(fleet)) == 0
        assert semaphore.acquire(data=nested(12)).data == nested(12)
        (stored,) = records(fleet)[KEY].body["held"]
        assert json.loads(json.dumps(stored["data"])) == nested(12)

    def test_of_what_is_said_with_a_lease(self, fleet: Fleet) -> None:
        lease = fleet.member().lease("nightly")
        with pytest.raises(ValueError, match="data is nested more than 14 deep"):
            lease.acquire(data=nested(15))
        assert lease.acquire(data=nested(14)).data == nested(14)
