"""The audit of a semaphore convicts every planted wrong, and nothing that is right."""

from __future__ import annotations

import pytest

from scenarios.disruptions import Struck
from scenarios.journal import Event
from scenarios.scenario import Evidence
from scenarios.semaphore.audit import audit
from scenarios.semaphore.terms import TARGET, about_return
from tests.scenarios.logs import Logs, record_of

WORKERS = [f"w{number}" for number in range(1, 7)]
TTL = 100.0


class History(Logs):
    """Six workers and two permits; w1 is killed inside `b`, w2 frozen inside `c`."""

    def __init__(self, *, step=0.1):
        super().__init__(step=step)
        self.logs = {worker: [] for worker in WORKERS}
        self.bucket = {}
        self.held = []
        self.generation = self.token = 0
        self.course.exits = {"w1": -9, **dict.fromkeys(WORKERS[1:], 0)}
        self.does("w1", "a")
        self.acquires("w1")
        self.killed = self.token
        self.course.killed_at = self.now
        self.does("w3", "b")
        self.acquires("w2")
        self.frozen = self.token
        self.course.frozen, self.course.frozen_at = Struck("w2", "c", 2), self.now
        self.is_gone(self.killed)
        self.does("w4", "c", ends=False)
        self.fourth = self.token
        self.is_gone(self.frozen)
        self.acquires("w5")
        self.fifth = self.token
        self.releases("w4", self.fourth)
        self.releases("w5", self.fifth)
        for worker in WORKERS[1:]:
            self.log(worker, "finished")

    def is_gone(self, token):
        """A permit has run out; others take it from now on."""
        self.held.remove(token)
        owner = next(
            worker
            for worker, events in self.logs.items()
            for event in events
            if event.name == "acquired" and event["token"] == token
        )
        self.edit_token(owner, token, until=self.now)

    def believes_on(self, worker, token):
        self.edit_token(worker, token, until=self.begun(worker, token) + TTL)

    def begun(self, worker, token):
        return next(
            event.at
            for event in self.logs[worker]
            if event.name == "acquired" and event["token"] == token
        )

    def edit_token(self, worker, token, **fields):
        numbers = [event["token"] for event in self.logs[worker] if event.name == "acquired"]
        self.edit(worker, "acquired", numbers.index(token), **fields)

    def acquires(self, worker, token=None):
        identity = self.call(worker, TARGET, "try_acquire")
        self.token += 1
        self.generation += 1
        token = self.token if token is None else token
        self.held.append(token)
        self.log(worker, "note", tokens=[*self.held])
        self.log(worker, "return", id=identity, value=token)
        self.log(worker, "acquired", object=TARGET, token=token, until=self.now + TTL)
        return token

    def releases(self, worker, token):
        self.log(worker, "released", object=TARGET, token=token)
        identity = self.call(worker, TARGET, "release", token=token)
        self.held.remove(token)
        self.generation += 1
        self.log(worker, "return", id=identity, value=True)

    def does(self, worker, task, *, ends=True):
        token = self.acquires(worker)
        self.log(worker, "note", doing=task, token=token)
        self.bucket[task] = {"worker": worker, "token": token, "result": "0"}
        self.log(worker, "note", done=task, token=token)
        if ends:
            self.releases(worker, token)

    def judge(self, **changes):
        held = [
            {"token": token, "beat": 0, "ttl": TTL, "owner": "w", "data": None}
            for token in self.held
        ]
        body = {"permits": 2, "token": self.token, "held": held, **changes}
        record = record_of("semaphore", body, self.generation)
        records = {f"coordination/{TARGET}": record} if self.generation else {}
        return audit(
            Evidence(
                tasks="abc",
                bucket=self.bucket,
                records=records,
                logs=self.logs,
                course=self.course,
            )
        )


@pytest.fixture
def history():
    return History()


def test_a_right_history_passes(history):
    judged = history.judge()
    assert list(judged.violations) == []
    back = judged.figures["permit_back_seconds"]
    assert judged.figures == {
        "permits": 2,
        "most_at_once": 2,
        "tenures": 6,
        "renewals": 0,
        "tenures_lost": 2,
        "done": 3,
        "generation": 10,
        "permit_back_seconds": back,
    }
    w4, w5 = history.begun("w4", history.fourth), history.begun("w5", history.fifth)
    assert back == {
        "after_kill": pytest.approx(w4 - 0.1 - history.course.killed_at),
        "after_freeze": pytest.approx(w5 - 0.1 - history.course.frozen_at),
    }


def test_more_holders_than_permits(history):
    history.believes_on("w1", history.killed)
    (text,) = history.judge().violations
    assert text == (
        "2 acquisitions made it more than 2 that held a permit; the most were 3 at once for "
        "0.200 s: w1 under token 2, w2 under token 4, w4 under token 5"
    )


def test_a_belief_ends_when_its_holder_is_told_of_the_loss(history):
    history.believes_on("w1", history.killed)
    lost = {"object": TARGET, "token": history.killed, "reason": "stolen"}
    at = history.course.killed_at + 0.05
    place = len(history.logs["w1"])
    history.logs["w1"].insert(place, Event("w1", "lost", at, lost))
    assert list(history.judge().violations) == []


def test_a_renewal_makes_a_belief_last(history):
    until = history.course.killed_at + TTL
    renewed = {"object": TARGET, "token": history.killed, "until": until}
    history.logs["w1"].append(Event("w1", "renewed", history.course.killed_at, renewed))
    history.generation += 1
    violations = history.judge().violations
    assert len(violations) == 1
    assert "more than 2 that held a permit" in violations[0]


def test_one_token_for_two(history):
    history.acquires("w6", token=history.fifth)
    assert "token 6 was told twice: to w5, w6" in history.judge().violations


def test_a_token_that_is_lower_than_one_told_before(history):
    history.acquires("w6", token=0)
    assert "w6 was told token 0, and before it asked w5 had been told 6" in (
        history.judge().violations
    )


def test_a_permit_that_came_back_too_late():
    history = History(step=1.0)
    seconds = history.begun("w4", history.fourth) - 1.0 - history.course.killed_at
    (text,) = history.judge().violations
    assert text == (
        f"the killed worker's permit came back after {seconds:.2f} s, later than {about_return()}"
    )


def test_a_permit_that_never_came_back(history):
    for worker, events in history.logs.items():
        history.logs[worker] = [
            Event(worker, event.name, event.at, {"tokens": [*event["tokens"], history.killed]})
            if "tokens" in event.fields
            else event
            for event in events
        ]
    judged = history.judge()
    assert list(judged.violations) == ["the killed worker's permit never came back"]
    assert judged.figures["permit_back_seconds"]["after_kill"] is None


def test_a_task_that_was_begun_after_the_permit_was_lost(history):
    history.log("w2", "note", doing="c", token=history.frozen)
    assert list(history.judge().violations) == ["w2 began c under token 4, which it did not hold"]


def test_a_task_that_was_begun_under_another_workers_token(history):
    history.log("w3", "note", doing="c", token=history.fifth)
    assert list(history.judge().violations) == ["w3 began c under token 6, which it did not hold"]


def test_a_task_that_was_not_done(history):
    del history.bucket["a"]
    assert list(history.judge().violations) == [
        "a was not done",
        "a: w1 did it, and the bucket holds another's result",
    ]


@pytest.mark.parametrize("value", [None, [], {"worker": "w3"}, {"worker": "w3", "token": 99}])
def test_a_result_that_nobody_has_begun(history, value):
    history.bucket["b"] = value
    assert "b: the bucket holds what no worker has begun" in history.judge().violations


def test_a_result_that_has_vanished_for_anothers(history):
    history.acquires("w6")
    history.log("w6", "note", doing="b", token=history.token)
    history.bucket["b"] = {"worker": "w6", "token": history.token}
    assert list(history.judge().violations) == [
        "b: w3 did it, and the bucket holds another's result"
    ]


def test_who_took_all_permits_is_no_task_and_anything_else_is_a_stray(history):
    history.bucket["all-permits"] = {"worker": "w3"}
    assert list(history.judge().violations) == []
    history.bucket["x"] = {}
    assert list(history.judge().violations) == ["x lies under the run's prefix and is no task"]


def test_a_record_of_another_number_of_permits(history):
    assert list(history.judge(permits=3).violations) == [
        "the record is of 3 permits, and there are 2"
    ]


def test_a_record_that_shows_more_held_than_there_are(history):
    history.held = [7, 8, 9]
    assert "the record shows 3 held of 2 permits" in history.judge().violations


def test_a_record_that_has_forgotten_a_token(history):
    assert list(history.judge(token=5).violations) == [
        "the record shows 5 as its last token, and 6 was told"
    ]


def test_a_record_that_shows_as_held_what_was_released(history):
    history.held = [history.fifth]
    assert list(history.judge().violations) == [
        "the record shows token 6 as held, and it was released"
    ]


def test_a_record_that_has_lost_a_write(history):
    history.generation -= 1
    assert list(history.judge().violations) == [
        (
            "the record is of generation 9, and 10 acquisitions, renewals and releases were "
            "acknowledged"
        )
    ]


def test_no_record(history):
    history.generation = 0
    assert list(history.judge().violations) == ["the bucket holds no record of it"]


def test_fates_are_checked(history):
    history.course.was_continued = False
    assert list(history.judge().violations) == ["w2 was frozen and never continued"]
