"""The audit of a claim race convicts every planted wrong, and nothing that is right."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from scenarios.claim_race.attempts import object_of
from scenarios.claim_race.audit import audit
from scenarios.disruptions import Struck
from scenarios.journal import Event
from scenarios.race import Course
from scenarios.scenario import Evidence

TOLD = {
    "won": ("return", {"value": True}),
    "lost": ("return", {"value": False}),
    "unknown": ("unknown", {"error": "OutcomeUnknownError"}),
}


class History:
    """Three workers that race for four tasks as they should; w1 dies inside `b`."""

    def __init__(self):
        self.logs = {"w1": [], "w2": [], "w3": []}
        self.bucket = {}
        self.now = 0.0
        self.course = Course(
            exits={"w1": -signal.SIGKILL, "w2": 0, "w3": 0},
            killed=Struck("w1", "b", 1),
            frozen=Struck("w2", "c", 2),
            was_continued=True,
        )
        self.wins("w1", "a")
        self.loses("w2", "a", to="w1:a")
        self.wins("w1", "b", is_done=False)
        self.loses("w2", "b", to="w1:b")
        self.wins("w2", "c")
        self.loses("w3", "c", to="w2:c")
        self.wins("w3", "d")
        self.log("w2", "finished")
        self.log("w3", "finished")

    def log(self, worker, name, **fields):
        self.now += 1.0
        self.logs[worker].append(Event(worker, name, self.now, fields))

    def tries(self, worker, task, outcome, *, seen=None):
        claim = f"{worker}:{task}"
        number = self.asks(worker, task, claim=claim)
        if seen is not None:
            self.log(worker, "observed", object=object_of(task), claim=seen)
        name, told = TOLD[outcome]
        self.log(worker, name, id=number, **told)
        return claim

    def asks(self, worker, task, *, claim):
        number = f"{worker}:{len(self.logs[worker])}"
        args = {"claim": claim}
        self.log(worker, "call", id=number, object=object_of(task), op="claim", args=args)
        return number

    def wins(self, worker, task, *, is_done=True, is_stored=True):
        claim = self.tries(worker, task, "won")
        if is_stored:
            self.bucket[task] = {"owner": worker, "claim": claim}
        self.begins(worker, task, claim=claim)
        if is_done:
            self.log(worker, "done", task=task, object=object_of(task), claim=claim)

    def begins(self, worker, task, *, claim):
        self.log(worker, "began", object=object_of(task), claim=claim)

    def loses(self, worker, task, *, to):
        self.tries(worker, task, "lost", seen=to)

    def drop(self, worker, name, place=-1):
        """Take one event of that name out of a log."""
        events = [event for event in self.logs[worker] if event.name == name]
        self.logs[worker].remove(events[place])

    def judge(self):
        evidence = Evidence(
            tasks="abcd", bucket=self.bucket, records={}, logs=self.logs, course=self.course
        )
        return audit(evidence)


@pytest.fixture
def history():
    return History()


def test_a_right_history_passes(history):
    judged = history.judge()
    assert list(judged.violations) == []
    assert judged.figures == {
        "claimed": 4,
        "contested": 0,
        "orphaned": ["b"],
        "attempts": 7,
        "unknown": 0,
        "unknown_applied": 0,
    }


def test_a_task_run_by_two(history):
    history.wins("w3", "a", is_stored=False)
    assert "a was run twice: by w1 and w3" in history.judge().violations


def test_a_task_run_by_three(history):
    history.wins("w3", "a", is_stored=False)
    history.wins("w2", "a", is_stored=False)
    assert "a was run 3 times: by w1, w2 and w3" in history.judge().violations


def test_a_task_run_twice_by_one(history):
    history.begins("w3", "d", claim="w3:d")
    assert list(history.judge().violations) == ["d was run twice: by w3 and w3"]


def test_a_task_claimed_by_two(history):
    history.tries("w3", "a", "won")
    violations = history.judge().violations
    assert "a was claimed twice: by w1 and w3" in violations
    assert "a: w3 won it, but the bucket holds w1's claim" in violations


def test_a_task_run_without_a_claim(history):
    history.begins("w3", "e", claim="w3:e")
    assert "e was run by w3, which had not won it (None)" in history.judge().violations


def test_a_task_run_after_a_refusal(history):
    history.begins("w3", "c", claim="w3:c")
    assert "c was run by w3, which had not won it (lost)" in history.judge().violations


def test_a_task_that_nobody_claimed(history):
    del history.bucket["d"]
    history.logs["w3"] = [event for event in history.logs["w3"] if event.name == "finished"]
    assert list(history.judge().violations) == ["d was never claimed"]


def test_a_claim_that_vanished_from_the_bucket(history):
    del history.bucket["d"]
    assert list(history.judge().violations) == ["d was never claimed"]


def test_a_claim_that_no_worker_made(history):
    history.bucket["d"] = {"owner": "w3", "claim": "stray"}
    assert "d: the bucket holds a claim that no worker has made" in history.judge().violations


@pytest.mark.parametrize("value", [None, "w3", {}, {"claim": 7}, []])
def test_a_claim_that_is_none(history, value):
    history.bucket["d"] = value
    assert "d: what the bucket holds is no claim" in history.judge().violations


def test_an_object_that_is_no_task(history):
    history.bucket["e"] = {"owner": "w3", "claim": "x"}
    assert list(history.judge().violations) == ["e lies under the run's prefix and is no task"]


def test_a_claim_that_its_own_claimer_believes_lost(history):
    history.bucket["c"] = {"owner": "w3", "claim": "w3:c"}
    assert (
        "c: w3 was told that it lost, but the bucket holds its claim" in history.judge().violations
    )


def test_a_refusal_that_names_a_claim_which_is_not_there(history):
    history.loses("w3", "a", to="w2:a")
    assert list(history.judge().violations) == [
        "a: w3 lost to a claim that is not the one in the bucket"
    ]


def test_a_refusal_that_names_nobody_is_none_of_that(history):
    history.loses("w3", "a", to=None)
    assert list(history.judge().violations) == []


def test_an_unknown_outcome_is_neither_a_claim_nor_a_violation(history):
    history.tries("w3", "a", "unknown")
    judged = history.judge()
    assert list(judged.violations) == []
    assert (judged.figures["unknown"], judged.figures["unknown_applied"]) == (1, 0)


def test_what_unknown_means_is_said_where_there_is_any(history):
    assert not any(finding.note for finding in history.judge().findings)
    history.tries("w3", "a", "unknown")
    (note,) = filter(None, (finding.note for finding in history.judge().findings))
    assert note.startswith("unknown: the answer was lost")


def test_an_unknown_outcome_that_was_applied_is_counted_and_no_violation(history):
    history.logs["w3"] = []
    claim = history.tries("w3", "d", "unknown")
    history.log("w3", "finished")
    assert history.bucket["d"]["claim"] == claim
    judged = history.judge()
    assert list(judged.violations) == []
    assert judged.figures["unknown_applied"] == 1


def test_a_task_run_after_an_unknown_outcome(history):
    claim = history.tries("w3", "a", "unknown")
    history.begins("w3", "a", claim=claim)
    assert "a was run by w3, whose claim's outcome was unknown" in history.judge().violations


def test_the_killed_workers_task_must_be_its_own_in_the_bucket(history):
    history.bucket["b"] = {"owner": "w2", "claim": "w2:b"}
    judged = history.judge()
    assert (
        "b: w1 was killed inside it, but the bucket does not show it as that worker's "
        "unfinished claim" in judged.violations
    )
    assert judged.figures["orphaned"] == []


def test_a_claim_in_the_killed_workers_name_that_it_did_not_live_to_see_is_orphaned(history):
    history.asks("w1", "d", claim="w1:d")
    history.bucket["d"] = {"owner": "w1", "claim": "w1:d"}
    history.logs["w3"] = [event for event in history.logs["w3"] if event.name == "finished"]
    judged = history.judge()
    assert list(judged.violations) == []
    assert judged.figures["orphaned"] == ["b", "d"]


def test_a_task_that_a_living_worker_left_behind(history):
    history.drop("w3", "done")
    assert list(history.judge().violations) == ["d: w3 won it and never finished it"]


def test_an_attempt_whose_end_a_living_worker_never_learned(history):
    history.drop("w3", "return", 0)
    assert list(history.judge().violations) == ["c: w3 never learned how it had ended"]


def test_contested_is_what_two_wanted_at_one_moment(history):
    history.now = 0.5
    history.loses("w3", "a", to="w1:a")
    assert history.judge().figures["contested"] == 1


def test_losers_that_meet_do_not_make_a_task_contested(history):
    for worker in ("w2", "w3"):
        history.now = 100.0
        claim = f"late {worker}"
        number = history.asks(worker, "a", claim=claim)
        history.log(worker, "return", id=number, value=False)
    judged = history.judge()
    assert list(judged.violations) == []
    assert judged.figures["contested"] == 0


def test_a_worker_that_crashed_is_reported_with_its_traceback(history):
    history.drop("w3", "finished")
    history.log("w3", "crashed", traceback="Traceback ...\nValueError: oh")
    history.course.exits["w3"] = 1
    assert list(history.judge().violations) == ["w3 crashed:\nTraceback ...\nValueError: oh"]


def test_a_worker_that_hung_is_reported_with_its_last_event(history):
    history.drop("w3", "finished")
    history.course.hung.append("w3")
    assert list(history.judge().violations) == [
        "w3 hung and was ended; the last that it logged was 'done' of d"
    ]


def test_a_worker_that_just_ended(history):
    history.drop("w3", "finished")
    history.course.exits["w3"] = -signal.SIGSEGV
    assert list(history.judge().violations) == ["w3 ended before its work was done, by signal 11"]


def test_a_worker_that_was_to_be_killed_and_was_not(history):
    history.course.exits["w1"] = 0
    assert list(history.judge().violations) == [
        "w1 was to die by SIGKILL and ended with exit status 0"
    ]


def test_a_run_without_its_kill_and_its_freeze_shows_less_than_it_says(history):
    history.course = replace(history.course, killed=None, frozen=None)
    violations = history.judge().violations
    assert "no worker was killed: none reached a point at which it was to be" in violations
    assert "no worker was frozen: none reached a point at which it was to be" in violations


def test_a_frozen_worker_must_have_gone_on(history):
    history.course.was_continued = False
    assert list(history.judge().violations) == ["w2 was frozen and never continued"]
