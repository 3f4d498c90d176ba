"""The audit of a shared configuration convicts every planted wrong, and nothing that is right."""

from __future__ import annotations

import pytest

from scenarios.config_cas.audit import audit
from scenarios.config_cas.change import Change
from scenarios.journal import Event
from scenarios.midway import Moment
from scenarios.scenario import Evidence
from tests.scenarios.logs import Logs, record_of


class History(Logs):
    """Changes one after the other; w1 is killed in the midst of its second one; w2 watches."""

    def __init__(self, *, killed=Moment.READ):
        super().__init__()
        self.config = None
        self.history = []
        self.changes("w1", "w1-0", task="a", setting="x")
        self.changes("w2", "w2-0", task="a", setting="x")
        self.observes("w2")
        self.changes("w3", "w3-0", task="b", setting="y")
        change = self.begins("w1", "w1-1", task="b", setting="y")
        if killed is Moment.WRITTEN:
            self.apply("w1", change)
        self.log("w1", "note", stopped=killed)
        self.changes("w3", "w3-1", task="c", setting="y")
        self.tries("w2", "w2-1", task="c", setting="x")
        self.changes("w2", "w2-1", task="c", setting="x")
        self.observes("w2")
        self.log("w2", "note", awaited=len(self.history))
        self.finish()
        self.generation = len(self.history)

    def begins(self, worker, name, *, task, setting, op="update", **args):
        self.call(worker, "register/config", op, value=name, **args)
        self.log(worker, "note", task=task, change=name, setting=setting)
        return Change(id=name, by=worker, setting=setting)

    def apply(self, worker, change):
        self.config = change.made(self.config)
        generation = len(self.history) + 1
        self.history.append({"generation": generation, "owner": worker, "written": ""})
        self.log(worker, "note", generation=generation)

    def ends(self, worker, value):
        call = next(event for event in reversed(self.logs[worker]) if event.name == "call")
        self.log(worker, "return", id=call["id"], value=value)

    def changes(self, worker, name, **about):
        change = self.begins(worker, name, **about)
        self.apply(worker, change)
        entry = self.config["settings"][change.setting]
        self.log(worker, "note", follows=self.config["follows"], replaces=entry["replaces"])
        self.ends(worker, self.config["follows"])

    def tries(self, worker, name, **about):
        """A compare-and-set that finds another version."""
        self.begins(worker, name, op="cas", expected="w1-0", **about)
        self.ends(worker, False)

    def observes(self, worker):
        generation, value = len(self.history), self.config["change"]
        self.log(worker, "observed", object="register/config", generation=generation, value=value)

    def edit_notes(self, name, **fields):
        """Change what was noted of a change at its end."""
        worker = name.split("-")[0]
        events = self.logs[worker]
        begun = next(
            place
            for place, event in reversed([*enumerate(events)])
            if event.fields.get("change") == name
        )
        for place in range(begun + 1, begun + 3):
            event = events[place]
            kept = {key: fields[key] for key in event.fields.keys() & fields.keys()}
            events[place] = Event(worker, event.name, event.at, {**event.fields, **kept})

    def becomes_unknown(self, name):
        worker = name.split("-")[0]
        events = self.logs[worker]
        begun = next(
            place
            for place, event in reversed([*enumerate(events)])
            if event.fields.get("change") == name
        )
        end = events[begun + 3]
        fields = {"id": end["id"], "error": "OutcomeUnknownError"}
        events[begun + 1 : begun + 4] = [Event(worker, "unknown", end.at, fields)]

    def judge(self):
        body = {"value": self.config, "history": self.history}
        record = record_of("value", body, self.generation)
        return audit(
            Evidence(
                tasks="abc",
                bucket={},
                records={"coordination/value/config": record},
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
    assert judged.figures == {
        "changes": 7,
        "acknowledged": 5,
        "generation": 5,
        "applied_untold": 0,
        "unknown": 0,
        "unknown_applied": 0,
        "failed": 0,
        "refused": 1,
    }


def test_the_killed_workers_change_may_have_been_written():
    judged = History(killed=Moment.WRITTEN).judge()
    assert list(judged.violations) == []
    assert (judged.figures["applied_untold"], judged.figures["generation"]) == (1, 6)


def test_the_killed_workers_change_is_lost_like_any_other():
    history = History(killed=Moment.WRITTEN)
    history.edit_notes("w3-1", replaces="w3-0")
    assert list(history.judge().violations) == [
        (
            "y: 1 of 3 changes lost or misplaced; the first: w3-1 (generation 5) replaced "
            "w3-0, the one before is w1-1 (generation 4)"
        )
    ]


def test_a_change_that_another_has_overwritten_unseen(history):
    history.edit_notes("w2-0", replaces=None)
    assert list(history.judge().violations) == [
        (
            "x: 1 of 3 changes lost or misplaced; the first: w2-0 (generation 2) replaced None, "
            "the one before is w1-0 (generation 1)"
        )
    ]


def test_a_last_change_that_is_not_there(history):
    history.config["settings"]["y"]["change"] = "w3-0"
    assert list(history.judge().violations) == [
        (
            "y: 1 of 2 changes lost or misplaced; the first: it is w3-0 in the end, and the "
            "last one is w3-1 (generation 4)"
        )
    ]


def test_a_setting_that_is_not_there(history):
    del history.config["settings"]["y"]
    assert list(history.judge().violations) == [
        (
            "y: 1 of 2 changes lost or misplaced; the first: it is None in the end, and the "
            "last one is w3-1 (generation 4)"
        )
    ]


def test_a_change_that_was_made_of_an_older_version(history):
    history.edit_notes("w3-1", follows="w2-0")
    assert list(history.judge().violations) == [
        "w3-1 (generation 4) was made of w2-0, and the one before is w3-0 (generation 3)"
    ]


def test_a_configuration_whose_last_change_is_another(history):
    history.config["change"] = "w3-1"
    assert list(history.judge().violations) == [
        "the configuration names w3-1 as its last change, which is w2-1 (generation 5)"
    ]


def test_an_acknowledged_change_that_left_no_generation(history):
    history.generation = 4
    history.history.pop()
    judged = history.judge()
    assert "1 of 5 changes are lost: generation 4 at the end" in judged.violations
    assert "w2 was told generation 5, and it only came to 4" in judged.violations


def test_two_changes_of_one_generation(history):
    history.edit_notes("w2-1", generation=4)
    assert "generation 4 was told twice: to w3, w2" in history.judge().violations


def test_generations_against_the_order_of_time(history):
    history.edit_notes("w3-1", generation=5)
    history.edit_notes("w2-1", generation=4)
    assert "w2 was told generation 4, and before it asked w3 had been told 5" in (
        history.judge().violations
    )


def test_an_answer_that_no_order_explains(history):
    history.edit("w3", "return", 1, value="w2-0")
    (text,) = history.judge().violations
    assert text.startswith('w3\'s update(value="w3-1") was answered "w2-0", and no order')


def test_a_generation_that_nobody_has_made(history):
    history.generation = 6
    history.history.append({"generation": 6, "owner": "w9", "written": ""})
    assert "generation 6 at the end, and at most 5 changes can have been applied" in (
        history.judge().violations
    )


def test_an_unknown_change_that_was_replaced(history):
    history.becomes_unknown("w3-0")
    judged = history.judge()
    assert list(judged.violations) == []
    assert (judged.figures["unknown"], judged.figures["unknown_applied"]) == (1, 1)


def test_an_unknown_change_that_is_there_in_the_end(history):
    history.becomes_unknown("w3-1")
    assert list(history.judge().violations) == []


def test_an_unknown_change_that_was_not_applied(history):
    history.becomes_unknown("w2-1")
    history.config["settings"]["x"]["change"] = "w2-0"
    history.config["change"] = "w3-1"
    history.generation = 4
    history.history.pop()
    history.edit("w2", "observed", 1, generation=4, value="w3-1")
    history.edit("w2", "note", -1, awaited=4)
    judged = history.judge()
    assert list(judged.violations) == []
    assert (judged.figures["unknown"], judged.figures["unknown_applied"]) == (1, 0)


def test_a_watcher_that_saw_a_generation_twice(history):
    history.observes("w2")
    assert "w2 saw generation 5 after generation 5" in history.judge().violations


def test_a_watcher_that_went_backwards(history):
    history.edit("w2", "observed", 0, generation=5, value="w2-1")
    history.edit("w2", "observed", 1, generation=2, value="w2-0")
    assert "w2 saw generation 2 after generation 5" in history.judge().violations


def test_a_watcher_that_saw_another_value(history):
    history.edit("w2", "observed", 0, value="w1-0")
    assert list(history.judge().violations) == ["w2 saw w1-0 as generation 2, which is w2-0"]


def test_a_watcher_that_saw_what_nobody_has_made(history):
    history.edit("w2", "observed", 1, generation=6)
    assert "w2 saw generation 6, which nobody has made" in history.judge().violations


def test_a_watcher_that_missed_the_end(history):
    history.logs["w2"] = [
        event
        for event in history.logs["w2"]
        if not (event.name == "observed" and event["generation"] == 5)
    ]
    assert list(history.judge().violations) == [
        "w2 read generation 5, and what it watched ended at 2"
    ]


def test_a_watcher_that_did_not_watch_to_the_end(history):
    history.logs["w2"] = [event for event in history.logs["w2"] if "awaited" not in event.fields]
    assert list(history.judge().violations) == ["w2 has not watched to the end"]


def test_nobody_watched(history):
    history.drop("w2", "observed")
    history.logs["w2"] = [event for event in history.logs["w2"] if "awaited" not in event.fields]
    assert list(history.judge().violations) == ["nobody has watched"]


def test_a_record_whose_own_history_names_another(history):
    history.history[2]["owner"] = "w2"
    assert list(history.judge().violations) == ["generation 3 is w3's, and the record says w2's"]


def test_a_record_whose_own_history_has_a_gap(history):
    del history.history[2]
    assert list(history.judge().violations) == [
        "the record's history has generations [1, 2, 4, 5], and it is 5"
    ]


def test_a_task_that_nobody_did(history):
    for name in ("w3-1", "w2-1"):
        worker = name.split("-")[0]
        for number, event in enumerate(history.logs[worker]):
            if event.fields.get("task") == "c":
                fields = {**event.fields, "task": "b"}
                history.logs[worker][number] = Event(worker, event.name, event.at, fields)
    assert "c was done by nobody" in history.judge().violations


def test_fates_are_checked(history):
    history.course.was_continued = False
    assert list(history.judge().violations) == ["w2 was frozen and never continued"]
