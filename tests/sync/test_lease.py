"""A lease on every store: who holds it, when it changes hands, and what the other is told."""

from __future__ import annotations

import copy
import itertools
import pickle

import pytest

from persidict import LocalDict
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.counter import CounterState
from persidict_sync.errors import AcquireTimeout, LeaseLost, RecordError
from persidict_sync.lease import Holder
from tests.contract.places import InBucket
from tests.contract.test_ages import answers_of_time
from tests.sync.fleets import Fleet

TENURE, PATIENCE = 27.0, 33.0


@pytest.fixture
def fleet(place):
    return Fleet(place)


@pytest.fixture
def lease(fleet):
    return fleet.member().lease("nightly")


@pytest.fixture
def rival(fleet):
    return fleet.member().lease("nightly")


@pytest.fixture
def store_clock(place):
    """The clock of the store, whichever it is."""
    if isinstance(place, InBucket):
        with answers_of_time(place.client, clock=place.clock):
            yield place.clock
    else:
        yield place.clock


def lost(held):
    with pytest.raises(LeaseLost) as caught:
        held.check()
    assert held.lost.is_set()
    assert held.remaining() == 0.0
    return caught.value


def test_what_is_free_is_acquired_and_excludes_others(lease, rival):
    held = lease.try_acquire(data={"host": "a"})
    held.check()
    assert (held.token, held.data, held.name) == (1, {"host": "a"}, "nightly")
    assert held.remaining() == TENURE
    assert not held.lost.is_set()
    assert rival.try_acquire() is None
    assert lease.try_acquire() is None


def test_what_is_released_is_acquired_by_others_at_once(lease, rival):
    held = lease.try_acquire()
    assert held.release() is True
    assert lost(held).reason == "released"
    assert rival.try_acquire().token == 3


def test_tokens_rise_over_release_expiry_break_crash_and_new_objects(fleet):
    tokens = []

    def acquire(lease):
        held = lease.acquire()
        tokens.append(held.token)
        return held

    lease = fleet.member().lease("nightly")
    acquire(lease).release()
    acquire(lease).release()
    held = acquire(lease)
    fleet.clock.advance(TENURE)
    held = acquire(lease)
    lease.break_(held.token)
    acquire(fleet.member().lease("nightly"))
    with acquire(fleet.member().lease("nightly")) as held:
        held.renew()
    acquire(lease)
    assert len(tokens) == 7
    assert all(before < after for before, after in itertools.pairwise(tokens))


def test_a_holder_that_does_not_renew_is_lost_before_anyone_takes_over(fleet, lease, rival):
    held = lease.try_acquire()
    assert rival.try_acquire() is None
    fleet.clock.advance(TENURE)
    assert lost(held).reason == "expired"
    fleet.clock.advance(PATIENCE - TENURE - 0.01)
    assert rival.try_acquire() is None
    fleet.clock.advance(0.02)
    assert rival.try_acquire().token == 2


def test_a_contender_counts_from_its_first_look(fleet, lease, rival):
    lease.try_acquire()
    fleet.clock.advance(1000.0)
    assert rival.try_acquire() is None
    fleet.clock.advance(PATIENCE + 0.01)
    assert rival.try_acquire().token == 2


def test_a_renewal_begins_the_watch_anew(fleet, lease, rival):
    held = lease.try_acquire()
    for _ in range(5):
        assert rival.try_acquire() is None
        fleet.clock.advance(20.0)
        held.renew()
        assert held.remaining() == TENURE
    fleet.clock.advance(14.0)
    assert rival.try_acquire() is None


def test_a_watch_whose_time_is_up_takes_nothing_that_was_renewed_meanwhile(fleet, lease, rival):
    held = lease.try_acquire()
    assert rival.try_acquire() is None
    fleet.clock.advance(20.0)
    held.renew()
    fleet.clock.advance(20.0)
    assert rival.try_acquire() is None
    held.check()


def test_a_contender_goes_by_the_holders_ttl(fleet):
    fleet.member().lease("nightly", ttl=300.0).try_acquire()
    impatient = fleet.member().lease("nightly", ttl=3.0)
    with pytest.raises(AcquireTimeout):
        impatient.acquire(timeout=329.0)
    assert impatient.acquire(timeout=5.0).token == 2


def test_acquire_waits_until_it_is_released(fleet, lease, rival):
    held = lease.try_acquire()
    looks = iter([None, None, held.release])

    class Releasing(type(fleet.clock)):
        def sleep(self, seconds):
            super().sleep(seconds)
            if act := next(looks, None):
                act()

    clock = Releasing()
    waiting = fleet.member(clock=clock).lease("nightly")
    assert waiting.acquire(timeout=100.0).token == 3
    assert len(clock.slept) == 3
    assert all(1.0 <= pause <= 1.5 for pause in clock.slept)


def test_acquire_takes_over_within_one_poll_of_the_expiry(fleet, lease, rival):
    lease.try_acquire()
    begin = fleet.clock.monotonic()
    held = rival.acquire()
    waited = fleet.clock.monotonic() - begin
    assert held.token == 2
    assert PATIENCE <= waited <= PATIENCE + 1.5


class Renewing(ManualClock):
    """A clock on which somebody renews while another sleeps."""

    def __init__(self, *, at, **settings):
        super().__init__(**settings)
        self.at = at
        self.held = None

    def sleep(self, seconds):
        end = self.monotonic() + seconds
        if self.held is not None and end >= self.at:
            self.advance(self.at - self.monotonic())
            self.held, held = None, self.held
            held.renew()
        super().sleep(end - self.monotonic())


@pytest.mark.parametrize("seed", range(8))
def test_acquire_takes_over_within_two_polls_of_the_ttl_of_the_last_renewal(place, seed):
    clock = Renewing(at=3.0 + seed / 8, seed=seed)
    fleet = Fleet(place)
    clock.held = fleet.member(clock=clock).lease("nightly").acquire()
    assert fleet.member(clock=clock).lease("nightly").acquire().token == 3
    assert clock.held is None
    assert PATIENCE <= clock.monotonic() - clock.at <= PATIENCE + 2.0


def test_acquire_looks_at_the_expiry_even_if_its_polls_are_rare(fleet, lease):
    lease.try_acquire()
    begin = fleet.clock.monotonic()
    fleet.member().lease("nightly", poll=25.0).acquire()
    assert PATIENCE <= fleet.clock.monotonic() - begin <= PATIENCE + 12.5


def test_acquire_gives_up_at_its_timeout_and_says_who_holds(fleet, lease, rival):
    lease.try_acquire()
    begin = fleet.clock.monotonic()
    with pytest.raises(AcquireTimeout) as caught:
        rival.acquire(timeout=5.0)
    assert fleet.clock.monotonic() - begin == pytest.approx(5.0)
    assert (caught.value.name, caught.value.holder) == ("nightly", "worker-1")
    assert caught.value.remaining == pytest.approx(PATIENCE - 5.0)
    assert isinstance(caught.value, TimeoutError)


def test_acquire_without_time_to_wait_looks_once(lease, rival):
    lease.try_acquire()
    with pytest.raises(AcquireTimeout):
        rival.acquire(timeout=0)


@pytest.mark.parametrize(("wrong", "error"), [(-1, ValueError), ("5", TypeError)])
def test_a_timeout_that_is_none_is_refused(lease, wrong, error):
    with pytest.raises(error):
        lease.acquire(timeout=wrong)


def test_releasing_twice_says_so(lease):
    held = lease.try_acquire()
    held.release()
    with pytest.raises(LeaseLost) as caught:
        held.release()
    assert (caught.value.reason, caught.value.token, caught.value.name) == (
        "released",
        1,
        "nightly",
    )


def test_renewing_and_releasing_after_a_loss_say_why(fleet, lease, rival):
    held = lease.try_acquire()
    rival.try_acquire()
    fleet.clock.advance(PATIENCE + 1)
    successor = rival.try_acquire()
    for act in (held.renew, held.release, held.check):
        with pytest.raises(LeaseLost) as caught:
            act()
        assert caught.value.reason == "expired"
    successor.check()


def test_renewing_after_release_revives_nothing(lease, rival):
    held = lease.try_acquire()
    held.release()
    successor = rival.try_acquire()
    with pytest.raises(LeaseLost):
        held.renew()
    successor.renew()


def test_breaking_frees_it_and_its_holder_is_told_at_its_next_renewal(lease, rival):
    held = lease.try_acquire()
    assert rival.break_(held.token) is True
    with pytest.raises(LeaseLost) as caught:
        held.renew()
    assert caught.value.reason == "broken"
    assert lost(held).reason == "broken"
    assert rival.try_acquire().token == 3


def test_a_holder_whose_lease_was_broken_and_taken_is_told_that_it_is_stolen(lease, rival):
    held = lease.try_acquire()
    rival.break_(held.token)
    rival.try_acquire()
    with pytest.raises(LeaseLost) as caught:
        held.renew()
    assert caught.value.reason == "stolen"


def test_releasing_what_was_broken_and_taken_leaves_the_successor_alone(lease, rival):
    held = lease.try_acquire()
    rival.break_(held.token)
    successor = rival.try_acquire()
    with pytest.raises(LeaseLost) as caught:
        held.release()
    assert caught.value.reason == "stolen"
    assert lost(held).reason == "stolen"
    successor.renew()


@pytest.mark.parametrize("wrong", [0, 2])
def test_breaking_under_another_token_frees_nothing(lease, rival, wrong):
    held = lease.try_acquire()
    assert rival.break_(wrong) is False
    held.renew()


def test_breaking_what_is_free_or_never_was(lease):
    assert lease.break_(1) is False
    held = lease.try_acquire()
    held.release()
    assert lease.break_(held.token) is False
    with pytest.raises(TypeError):
        lease.break_("1")


def test_the_holder_is_shown_and_how_long_it_was_seen_not_renewing(fleet, lease, rival):
    assert rival.holder() is None
    held = lease.try_acquire(data=["a", 1])
    assert rival.holder() == Holder("worker-1", 1, ["a", 1], 0.0)
    fleet.clock.advance(7.0)
    assert rival.holder().seen == 7.0
    held.renew()
    assert rival.holder().seen == 0.0
    held.release()
    assert rival.holder() is None


def test_data_is_a_copy_both_ways(lease, rival):
    data = {"at": [1]}
    held = lease.try_acquire(data=data)
    data["at"].append(2)
    held.renew()
    rival.holder().data["at"].append(3)
    assert rival.holder().data == {"at": [1]}


@pytest.mark.parametrize(
    ("data", "error"),
    [({1, 2}, TypeError), ((1, 2), TypeError), ({1: 2}, TypeError), ("x" * 70_000, ValueError)],
)
def test_data_that_is_no_small_json_is_refused_and_nothing_acquired(lease, rival, data, error):
    with pytest.raises(error):
        lease.try_acquire(data=data)
    assert rival.try_acquire().token == 1


def test_with_a_lease_it_is_held_within(fleet, lease, rival):
    with lease as held:
        held.check()
        assert rival.try_acquire() is None
    assert lost(held).reason == "released"


def test_with_ends_well_if_the_body_has_released(lease):
    with lease.acquire() as held:
        held.release()


def test_with_tells_of_a_loss_that_its_body_did_not_see(fleet, lease):
    with pytest.raises(LeaseLost), lease:
        fleet.clock.advance(TENURE)


def test_with_does_not_hide_the_bodys_own_error(fleet, lease):
    def lose_and_fail():
        with lease:
            fleet.clock.advance(TENURE)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        lose_and_fail()


def test_loss_is_told_once_with_its_reason(fleet):
    told = []
    lease = fleet.member().lease("nightly", on_lost=told.append)
    held = lease.try_acquire()
    fleet.clock.advance(TENURE)
    assert held.lost.is_set()
    assert held.remaining() == 0.0
    assert told == [held]
    assert [event.fields for event in fleet.told("lost")] == [{"token": 1, "reason": "expired"}]


def test_a_release_is_no_loss(fleet):
    told = []
    fleet.member().lease("nightly", on_lost=told.append).try_acquire().release()
    assert (told, fleet.told("lost")) == ([], [])


def test_every_step_is_an_event(fleet, lease, rival):
    held = lease.try_acquire()
    held.renew()
    held.release()
    rival.break_(rival.try_acquire().token)
    steps = [(event.name, event.owner, event.fields["token"]) for event in fleet.events]
    assert steps == [
        ("acquired", "worker-1", 1),
        ("renewed", "worker-1", 1),
        ("released", "worker-1", 1),
        ("acquired", "worker-2", 4),
        ("broken", "worker-2", 4),
    ]
    assert {(event.kind, event.key) for event in fleet.events} == {("lease", "nightly")}


def test_leases_of_other_names_are_others(fleet):
    member = fleet.member()
    names = ["a", "b", ("a", "b")]
    assert all(member.lease(name).try_acquire() for name in names)


def test_a_wall_clock_that_jumps_an_hour_decides_nothing(fleet):
    class Jumping(type(fleet.clock)):
        jump = 0.0

        def time(self):
            return super().time() + self.jump

    clock = Jumping()
    lease, rival = (fleet.member(clock=clock).lease("nightly") for _ in range(2))
    held = lease.try_acquire()
    for clock.jump in (3600.0, -3600.0):
        assert rival.try_acquire() is None
        held.check()
        held.renew()


def test_by_the_stores_clock_a_fresh_process_takes_over_at_once(fleet, lease, store_clock):
    lease.try_acquire()
    store_clock.advance(PATIENCE + 6.0)
    held = fleet.member().lease("nightly", expiry="server").try_acquire()
    assert held is not None
    assert held.token == 2


def test_by_the_stores_clock_nobody_takes_over_early(fleet, lease, store_clock):
    lease.try_acquire()
    store_clock.advance(PATIENCE + 4.0)
    late = fleet.member().lease("nightly", expiry="server")
    assert late.try_acquire() is None
    assert late.holder().seen == pytest.approx(PATIENCE - 1.0)
    store_clock.advance(1.1)
    assert late.try_acquire().token == 2


def test_by_the_stores_clock_a_record_that_was_renewed_after_the_look_is_not_taken(
    fleet, lease, store_clock, monkeypatch
):
    held = lease.try_acquire()
    store_clock.advance(20.0)
    late = fleet.member().lease("nightly", expiry="server")
    ask = late._cell.age
    monkeypatch.setattr(late._cell, "age", lambda: (held.renew(), ask())[1] + 1000.0)
    assert late.try_acquire() is None
    held.renew()


@pytest.mark.parametrize(
    "error", [LeaseLost("a", 7, "stolen"), AcquireTimeout("a", "b", 1.5), LeaseLost("a", 1, "new")]
)
def test_errors_travel(error):
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(other), vars(other)) == (str(error), vars(error))


def test_closing_a_coordinator_releases_what_it_holds_and_nothing_else():
    store = LocalDict(serialization_format="json")
    one, other = Coordinator(store), Coordinator(store)
    mine, theirs = one.lease("mine").acquire(), other.lease("theirs").acquire()
    one.close()
    assert mine.lost.is_set()
    theirs.check()
    assert other.lease("mine").try_acquire() is not None
    other.close()


def test_reprs_show_no_data(lease):
    held = lease.try_acquire(data="secret")
    assert "secret" not in repr(held) + repr(lease)
    assert "token 1" in repr(held)


def test_a_record_of_another_kind_is_named_and_left_alone(fleet, lease):
    member = fleet.member()
    cell = member._context.cell("nightly", CounterState, folder="lease")
    counter = cell.update(
        lambda _state, _generation: CounterState(total=5), deadline=member._context.deadline()
    )
    for act in (lease.try_acquire, lease.acquire, lease.holder, lambda: lease.break_(1)):
        with pytest.raises(RecordError, match=r"nightly.*counter, not a lease"):
            act()
    assert cell.look().etag == counter.known.etag
