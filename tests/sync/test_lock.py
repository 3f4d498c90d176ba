"""A lock of the fleet takes the place of `threading.Lock`."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from persidict import LocalDict
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost
from tests.sync.fleets import Fleet


@pytest.fixture
def fleet(place):
    return Fleet(place)


@pytest.fixture
def lock(fleet):
    return fleet.member().lock("index")


@pytest.fixture
def rival(fleet):
    return fleet.member().lock("index")


@pytest.fixture(params=["threading", "fleet"])
def either(request):
    """What a program may expect of any lock."""
    if request.param == "threading":
        yield threading.Lock()
    else:
        with Coordinator("memory:") as fleet:
            yield fleet.lock("index", poll=0.001)


class Interrupted(dict):
    """Where what was acquired is noted, unless Ctrl-C arrives just before."""

    def __setitem__(self, thread, held):
        raise KeyboardInterrupt


def test_what_an_interrupt_keeps_from_its_caller_is_not_renewed(fleet):
    member = fleet.member()
    lock = member.lock("index")
    lock._helds = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        lock.acquire()
    assert member.heartbeat.members() == []


def test_as_any_lock_it_is_acquired_and_released(either):
    assert not either.locked()
    assert either.acquire() is True
    assert either.locked()
    assert either.acquire(False) is False
    assert either.acquire(timeout=0.001) is False
    assert either.acquire(True, 0.001) is False
    assert either.release() is None
    assert not either.locked()


def test_as_any_lock_it_is_held_within_with(either):
    with either as entered:
        assert entered is True
        assert either.locked()
    assert not either.locked()


def test_as_any_lock_it_refuses_what_makes_no_sense(either):
    with pytest.raises(RuntimeError):
        either.release()
    with pytest.raises(ValueError, match="timeout"):
        either.acquire(blocking=False, timeout=1)
    with pytest.raises(ValueError, match="timeout"):
        either.acquire(timeout=-2)


def test_as_any_lock_it_is_released_by_any_thread(either):
    either.acquire()
    thread = threading.Thread(target=either.release)
    thread.start()
    thread.join(30)
    assert not either.locked()


def test_as_any_lock_it_lets_one_thread_in_at_a_time(either):
    inside, most, turns = 0, 0, []

    def work(number):
        nonlocal inside, most
        for _ in range(5):
            with either:
                inside += 1
                most = max(most, inside)
                turns.append(number)
                inside -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, len(turns)) == (1, 20)


def test_it_excludes_other_processes_until_it_is_released(lock, rival):
    assert lock.acquire()
    assert rival.locked()
    assert rival.acquire(blocking=False) is False
    lock.release()
    assert rival.acquire(blocking=False) is True
    assert lock.locked()
    with pytest.raises(RuntimeError):
        lock.release()


def test_waiting_ends_at_the_timeout(fleet, lock, rival):
    lock.acquire()
    begin = fleet.clock.monotonic()
    assert rival.acquire(timeout=5) is False
    assert fleet.clock.monotonic() - begin == pytest.approx(5.0)
    assert rival.acquire() is True


def test_its_token_is_there_for_whom_it_protects(lock):
    assert lock.held is None
    with lock:
        assert lock.held.token == 1
    assert lock.held is None


def test_releasing_what_was_lost_says_so(fleet, lock, rival):
    lock.acquire()
    fleet.clock.advance(27.0)
    with pytest.raises(LeaseLost) as caught:
        lock.release()
    assert caught.value.reason == "expired"
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(RuntimeError, match="not acquired"):
        lock.release()


def test_with_does_not_hide_the_bodys_own_error(fleet, lock):
    def lose_and_fail():
        with lock:
            fleet.clock.advance(27.0)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        lose_and_fail()


def test_a_thread_that_lost_it_does_not_release_its_successor(fleet, lock):
    lock.acquire()
    lock.acquire(blocking=False)
    fleet.clock.advance(100.0)

    taken = []
    thread = threading.Thread(target=lambda: taken.append(lock.acquire(timeout=100)))
    thread.start()
    thread.join(30)
    assert taken == [True]
    with pytest.raises(LeaseLost):
        lock.release()
    assert lock.locked()
    assert lock.held.remaining() > 0


def in_a_thread(*actions):
    """What each action returned, or what it raised, in a thread that has ended."""
    results = []

    def run():
        for action in actions:
            try:
                results.append(action())
            except RuntimeError as error:
                results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return results


def test_a_hold_dies_with_its_thread_and_no_other_of_its_number_inherits_it(fleet, lock):
    in_a_thread(lock.acquire)
    fleet.clock.advance(37.0)
    lock.acquire(timeout=100)
    # Most systems give the number of a thread that has ended to the next one.
    held, locked, released = in_a_thread(lambda: lock.held, lock.locked, lock.release)
    assert (held.token, locked, released) == (2, True, None)
    assert not lock.locked()


def test_a_new_thread_has_not_lost_what_an_ended_one_of_its_number_has(fleet, lock, rival):
    in_a_thread(lock.acquire)
    fleet.clock.advance(37.0)
    assert in_a_thread(lambda: lock.held) == [None]
    rival.acquire()
    assert lock.locked()


def test_what_an_ended_thread_holds_is_released_by_any(lock):
    in_a_thread(lock.acquire)
    assert (lock.held.token, lock.locked()) == (1, True)
    assert in_a_thread(lock.release) == [None]
    assert (lock.held, lock.locked()) == (None, False)


@pytest.mark.parametrize("is_ended", [True, False])
def test_who_releases_what_another_thread_has_lost_is_told_of_the_loss(fleet, lock, is_ended):
    if is_ended:
        in_a_thread(lock.acquire)
    else:
        lock.acquire()
    fleet.clock.advance(27.0)
    (error,) = in_a_thread(lock.release)
    assert isinstance(error, LeaseLost)
    assert (error.token, error.reason) == (1, "expired")


def test_the_thread_that_has_lost_it_is_told_also_when_another_was_told_before(fleet, lock):
    lock.acquire()
    fleet.clock.advance(37.0)
    (first,) = in_a_thread(lock.release)
    in_a_thread(lambda: lock.acquire(timeout=100))
    with pytest.raises(LeaseLost):
        lock.release()
    assert isinstance(first, LeaseLost)
    assert (lock.held.token, lock.locked()) == (2, True)


def test_of_several_losses_the_last_is_told(fleet, lock):
    lock.acquire()
    fleet.clock.advance(37.0)
    in_a_thread(lambda: lock.acquire(timeout=100))
    fleet.clock.advance(37.0)
    (error,) = in_a_thread(lock.release)
    assert error.token == 2


def test_what_ended_threads_have_lost_is_forgotten(fleet, lock):
    for _ in range(5):
        in_a_thread(lambda: lock.acquire(timeout=100))
        fleet.clock.advance(37.0)
    assert len(lock._helds) == 1
    lock.acquire(timeout=100)
    lock.release()
    assert lock._helds == {}


def test_a_lock_and_a_lease_of_one_name_are_two():
    fleet = Coordinator(LocalDict(serialization_format="json"))
    with fleet.lock("x"), fleet.lease("x"), fleet.election("x").campaign():
        assert fleet.lock("x").locked()
    fleet.close()


def add_under_the_lock(path, times):
    """Read, add one, write: what loses additions unless one does it at a time."""
    number = Path(path).with_suffix(".txt")
    with Coordinator(f"sqlite:///{path}") as fleet:
        lock = fleet.lock("number", poll=0.002)
        for _ in range(times):
            with lock:
                number.write_text(str(int(number.read_text()) + 1))
                lock.held.check()


def test_processes_do_one_at_a_time_what_it_protects(tmp_path, persidict_workers):
    path = tmp_path / "fleet.db"
    number = path.with_suffix(".txt")
    number.write_text("0")
    workers = [persidict_workers.spawn(add_under_the_lock, str(path), 15) for _ in range(3)]
    for worker in workers:
        worker.result()
    assert number.read_text() == "45"


def test_a_timeout_is_not_taken_for_blocking(fleet):
    lock = fleet.member().lock("index")
    with pytest.raises(TypeError, match="blocking must be True or False, not 5"):
        lock.acquire(5)
    assert lock.acquire(1)
