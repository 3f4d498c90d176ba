"""The audit of a counter race convicts every planted wrong, and nothing that is right."""

from __future__ import annotations

import pytest

from scenarios.counter_race.audit import audit
from scenarios.midway import Moment
from scenarios.scenario import Evidence
from tests.scenarios.logs import Logs, record_of


class History(Logs):
    """Adds one after the other; w1 is killed in the midst of its second one."""

    def __init__(self, *, killed=Moment.READ):
        super().__init__()
        self.total = 0
        self.adds("w1", "a")
        self.adds("w2", "a")
        self.adds("w3", "b")
        self.begins("w1", "b")
        if killed is Moment.WRITTEN:
            self.total += 1
            self.log("w1", "note", generation=self.total)
        self.log("w1", "note", stopped=killed)
        self.adds("w2", "c")
        self.adds("w3", "c")
        self.finish()
        self.generation = self.total

    def begins(self, worker, task):
        identity = self.call(worker, "counter/tasks-done", "add", n=1)
        self.log(worker, "note", task=task)
        return identity

    def adds(self, worker, task):
        identity = self.begins(worker, task)
        self.total += 1
        self.log(worker, "note", generation=self.total)
        self.log(worker, "return", id=identity, value=self.total)

    def becomes_unknown(self, worker, number=0):
        """An add of this worker was not answered."""
        events = self.logs[worker]
        place = [place for place, event in enumerate(events) if event.name == "return"][number]
        identity = events[place]["id"]
        self.edit(worker, "return", number, error="OutcomeUnknownError")
        events[place] = type(events[place])(
            worker, "unknown", events[place].at, {"id": identity, "error": "OutcomeUnknownError"}
        )
        del events[place - 1]

    def judge(self):
        record = record_of("counter", {"total": self.total}, self.generation)
        records = {"coordination/counter/tasks-done": record} if self.generation else {}
        return audit(
            Evidence(tasks="abc", bucket={}, records=records, logs=self.logs, course=self.course)
        )


@pytest.fixture
def history():
    return History()


def test_a_right_history_passes(history):
    judged = history.judge()
    assert list(judged.violations) == []
    assert judged.figures == {
        "adds": 6,
        "acknowledged": 5,
        "total": 5,
        "generation": 5,
        "applied_untold": 0,
        "unknown": 0,
        "unknown_applied": 0,
        "failed": 0,
    }


def test_the_killed_workers_add_is_counted_if_it_had_been_written():
    judged = History(killed=Moment.WRITTEN).judge()
    assert list(judged.violations) == []
    assert (judged.figures["acknowledged"], judged.figures["applied_untold"]) == (5, 1)
    assert judged.figures["total"] == 6


def test_the_killed_workers_add_is_not_counted_if_it_had_not_been_written(history):
    history.total = history.generation = 6
    assert "total 6 at the end, and at most 5 adds can have been applied" in (
        history.judge().violations
    )


def test_an_add_that_was_written_and_is_lost():
    history = History(killed=Moment.WRITTEN)
    history.total = history.generation = 5
    assert "1 of 6 adds are lost: total 5 at the end" in history.judge().violations


def test_one_total_told_to_two(history):
    history.edit("w3", "return", 1, value=4)
    judged = history.judge()
    assert "total 4 was told twice: to w2, w3" in judged.violations
    assert "total 5: told nobody, and no unknown one can have made it" in judged.violations


def test_a_total_that_the_counter_never_had(history):
    history.edit("w3", "return", 1, value=9)
    assert "w3 was told total 9, and it only came to 5" in history.judge().violations


def test_a_smaller_total_than_one_that_was_told_before(history):
    history.edit("w2", "return", 1, value=5)
    history.edit("w3", "return", 1, value=4)
    assert "w3 was told total 4, and before it asked w2 had been told 5" in (
        history.judge().violations
    )


def test_two_that_overlap_may_have_been_applied_in_either_order(history):
    late = history.logs["w2"][-2]
    assert (late.name, late["value"]) == ("return", 4)
    history.logs["w2"][-2:] = []
    history.log("w2", "return", id=late["id"], value=5)
    history.log("w2", "finished")
    history.edit("w2", "note", 3, generation=5)
    history.edit("w3", "return", 1, value=4)
    history.edit("w3", "note", 3, generation=4)
    assert list(history.judge().violations) == []


@pytest.mark.parametrize("is_applied", [True, False])
def test_an_unknown_add_may_be_counted_or_not(history, is_applied):
    history.becomes_unknown("w3", 1)
    if not is_applied:
        history.total = history.generation = 4
    judged = history.judge()
    assert list(judged.violations) == []
    assert (judged.figures["unknown"], judged.figures["unknown_applied"]) == (1, is_applied)


def test_an_unknown_add_cannot_have_made_a_total_that_was_told_before_it(history):
    history.becomes_unknown("w3", 1)
    # Somebody must have made total 2 before anyone asked for the unknown one.
    for worker, number, total in (("w2", 0, 3), ("w3", 0, 4), ("w2", 1, 5)):
        history.edit(worker, "return", number, value=total)
        history.edit(worker, "note", 2 * number + 1, generation=total)
    first, second = history.judge().violations
    assert first == "total 2: told nobody, and no unknown one can have made it"
    assert second.startswith("w2's add(n=1) was answered 3, and no order explains it")


def test_an_add_that_failed_and_was_written(history):
    failed = history.logs["w3"][-2]
    history.logs["w3"][-2] = type(failed)(
        "w3", "failed", failed.at, {"id": failed["id"], "error": "BackendError"}
    )
    assert "w3 was told that one of its adds failed, and it was written as generation 5" in (
        history.judge().violations
    )


def test_a_record_that_something_else_has_written(history):
    history.generation = 7
    assert list(history.judge().violations) == [
        "the record was written 7 times, and its total is 5"
    ]


def test_a_total_that_is_not_that_of_the_write(history):
    history.edit("w3", "note", 3, generation=4)
    assert list(history.judge().violations) == [
        (
            "a total other than the generation made was told to 1 add; the first, by w3: "
            "total 5, generation 4"
        )
    ]


def test_no_record(history):
    history.generation = history.total = 0
    assert "5 of 5 adds are lost: total 0 at the end" in history.judge().violations


def test_a_task_that_nobody_counted(history):
    for worker in ("w2", "w3"):
        history.edit(worker, "note", 2, task="b")
    assert "c was done by nobody" in history.judge().violations


def test_a_worker_that_left_out_a_heat(history):
    del history.logs["w2"][0:4]
    assert "w2 took part in 1 heat, and others in 2" in history.judge().violations


def test_fates_are_checked(history):
    history.course.was_continued = False
    assert list(history.judge().violations) == ["w2 was frozen and never continued"]
