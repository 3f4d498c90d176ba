"""What leases and semaphores have in common."""

from __future__ import annotations

import threading

import pytest
import tenacity

from persidict import BackendError, LocalDict
from persidict.object_store import TransientError, Unaccounted
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import AcquireTimeout
from tests.contract.places import DictOver, store_of
from tests.sync.around import Around
from tests.sync.fleets import Fleet


@pytest.fixture
def fleet(place):
    return Fleet(place)


@pytest.fixture(params=["lease", "semaphore"])
def contender(request):
    """Makes a member's contender for what is held one at a time."""

    def contender_of(member, **settings):
        permits = {"permits": 1} if request.param == "semaphore" else {}
        return getattr(member, request.param)("gpus", **permits, **settings)

    return contender_of


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        ({1, 2}, TypeError, "^data, or a part of it, is a set, which is no JSON"),
        ([(1, 2)], TypeError, "tuple"),
        ({1: 2}, TypeError, "^a dictionary in data has a key that is no string"),
        (threading.Lock(), TypeError, "^data, or a part of it, is a lock"),
        (float("nan"), ValueError, "^a float in data"),
        (2**53, ValueError, "^an int in data"),
        ("x" * 70_000, ValueError, "data has 70002 bytes as JSON, and 49152 is the most"),
    ],
    ids=type,
)
@pytest.mark.parametrize("acquire", ["try_acquire", "acquire"])
def test_data_that_is_no_small_json_is_refused_and_nothing_acquired(
    fleet, contender, acquire, data, error, text
):
    ours = contender(fleet.member())
    with pytest.raises(error, match=text):
        getattr(ours, acquire)(data=data)
    assert contender(fleet.member()).try_acquire().token == 1


def test_data_is_a_copy(fleet, contender):
    data = {"at": [1]}
    held = contender(fleet.member()).acquire(data=data)
    data["at"].append(2)
    held.renew()
    assert held.data == {"at": [1]}


def test_a_block_that_another_thread_has_begun_is_an_error_that_says_so(fleet, contender):
    ours = contender(fleet.member())
    begun = []
    other = threading.Thread(target=lambda: begun.append(ours.__enter__()))
    other.start()
    other.join()
    with pytest.raises(RuntimeError, match="`with` on 'gpus' was not begun by this thread"):
        ours.__exit__(None, None, None)
    (held,) = begun
    held.check()
    with held:
        pass
    with ours as again:
        assert again.token > held.token


def test_what_is_done_to_the_data_of_what_is_held_disturbs_no_renewal(fleet, contender):
    ours = contender(fleet.member())
    held = ours.acquire(data={"at": [1]})
    held.data["at"].append(object())
    held.renew()
    assert held.release()


def test_who_loses_to_a_faster_one_looks_again_before_the_next_try(fleet, contender):
    once = tenacity.Retrying(stop=tenacity.stop_after_attempt(1))
    ours, theirs = contender(fleet.member(conflicts=once)), contender(fleet.member())
    ours.acquire().release()
    theirs.acquire().release()
    assert ours.try_acquire() is None
    assert ours.try_acquire().token > 2


class Deaf(Around):
    """Answers no writing, which takes two seconds."""

    def __init__(self, inner, *, clock):
        super().__init__(inner)
        self._clock = clock

    def pass_on(self, verb, request):
        if verb == "put":
            self._clock.advance(2.0)
            return Unaccounted(TimeoutError())
        return request()


def test_who_is_never_answered_is_not_told_that_it_was_others(contender):
    clock = ManualClock()
    store = Deaf(store_of(LocalDict(clock=clock)), clock=clock)
    ours = Coordinator(DictOver(store=store, clock=clock), clock=clock, timeout=4.0)
    with pytest.raises(AcquireTimeout, match="or the store has not answered in time") as caught:
        contender(ours).acquire(timeout=10.0)
    assert caught.value.holder is None


class Interrupting:
    """A listener in which Ctrl-C arrives at an event, once."""

    def __init__(self, name):
        self.name = name

    def __call__(self, event):
        if event.name == self.name:
            self.name = None
            raise KeyboardInterrupt


def entered(contender):
    with contender:
        pytest.fail("it was interrupted before")


@pytest.mark.parametrize(
    "acquire",
    [lambda ours: ours.try_acquire(), lambda ours: ours.acquire(), entered],
    ids=["try_acquire", "acquire", "with"],
)
def test_what_an_interrupt_keeps_from_its_caller_is_not_renewed(contender, acquire):
    clocks = ManualClock(seed=1), ManualClock(seed=2)
    store = LocalDict(clock=clocks[0], serialization_format="json")
    member = Coordinator(store, clock=clocks[0], listeners=[Interrupting("acquired")])
    with pytest.raises(KeyboardInterrupt):
        acquire(contender(member))
    assert member.heartbeat.members() == []
    rival = contender(Coordinator(store, clock=clocks[1]))
    assert rival.acquire(timeout=36.0).token == 2


def test_what_an_interrupt_at_the_end_of_waiting_keeps_from_its_caller_is_not_renewed(contender):
    clock = ManualClock()
    store = LocalDict(clock=clock, serialization_format="json")
    contender(Coordinator(store, clock=ManualClock())).acquire()
    member = Coordinator(store, clock=clock, listeners=[Interrupting("waited")])
    with pytest.raises(KeyboardInterrupt):
        contender(member).acquire()
    assert member.heartbeat.members() == []


class Mute(Around):
    """Answers no reading from a time on."""

    def __init__(self, inner, *, clock, since):
        super().__init__(inner)
        self._clock = clock
        self._since = since

    def pass_on(self, verb, request):
        if verb == "get" and self._clock.monotonic() >= self._since:
            raise TransientError("no answer")
        return request()


@pytest.mark.parametrize(("since", "told"), [(3.0, BackendError), (5.0, AcquireTimeout)])
def test_a_last_look_that_is_not_answered_does_not_hide_who_holds_it(contender, since, told):
    clock = ManualClock()
    store = store_of(LocalDict(clock=clock))
    contender(Coordinator(DictOver(store=store, clock=clock), clock=clock, owner="them")).acquire()
    mute = Mute(store, clock=clock, since=since)
    ours = contender(Coordinator(DictOver(store=mute, clock=clock), clock=clock))
    with pytest.raises(told) as caught:
        ours.acquire(timeout=5.0)
    assert type(caught.value) is told or told is BackendError
    if told is AcquireTimeout:
        assert caught.value.holder == "them"
