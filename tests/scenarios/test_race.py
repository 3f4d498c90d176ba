"""The parent's part, against a fleet that follows a script."""

from __future__ import annotations

import io

import pytest

from scenarios.board import Board
from scenarios.disruptions import Disruptions, Plan
from scenarios.duels import Duels
from scenarios.fleet import ENDED, HUNG, Message
from scenarios.race import Course, Race
from scenarios.screen import Screen


class ScriptedFleet:
    """Says what its script says; notes what is done to it."""

    def __init__(self, workers, script):
        self.alive = [*workers]
        self.frozen = set()
        self.waiting = set()
        self.script = iter(script)
        self.done = []

    @property
    def awake(self):
        return [worker for worker in self.alive if worker not in self.frozen]

    @property
    def busy(self):
        return [worker for worker in self.awake if worker not in self.waiting]

    def receive(self, *, timeout):
        message = next(self.script)
        if message.waits:
            self.waiting.add(message.worker)
        if message.kind == ENDED:
            self.alive.remove(message.worker)
            self.waiting.discard(message.worker)
        return [message]

    def release(self, worker):
        self.waiting.discard(worker)
        self.done.append(f"release {worker}")

    def kill(self, worker):
        self.done.append(f"kill {worker}")

    def freeze(self, worker):
        self.frozen.add(worker)
        self.waiting.discard(worker)
        self.done.append(f"freeze {worker}")

    def thaw(self, worker):
        self.frozen.discard(worker)
        self.done.append(f"thaw {worker}")


def line_up(worker, heat):
    return Message(worker, "line-up", {"heat": heat}, waits=True)


def checkpoint(worker, task, heat):
    return Message(worker, "checkpoint", {"task": task, "heat": heat}, waits=True)


def rendezvous(worker, task):
    return Message(worker, "rendezvous", {"task": task}, waits=True)


def ended(worker, status=0):
    return Message(worker, ENDED, {"exit": status})


@pytest.fixture
def race():
    def run(script, *, workers=("w1", "w2", "w3"), duel=(), frozen_seconds=0.0):
        fleet = ScriptedFleet(workers, script)
        course = Course()
        output = io.StringIO()
        Race(
            fleet,
            board=Board(Screen(output), workers=workers, tasks=9),
            disruptions=Disruptions(Plan(kill_from=1, freeze_from=2, frozen_for=1)),
            duels=Duels(duel, seed=1),
            count_dropped=lambda: None,
            course=course,
            frozen_seconds=frozen_seconds,
        ).run()
        return fleet.done, course, output.getvalue()

    return run


ALL_END = [ended("w1"), ended("w2"), ended("w3")]


def test_a_heat_starts_when_all_stand_there(race):
    done, _, _ = race([line_up("w1", 0), line_up("w2", 0), line_up("w3", 0), *ALL_END])
    assert done == ["release w1", "release w2", "release w3"]


def test_the_dead_are_not_waited_for(race):
    done, course, output = race(
        [line_up("w1", 0), ended("w2", 1), line_up("w3", 0), ended("w1"), ended("w3")]
    )
    assert done == ["release w1", "release w3"]
    assert course.exits == {"w1": 0, "w2": 1, "w3": 0}
    assert "w2 ended before its work was done" in output


def test_one_is_killed_one_frozen_and_continued_when_the_others_have_gone_on(race):
    done, course, output = race(
        [
            checkpoint("w1", "a", 0),
            checkpoint("w1", "b", 1),
            ended("w1", -9),
            checkpoint("w2", "c", 2),
            line_up("w3", 3),
            line_up("w3", 4),
            ended("w3"),
            ended("w2"),
        ]
    )
    assert done == [
        "release w1",
        "kill w1",
        "freeze w2",
        "release w3",
        "release w3",
        "thaw w2",
    ]
    assert (course.killed.task, course.frozen.task, course.was_continued) == ("b", "c", True)
    assert course.killed_at <= course.frozen_at <= course.continued_at
    assert "w1 killed (SIGKILL) inside b" in output
    assert "w2 frozen (SIGSTOP) inside c" in output
    assert "w2 continued (SIGCONT), 2 heats later" in output


def test_one_stays_frozen_for_as_long_as_it_is_to_be(race):
    script = [
        checkpoint("w1", "b", 1),
        ended("w1", -9),
        checkpoint("w2", "c", 2),
        line_up("w3", 4),
        ended("w3"),
        ended("w2", -9),
    ]
    done, course, _ = race(script, frozen_seconds=3600.0)
    assert done == ["kill w1", "freeze w2", "release w3"]
    assert course.was_continued is False


def test_two_unsafe_workers_meet_between_read_and_write(race):
    done, _, _ = race([rendezvous("w1", "a"), rendezvous("w2", "a"), *ALL_END], duel=["a"])
    assert done == ["release w1", "release w2"]


def test_nobody_waits_for_a_rival_that_cannot_come(race):
    done, _, _ = race(
        [ended("w2"), ended("w3"), rendezvous("w1", "a"), ended("w1")],
        duel=["a"],
    )
    assert done == ["release w1"]


def test_a_worker_that_hangs_is_killed_and_noted(race):
    done, course, _ = race([Message("w2", HUNG, {"seconds": 60.0}), *ALL_END])
    assert done == ["kill w2"]
    assert course.hung == ["w2"]


def test_what_workers_tell_is_counted_and_shown(race):
    script = [checkpoint("w1", str(number), 0) for number in range(3)]
    _, _, output = race([Message("w2", "lost"), Message("w3", "lost"), *script, *ALL_END])
    assert "2 lost" in output
    assert "3/9 claimed" in output
