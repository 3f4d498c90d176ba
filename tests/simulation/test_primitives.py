"""What stands in for locks, events, queues and threads."""

from __future__ import annotations

import queue as queue_module
from concurrent.futures import ThreadPoolExecutor

import pytest

from persidict import daemons
from persidict_sync import held
from scenarios.simulation.primitives import RLock, SimpleQueue
from scenarios.simulation.threads import Threading, simulated
from tests.simulation.stage import staged


@pytest.fixture
def stage():
    with staged() as stage:
        yield stage


@pytest.fixture
def host(stage):
    return stage.host(rate=0.5)


@pytest.fixture
def threading(stage):
    return Threading(stage.scheduler)


def test_a_lock_is_had_by_one_and_waited_for_by_the_other(stage, host, threading):
    lock, seen = threading.Lock(), []

    def holder():
        with lock:
            host.clock.sleep(5.0)
            seen.append("released")

    def waiter():
        assert not lock.acquire(blocking=False)
        assert not lock.acquire(timeout=2.0)
        assert stage.scheduler.now == 4.0, "its own clock runs at half speed"
        assert lock.acquire(timeout=10.0)
        seen.append("acquired")

    stage.run(host, holder, waiter)
    assert seen == ["released", "acquired"]


def test_an_rlock_is_had_again_by_its_owner_alone(stage, host, threading):
    lock, seen = threading.RLock(), []

    def owner():
        with lock, lock:
            host.clock.sleep(1.0)
        seen.append("owner")

    def other():
        with lock:
            seen.append("other")

    stage.run(host, owner, other)
    assert seen == ["owner", "other"]


def test_a_condition_wakes_who_waits_and_times_out_otherwise(stage, host, threading):
    condition, seen = threading.Condition(), []

    def waiter():
        with condition:
            seen.append(condition.wait(1.0))
            seen.append(condition.wait(100.0))

    def notifier():
        host.clock.sleep(3.0)
        with condition:
            condition.notify_all()

    stage.run(host, waiter, notifier)
    assert seen == [False, True]


def test_a_semaphore_counts(stage, host, threading):
    semaphore, seen = threading.Semaphore(1), []

    def body():
        seen.append(semaphore.acquire())
        seen.append(semaphore.acquire(blocking=False))
        seen.append(semaphore.acquire(timeout=1.0))

    def later():
        host.clock.sleep(3.0)
        semaphore.release()
        seen.append(semaphore.acquire())

    stage.run(host, body, later)
    assert seen == [True, False, False, True]


def test_an_event_and_a_queue_wake_who_waits(stage, host, threading):
    event, queue, seen = threading.Event(), SimpleQueue(stage.scheduler), []

    def waiter():
        seen.extend([event.wait(1.0), event.wait(), queue.qsize()])
        seen.extend([queue.get(), queue.qsize()])

    def other():
        host.clock.sleep(2.0)
        event.set()
        host.clock.sleep(2.0)
        queue.put("item")
        queue.put("another")

    stage.run(host, waiter, other)
    assert seen == [False, True, 0, "item", 1]


def test_threads_are_tasks_and_have_locals_and_identities_of_their_own(stage, host, threading):
    local, seen = threading.local(), []

    def body(name):
        assert not hasattr(local, "name")
        local.name = name
        host.clock.sleep(1.0)
        seen.append((local.name, threading.get_ident()))

    def main():
        thread = threading.Thread(target=lambda: body("inner"))
        thread.start()
        assert thread.is_alive()
        body("outer")
        host.clock.sleep(1.0)
        assert not thread.is_alive()

    stage.run(host, main)
    assert {name for name, _ in seen} == {"inner", "outer"}
    assert len({ident for _, ident in seen}) == 2


def test_the_product_has_its_own_threads_again_afterwards(stage):
    simulated_one = held.threading
    assert isinstance(held.threading.RLock(), RLock)
    with simulated(stage.scheduler):
        assert held.threading is not simulated_one
    assert held.threading is simulated_one


def test_a_thread_that_nobody_simulates_goes_on_with_real_locks_and_queues(stage):
    def made():
        return held.threading.RLock(), daemons.SimpleQueue()

    with ThreadPoolExecutor(1) as others:
        lock, queue = others.submit(made).result()
        assert others.submit(lock.acquire).result()
    assert type(queue) is queue_module.SimpleQueue
    assert [type(one) for one in made()] == [RLock, SimpleQueue]
