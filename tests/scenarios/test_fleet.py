"""Worker processes: killed, frozen, continued, watched, and ended whatever happens."""

from __future__ import annotations

import os
import signal
from multiprocessing import Pipe
from pathlib import Path

import pytest

from scenarios.fleet import ENDED, HUNG, Fleet, Message
from scenarios.ground import Ground
from scenarios.journal import read_journal
from scenarios.stores import SQLiteAddress
from scenarios.worker import Orders, run_worker
from tests.scenarios.programs import first_crashes, hang, hold_one, lock_the_store


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fleet(clock):
    with Fleet(patience=60.0, clock=clock) as fleet:
        yield fleet


@pytest.fixture
def orders(tmp_path):
    return Orders(
        name="w1",
        seed="1",
        address=SQLiteAddress(tmp_path / "store.db"),
        heats=[["a"]],
        journal=tmp_path / "w1.jsonl",
    )


def pid_in(orders):
    return read_journal(orders.journal, worker="w1")[0]["pid"]


def next_message(fleet):
    (message,) = fleet.receive(timeout=60.0)
    return message


def test_a_worker_waits_at_a_checkpoint_until_it_is_released(fleet, orders):
    fleet.start(hold_one, orders=orders)
    at = next_message(fleet)
    assert at == Message("w1", "checkpoint", {"task": "t", "heat": 1}, waits=True)
    assert fleet.busy == []
    fleet.release("w1")
    assert next_message(fleet).kind == "went-on"
    assert next_message(fleet) == Message("w1", ENDED, {"exit": 0})
    assert fleet.alive == []


def test_sigkill_takes_a_worker_where_it_waits_and_leaves_its_log(fleet, orders):
    fleet.start(hold_one, orders=orders)
    next_message(fleet)
    fleet.kill("w1")
    assert next_message(fleet) == Message("w1", ENDED, {"exit": -signal.SIGKILL})
    events = read_journal(orders.journal, worker="w1")
    assert [event.name for event in events] == ["started", "run"]


def test_a_frozen_worker_is_stopped_and_goes_on_when_continued(fleet, orders):
    fleet.start(hold_one, orders=orders)
    next_message(fleet)
    fleet.freeze("w1")
    stat = Path(f"/proc/{pid_in(orders)}/stat").read_text()
    assert stat.rpartition(")")[2].split()[0] == "T"
    assert (fleet.awake, fleet.alive) == ([], ["w1"])
    fleet.thaw("w1")
    assert fleet.awake == ["w1"]
    assert next_message(fleet).kind == "went-on"


def test_a_worker_is_not_frozen_while_it_keeps_all_others_from_the_store(orders):
    ground = Ground(orders.address, "nobody")
    with Fleet(patience=60.0, is_store_locked=ground.is_locked) as fleet:
        fleet.start(lock_the_store, orders=orders)
        next_message(fleet)
        assert ground.is_locked()
        fleet.freeze("w1")
        assert not ground.is_locked()
        stat = Path(f"/proc/{pid_in(orders)}/stat").read_text()
        assert stat.rpartition(")")[2].split()[0] == "T"
        fleet.thaw("w1")
        assert next_message(fleet).kind == "went-on"


def test_who_locks_the_store_runs_until_it_does_not(orders):
    answers, stopped = iter([True, True, True, False, False]), []

    def is_locked():
        stat = Path(f"/proc/{pid_in(orders)}/stat").read_text()
        stopped.append(stat.rpartition(")")[2].split()[0] == "T")
        return next(answers)

    with Fleet(patience=60.0, is_store_locked=is_locked) as fleet:
        fleet.start(hold_one, orders=orders)
        next_message(fleet)
        fleet.freeze("w1")
    assert stopped == [True, False, False, False, True]


def test_silence_beyond_patience_is_reported_once(fleet, orders, clock):
    fleet.start(hang, orders=orders)
    assert next_message(fleet).kind == "begun"
    clock.now += 60.0
    assert fleet.receive(timeout=0.0) == []
    clock.now += 1.0
    assert fleet.receive(timeout=0.0) == [Message("w1", HUNG, {"seconds": 60.0})]
    assert fleet.receive(timeout=0.0) == []


def test_who_waits_for_the_parent_or_is_frozen_by_it_does_not_hang(fleet, orders, clock):
    fleet.start(hold_one, orders=orders)
    next_message(fleet)
    clock.now += 100.0
    assert fleet.receive(timeout=0.0) == []
    fleet.freeze("w1")
    clock.now += 100.0
    assert fleet.receive(timeout=0.0) == []
    fleet.thaw("w1")
    assert next_message(fleet).kind == "went-on"


@pytest.mark.parametrize("is_frozen", [False, True])
def test_leaving_ends_whatever_is_left(orders, is_frozen):
    with Fleet(patience=60.0) as fleet:
        fleet.start(hold_one, orders=orders)
        next_message(fleet)
        pid = pid_in(orders)
        if is_frozen:
            fleet.freeze("w1")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_never_sees_ctrl_c(fleet, orders):
    fleet.start(hold_one, orders=orders)
    next_message(fleet)
    os.kill(pid_in(orders), signal.SIGINT)
    fleet.release("w1")
    assert [next_message(fleet).kind for _ in range(2)] == ["went-on", ENDED]


def test_an_exception_ends_the_worker_and_is_in_its_log(orders):
    _, there = Pipe()
    with pytest.raises(SystemExit):
        run_worker(first_crashes, orders, there)
    last = read_journal(orders.journal, worker="w1")[-1]
    assert last.name == "crashed"
    assert "RuntimeError: a bug of its own" in last["traceback"]
