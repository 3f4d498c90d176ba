"""The history of a run: what all workers logged, and what befell them."""

from __future__ import annotations

import pytest

from scenarios.disruptions import Struck
from scenarios.history import Event
from scenarios.race import Course
from scenarios.run_history import history_of_run

CALL = {"id": "w1:1", "object": "claim/tasks/a", "op": "claim", "args": {}}


@pytest.fixture
def course():
    return Course(
        killed=Struck("w1", "a", 1),
        killed_at=6.0,
        frozen=Struck("w2", "b", 2),
        frozen_at=3.0,
        was_continued=True,
        continued_at=8.0,
    )


def told(history):
    return [(event.at, event.actor, event.name) for event in history]


def test_logs_are_merged_with_the_blows_in_the_order_of_time(course):
    logs = {
        "w1": [Event("w1", "started", 1.0), Event("w1", "call", 5.0, CALL)],
        "w2": [Event("w2", "started", 2.0), Event("w2", "finished", 9.0)],
    }
    history = history_of_run(logs, course=course, scenario="claim-race", seed=7)
    assert told(history) == [
        (1.0, "", "meta"),
        (1.0, "w1", "started"),
        (2.0, "w2", "started"),
        (3.0, "w2", "paused"),
        (5.0, "w1", "call"),
        (6.0, "w1", "crashed"),
        (8.0, "w2", "resumed"),
        (9.0, "w2", "finished"),
    ]
    assert (history.meta["source"], history.meta["scenario"]) == ("processes", "claim-race")
    assert history.meta["seed"] == 7


def test_what_only_an_audit_knows_becomes_a_note():
    logs = {
        "w1": [
            Event("w1", "done", 1.0, {"task": "a"}),
            Event("w1", "lost", 2.0, {"task": "a"}),
        ]
    }
    history = history_of_run(logs, course=Course())
    assert [(event.name, dict(event.fields)) for event in history.events[1:]] == [
        ("note", {"task": "a", "what": "done"}),
        ("note", {"task": "a", "what": "lost"}),
    ]


def test_blows_that_did_not_fall_are_not_told_of():
    assert told(history_of_run({}, course=Course())) == [(0.0, "", "meta")]


def test_who_was_never_continued_stays_frozen(course):
    course.continued_at = None
    assert [name for _, _, name in told(history_of_run({}, course=course))] == [
        "meta",
        "paused",
        "crashed",
    ]
