"""Every way in which an update can go, and what its caller is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tenacity

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict.testing.clock import ManualClock
from persidict_sync.errors import RecordError, RecordTooLargeError
from persidict_sync.outcome import Known, Refusal, Refused, Updated
from persidict_sync.record import MAX_INT, OP_LENGTH, RING, Record
from tests.sync.scripted import (
    KEY,
    Scripted,
    Tally,
    after,
    busy,
    dropped,
    late,
    lost,
    plus,
    refused,
    then,
)

DEADLINE = 30.0
HUNDRED = 100


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def scripted(clock: ManualClock) -> Scripted:
    return Scripted(clock)


class Events(list[tuple[str, dict[str, Any]]]):
    def __call__(self, name: str, /, **fields: Any) -> None:
        self.append((name, fields))

    def names(self) -> list[str]:
        return [name for name, _ in self]


def others_write(scripted: Scripted, times: int) -> Callable[[], None]:
    """Others, who are not in the script, add 100 so many times."""

    def act() -> None:
        other = Scripted(ManualClock(seed=99 + len(scripted.requests)))
        other.inner = scripted.inner
        for _ in range(times):
            added = other.cell().update(plus(HUNDRED, by="them"), deadline=DEADLINE)
            assert isinstance(added, Updated)

    return act


def begun(scripted: Scripted) -> Known[Tally]:
    """A record of generation 3 and total 300."""
    others_write(scripted, 3)()
    known = scripted.cell().look()
    scripted.requests.clear()
    return known


def test_requests_of_an_update_that_nobody_disturbs(scripted: Scripted) -> None:
    cell = scripted.cell()
    first = cell.update(plus(1), deadline=DEADLINE)
    assert scripted.requests == ["read", "write"]
    second = cell.update(plus(1), deadline=DEADLINE, base=first.known)
    assert scripted.requests == ["read", "write", "write"]
    others_write(scripted, 1)()
    third = cell.update(plus(1), deadline=DEADLINE, base=second.known)
    assert scripted.requests == ["read", "write", "write", "write", "write"]
    assert isinstance(third, Updated)
    assert (third.state.total, third.known.generation) == (103, 4)
    assert scripted.clock.slept == []


def test_create_first(scripted: Scripted) -> None:
    cell = scripted.cell()
    created = cell.update(plus(1), deadline=DEADLINE, base=cell.absent())
    assert scripted.requests == ["write"]
    assert isinstance(created, Updated)
    assert created.before is None
    assert created.record.generation == 1
    scripted.requests.clear()
    again = cell.update(plus(1), deadline=DEADLINE, base=cell.absent())
    assert scripted.requests == ["write", "write"]
    assert isinstance(again, Updated)
    assert again.before == created.state


def test_a_refusal_writes_nothing(scripted: Scripted) -> None:
    base = begun(scripted)
    cell = scripted.cell()
    outcome = cell.update(lambda state, generation: Refusal("no"), deadline=DEADLINE)
    assert outcome == Refused("no", base)
    assert scripted.requests == ["read"]
    assert isinstance(
        cell.update(lambda state, generation: Refusal("no"), deadline=DEADLINE, base=base), Refused
    )
    assert scripted.requests == ["read"]


@pytest.mark.parametrize("writes", [0, 1, RING - 1])
def test_unknown_and_ours_is_in_the_ring(scripted: Scripted, writes: int) -> None:
    base, events = begun(scripted), Events()
    scripted.writes = [then(lost, others_write(scripted, writes))]
    outcome = scripted.cell(tell=events).update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert (outcome.state.total, outcome.record.generation) == (301, 4)
    assert outcome.before == base.state
    assert outcome.known.generation == 4 + writes
    assert scripted.total() == 301 + HUNDRED * writes
    assert len(scripted.sent) == 1
    assert events.names() == ["doubt", "settled"]
    assert events[1][1]["applied"] is True


@pytest.mark.parametrize("writes", [1, 2, RING])
def test_unknown_and_certainly_not_applied_is_decided_anew(scripted: Scripted, writes: int) -> None:
    base, events = begun(scripted), Events()
    scripted.writes = [then(dropped, others_write(scripted, writes))]
    outcome = scripted.cell(tell=events).update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert scripted.total() == 301 + HUNDRED * writes
    assert outcome.before is not None
    assert outcome.before.total == 300 + HUNDRED * writes
    assert len({body for body, _ in scripted.sent}) == 2
    assert events.names() == ["doubt", "settled", "conflict"]
    assert events[1][1]["applied"] is False


@pytest.mark.parametrize(("step", "writes"), [(lost, RING), (lost, RING + 4), (dropped, RING + 1)])
def test_unknown_and_the_ring_no_longer_tells(scripted: Scripted, step: Any, writes: int) -> None:
    base = begun(scripted)
    scripted.writes = [then(step, others_write(scripted, writes))]
    with pytest.raises(OutcomeUnknownError) as caught:
        scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert caught.value.key == KEY
    assert "Read it and decide" in str(caught.value)
    assert isinstance(caught.value.__cause__, OutcomeUnknownError)
    assert scripted.total() == 300 + HUNDRED * writes + (1 if step is lost else 0)
    assert len(scripted.sent) == 1


def doubled(writes: int) -> Any:
    """Applied, overwritten so many times, and the answer that arrives is a refused copy's."""

    def step(scripted: Scripted, call: Any) -> Any:
        call()
        others_write(scripted, writes)()
        return call()

    return step


@pytest.mark.parametrize("writes", [0, 1, RING - 1])
def test_a_doubled_request_is_found_in_the_ring(scripted: Scripted, writes: int) -> None:
    scripted.is_remote = True
    begun(scripted)
    scripted.writes = [doubled(writes)]
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE)
    assert isinstance(outcome, Updated)
    assert scripted.total() == 301 + HUNDRED * writes


def test_a_doubled_request_that_the_ring_no_longer_shows_is_unknown(scripted: Scripted) -> None:
    scripted.is_remote = True
    begun(scripted)
    scripted.writes = [doubled(RING)]
    with pytest.raises(OutcomeUnknownError):
        scripted.cell().update(plus(1), deadline=DEADLINE)
    assert scripted.total() == 301 + HUNDRED * RING
    assert len(scripted.sent) == 1


@pytest.mark.parametrize("writes", [16, 17, 47, RING])
def test_refused_on_a_busy_record_is_decided_anew(scripted: Scripted, writes: int) -> None:
    """Four processes that add over HTTP write up to 47 times while one request is under way."""
    scripted.is_remote = True
    begun(scripted)
    scripted.writes = [after(others_write(scripted, writes))]
    assert isinstance(scripted.cell().update(plus(1), deadline=DEADLINE), Updated)
    assert scripted.total() == 301 + HUNDRED * writes


def test_nothing_doubles_a_request_that_crosses_no_network(scripted: Scripted) -> None:
    begun(scripted)
    scripted.writes = [lambda scripted, call: [others_write(scripted, RING)(), call()][1]]
    assert isinstance(scripted.cell().update(plus(1), deadline=DEADLINE), Updated)
    assert scripted.total() == 301 + HUNDRED * RING


def test_what_was_long_remembered_of_a_busy_record_was_stale(scripted: Scripted) -> None:
    scripted.is_remote = True
    begun(scripted)
    base = scripted.cell().look()
    others_write(scripted, RING + 1)()
    scripted.clock.advance(1.0)
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert scripted.total() == 301 + HUNDRED * (RING + 1)


def test_unmoved_the_same_bytes_go_out_again(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [dropped, dropped, dropped]
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert scripted.total() == 301
    assert len(scripted.sent) == 4
    assert len(set(scripted.sent)) == 1


def test_unmoved_a_transition_is_not_asked_again(scripted: Scripted) -> None:
    base, asked = begun(scripted), []

    def once(state: Tally | None, generation: int) -> Tally | Refusal:
        asked.append(generation)
        return plus(1)(state, generation) if len(asked) == 1 else Refusal("too late")

    scripted.writes = [dropped, dropped]
    assert isinstance(scripted.cell().update(once, deadline=DEADLINE, base=base), Updated)
    assert asked == [3]


def test_late_application_between_look_and_resend(scripted: Scripted) -> None:
    base = begun(scripted)
    landed: list[bool] = []
    scripted.writes = [late, after(lambda: landed.extend(scripted.release_late()))]
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert landed == [True]
    assert scripted.total() == 301
    assert outcome.known.generation == 4


def test_late_application_after_it_was_settled_never_lands(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [late]
    assert isinstance(scripted.cell().update(plus(1), deadline=DEADLINE, base=base), Updated)
    assert scripted.release_late() == [False]
    assert scripted.total() == 301


def test_late_application_after_it_was_decided_anew_never_lands(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [then(late, others_write(scripted, 1))]
    assert isinstance(scripted.cell().update(plus(1), deadline=DEADLINE, base=base), Updated)
    assert scripted.release_late() == [False]
    assert scripted.total() == 401


def test_a_resend_that_is_refused_by_its_own_late_copy(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [
        late,
        after(lambda: scripted.release_late() and others_write(scripted, 5)()),
    ]
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert scripted.total() == 801
    assert outcome.record.generation == 4


def test_an_attempt_that_was_settled_as_not_applied_leaves_the_next_one_free(
    scripted: Scripted,
) -> None:
    base = begun(scripted)
    scripted.writes = [then(dropped, others_write(scripted, 1)), refused]
    with pytest.raises(BackendError) as caught:
        scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert not isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_deleted_while_open(scripted: Scripted, times: int) -> None:
    base = begun(scripted)

    def begin_anew() -> None:
        del scripted.inner[KEY]
        others_write(scripted, times)()

    scripted.writes = [then(lost, begin_anew)]
    with pytest.raises(OutcomeUnknownError):
        scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert len(scripted.sent) == 1


@pytest.mark.parametrize("times", [3, 4, 5, RING])
def test_begun_anew_and_beyond_where_it_was(scripted: Scripted, times: int) -> None:
    base = begun(scripted)

    def begin_anew() -> None:
        del scripted.inner[KEY]
        others_write(scripted, times)()

    scripted.writes = [then(lost, begin_anew)]
    with pytest.raises(OutcomeUnknownError):
        scripted.cell().update(plus(1), deadline=DEADLINE, base=base)


def test_an_update_of_what_is_not_there_any_more_creates_it(scripted: Scripted) -> None:
    base = begun(scripted)
    del scripted.inner[KEY]
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert outcome.record.generation == 1


def test_refused_while_open_is_reported_as_unknown_at_the_deadline(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [late, *[refused] * 1_000_000]
    scripted.reads = [refused] * 1_000_000
    with pytest.raises(OutcomeUnknownError) as caught:
        scripted.cell().update(plus(1), deadline=0.5, base=base)
    assert len(set(scripted.sent)) == 1
    assert 0.5 <= scripted.clock.monotonic() < 0.6
    assert isinstance(caught.value.__cause__, BackendError)


def test_refused_while_open_and_settled_later(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [lost, refused, refused]
    scripted.reads = [refused]
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert scripted.total() == 301


def test_busy_while_open_stays_open(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [late, busy, after(scripted.release_late)]
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert scripted.total() == 301
    assert len(set(scripted.sent)) == 1


def test_refused_at_once_is_told_as_it_is(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [refused]
    with pytest.raises(BackendError) as caught:
        scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert scripted.requests == ["write"]


def test_busy_at_once_is_tried_again(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [busy, busy]
    assert isinstance(scripted.cell().update(plus(1), deadline=DEADLINE, base=base), Updated)
    assert scripted.total() == 301


def test_conflicts_until_the_deadline(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [after(others_write(scripted, 1))] * 1_000
    with pytest.raises(ConcurrencyConflictError) as caught:
        scripted.cell().update(plus(1), deadline=0.05, base=base)
    assert caught.value.key == KEY
    assert caught.value.attempts == len(scripted.sent) > 5
    # It sleeps up to the deadline at most, and tries once more then.
    assert scripted.clock.monotonic() == pytest.approx(0.05)
    assert scripted.total() % HUNDRED == 0


@pytest.mark.parametrize(("at", "told"), [(0.0, BackendError), (29.95, ConcurrencyConflictError)])
def test_too_slow_for_what_is_left_after_conflicts_is_not_unreachable(
    scripted: Scripted, at: float, told: type[Exception]
) -> None:
    base = begun(scripted)
    scripted.clock.advance(at)
    scripted.writes = [after(others_write(scripted, 1))] * 2
    scripted.reads = [refused] * 100_000
    with pytest.raises(told) as caught:
        scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert type(caught.value) is told
    assert scripted.total() % HUNDRED == 0


def test_a_deadline_that_has_passed_asks_once(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.clock.advance(10.0)
    assert isinstance(scripted.cell().update(plus(1), deadline=5.0, base=base), Updated)
    others_write(scripted, 1)()
    with pytest.raises(ConcurrencyConflictError) as caught:
        scripted.cell().update(plus(1), deadline=5.0, base=base)
    assert caught.value.attempts == 1


def test_a_doubt_at_the_deadline_is_not_looked_at(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [then(lost, lambda: scripted.clock.advance(60.0))]
    with pytest.raises(OutcomeUnknownError):
        scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert scripted.requests == ["write"]


def test_after_a_wait_it_looks_before_it_writes(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.writes = [after(others_write(scripted, 1))] * 2
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert scripted.requests == ["write", "write", "reread", "write"]
    assert len(scripted.clock.slept) == 1


def test_waits_follow_the_pace_of_the_store_and_do_not_grow(scripted: Scripted) -> None:
    base = begun(scripted)

    def slowly() -> None:
        others_write(scripted, 1)()
        scripted.clock.advance(0.25)

    scripted.writes = [after(slowly)] * 200
    scripted.cell().update(plus(1), deadline=1_000.0, base=base)
    assert len(scripted.clock.slept) == 199
    assert all(0.0 <= wait <= 0.5 for wait in scripted.clock.slept)
    assert max(scripted.clock.slept) > 0.45
    assert min(scripted.clock.slept) < 0.05


def test_waits_are_the_same_for_the_same_clock() -> None:
    def run() -> list[float]:
        scripted = Scripted(ManualClock(seed=5))
        base = begun(scripted)
        scripted.writes = [after(others_write(scripted, 1))] * 20
        scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
        return scripted.clock.slept

    assert run() == run() != []


class TestPolicy:
    def test_its_waits_and_its_end(self, scripted: Scripted) -> None:
        base = begun(scripted)
        policy = tenacity.Retrying(
            wait=tenacity.wait_fixed(0.25), stop=tenacity.stop_after_attempt(3)
        )
        scripted.writes = [after(others_write(scripted, 1))] * 10
        with pytest.raises(ConcurrencyConflictError) as caught:
            scripted.cell(conflicts=policy).update(plus(1), deadline=DEADLINE, base=base)
        assert caught.value.attempts == 3
        assert scripted.clock.slept == [0.25, 0.25]

    def test_the_deadline_holds_all_the_same(self, scripted: Scripted) -> None:
        base = begun(scripted)
        policy = tenacity.Retrying(wait=tenacity.wait_fixed(20.0))
        scripted.writes = [after(others_write(scripted, 1))] * 10
        with pytest.raises(ConcurrencyConflictError):
            scripted.cell(conflicts=policy).update(plus(1), deadline=DEADLINE, base=base)
        assert scripted.clock.slept == [20.0, 10.0]

    def test_it_does_not_end_what_is_open(self, scripted: Scripted) -> None:
        base = begun(scripted)
        policy = tenacity.Retrying(stop=tenacity.stop_after_attempt(1))
        scripted.writes = [dropped] * 5
        outcome = scripted.cell(conflicts=policy).update(plus(1), deadline=DEADLINE, base=base)
        assert isinstance(outcome, Updated)
        assert scripted.total() == 301

    def test_its_own_retry_and_errors_are_not_used(self, scripted: Scripted) -> None:
        base = begun(scripted)
        policy = tenacity.Retrying(retry=tenacity.retry_always, reraise=True)
        assert isinstance(
            scripted.cell(conflicts=policy).update(plus(1), deadline=DEADLINE, base=base), Updated
        )
        assert len(scripted.sent) == 1


class TestForeignRecords:
    def garble(self, scripted: Scripted) -> Callable[[], None]:
        def act() -> None:
            name = next(iter(scripted.inner.memory.objects))
            stored = scripted.inner.memory.objects[name]
            import dataclasses

            scripted.inner.memory.objects[name] = dataclasses.replace(
                stored, etag="foreign", body=b"garbage"
            )

        return act

    def test_garbage_instead_of_the_record(self, scripted: Scripted) -> None:
        base = begun(scripted)
        self.garble(scripted)()
        for call in (
            lambda: scripted.cell().look(),
            lambda: scripted.cell().look(base),
            lambda: scripted.cell().update(plus(1), deadline=DEADLINE),
            lambda: scripted.cell().update(plus(1), deadline=DEADLINE, base=base),
        ):
            with pytest.raises(RecordError) as caught:
                call()
            assert caught.value.key == KEY
            assert "'one'" in str(caught.value)
        (stored,) = scripted.inner.memory.objects.values()
        assert stored.body == b"garbage"

    def test_garbage_while_open_is_unknown(self, scripted: Scripted) -> None:
        base = begun(scripted)
        scripted.writes = [then(late, self.garble(scripted))]
        with pytest.raises(OutcomeUnknownError) as caught:
            scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
        assert isinstance(caught.value.__cause__, RecordError)

    def test_garbage_that_a_resend_meets_is_unknown(self, scripted: Scripted) -> None:
        base = begun(scripted)
        scripted.writes = [late, after(self.garble(scripted))]
        with pytest.raises(OutcomeUnknownError) as caught:
            scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
        assert isinstance(caught.value.__cause__, RecordError)
        assert len(scripted.sent) == 2

    def test_another_kind(self, scripted: Scripted) -> None:
        record = Record("lease", 1, "0" * 24, "0" * 24, "", {"total": 1})
        scripted.inner[KEY] = record
        with pytest.raises(RecordError, match="it is a lease, not a tally") as caught:
            scripted.cell().update(plus(1), deadline=DEADLINE)
        assert caught.value.key == KEY
        assert scripted.inner[KEY] == record

    def test_a_body_of_another_shape(self, scripted: Scripted) -> None:
        record = Record("tally", 1, "0" * 24, "0" * 24, "", {"total": "1", "by": []})
        scripted.inner[KEY] = record
        with pytest.raises(RecordError, match="total") as caught:
            scripted.cell().look()
        assert caught.value.key == KEY


@pytest.mark.parametrize(
    "state",
    [
        Tally(total=MAX_INT + 1),
        Tally(total=1, unknown={"x": float("nan")}),
        Tally(total=1, unknown={"x": "\ud800"}),
        Tally(total=1, by=("x" * 70_000,)),
    ],
    ids=["out of range", "no number", "half a pair", "too large"],
)
def test_a_state_that_nobody_could_read_is_not_written(scripted: Scripted, state: Tally) -> None:
    begun(scripted)
    with pytest.raises(RecordError) as caught:
        scripted.cell().update(lambda *_: state, deadline=DEADLINE)
    assert caught.value.key == KEY
    assert scripted.total() == 300
    assert scripted.cell().look().generation == 3


def words(letters: int) -> Callable[[Tally | None, int], Tally]:
    """The transition that adds so much text."""
    return lambda state, _: Tally(total=1, by=(*(state.by if state else ()), "x" * letters))


class TestWhatWouldBeTooLarge:
    @pytest.fixture
    def full(self, scripted: Scripted) -> Known[Tally]:
        """What is known of a record with room for 10,000 bytes more, and not for 40,000."""
        known = scripted.cell().update(words(40_000), deadline=DEADLINE).known
        scripted.requests.clear()
        return known

    @staticmethod
    def empty(scripted: Scripted) -> Callable[[], None]:
        def act() -> None:
            other = Scripted(ManualClock(seed=99))
            other.inner = scripted.inner
            other.cell().update(lambda *_: Tally(total=0), deadline=DEADLINE)

        return act

    @pytest.mark.parametrize("writes", [0, 1])
    def test_room_that_a_state_asks_for_counts_and_is_not_stored(
        self, scripted: Scripted, writes: int
    ) -> None:
        for _ in range(writes):
            scripted.cell().update(words(0), deadline=DEADLINE)

        def asking(room: int) -> Callable[[Tally | None, int], Tally]:
            return lambda *_: Tally(total=1, by=("x" * 60_000,), room=room)

        with pytest.raises(RecordTooLargeError):
            scripted.cell().update(asking(5_000), deadline=DEADLINE)
        done = scripted.cell().update(asking(500), deadline=DEADLINE)
        assert (done.known.state, done.known.state.room) == (asking(0)(None, 0), 0)
        assert scripted.inner[KEY].body.keys() == {"total", "by"}

    def test_it_looks_again_and_others_have_made_room(
        self, scripted: Scripted, full: Known[Tally]
    ) -> None:
        self.empty(scripted)()
        done = scripted.cell().update(words(40_000), deadline=DEADLINE, base=full)
        assert isinstance(done, Updated)
        assert scripted.requests == ["reread", "write"]
        assert done.known.generation == 3

    def test_it_looks_again_and_nobody_has(self, scripted: Scripted, full: Known[Tally]) -> None:
        with pytest.raises(RecordTooLargeError) as caught:
            scripted.cell().update(words(40_000), deadline=DEADLINE, base=full)
        assert caught.value.key == KEY
        assert scripted.requests == ["reread"]

    def test_what_was_read_for_it_is_not_read_again(
        self, scripted: Scripted, full: Known[Tally]
    ) -> None:
        with pytest.raises(RecordTooLargeError):
            scripted.cell().update(words(40_000), deadline=DEADLINE)
        assert scripted.requests == ["read"]
        scripted.requests.clear()
        # Refused upon what is stale: the answer shows what is there.
        with pytest.raises(RecordTooLargeError):
            scripted.cell().update(words(40_000), deadline=DEADLINE, base=scripted.cell().absent())
        assert scripted.requests == ["write"]

    def test_others_who_make_room_while_it_looks_may_still_be_in_the_way(
        self, scripted: Scripted, full: Known[Tally]
    ) -> None:
        self.empty(scripted)()
        scripted.writes = [after(self.empty(scripted))]
        done = scripted.cell().update(words(40_000), deadline=DEADLINE, base=full)
        assert isinstance(done, Updated)
        assert scripted.requests[:2] == ["reread", "write"]
        assert done.known.generation == 4

    @pytest.mark.parametrize(
        ("deadline", "error"), [(5.0, RecordTooLargeError), (DEADLINE, BackendError)]
    )
    def test_a_store_that_cannot_be_read(
        self, scripted: Scripted, full: Known[Tally], deadline: float, error: type[Exception]
    ) -> None:
        """Who had less time than a call may take is not told that it cannot be reached."""
        scripted.reads = [refused]
        with pytest.raises(error):
            scripted.cell().update(words(40_000), deadline=deadline, base=full)


def test_what_a_transition_raises_ends_the_update(scripted: Scripted) -> None:
    base = begun(scripted)

    def fail(state: Tally | None, generation: int) -> Tally:
        raise ZeroDivisionError

    scripted.writes = [after(others_write(scripted, 1))]
    with pytest.raises(ZeroDivisionError):
        scripted.cell().update(fail, deadline=DEADLINE, base=base)
    assert scripted.total() == 300


def test_sent_is_before_the_first_sending_of_what_was_applied(scripted: Scripted) -> None:
    base = begun(scripted)
    scripted.clock.advance(7.0)
    slow = then(dropped, lambda: scripted.clock.advance(1.0))
    scripted.writes = [slow, slow, slow]
    outcome = scripted.cell().update(plus(1), deadline=DEADLINE, base=base)
    assert isinstance(outcome, Updated)
    assert outcome.sent == 7.0
    assert outcome.known.answered >= 10.0


def test_reread(scripted: Scripted) -> None:
    cell, base = scripted.cell(), begun(scripted)
    scripted.clock.advance(3.0)
    same = cell.look(base)
    assert (same.record, same.etag, same.answered) == (base.record, base.etag, 3.0)
    others_write(scripted, 1)()
    assert cell.look(base).generation == 4
    del scripted.inner[KEY]
    gone = cell.look(base)
    assert (gone.state, gone.generation) == (None, 0)
    assert cell.look(gone).state is None


def test_a_ring_of_unknown_ops_of_one_caller(scripted: Scripted) -> None:
    """Each of several updates in a row is settled by its own op."""
    cell = scripted.cell()
    known: Known[Tally] | None = None
    for _ in range(RING + 24):
        scripted.writes = [lost]
        outcome = cell.update(plus(1), deadline=DEADLINE, base=known)
        assert isinstance(outcome, Updated)
        known = outcome.known
    assert scripted.total() == RING + 24
    assert known is not None
    assert known.record is not None
    assert len(known.record.ops) == RING * OP_LENGTH
