"""What is remembered of the workers that one watches, and what is not."""

from __future__ import annotations

import pytest

from persidict_sync import vigil
from tests.contract.places import InMemory
from tests.sync.fleets import Fleet

RECLAIM = {"on_owner_death": "reclaim", "ttl": 30.0, "max_attempts": 3}
PATIENCE = 33.0


@pytest.fixture
def fleet():
    return Fleet(InMemory())


@pytest.fixture
def watcher(fleet):
    return fleet.member().claims("frames", **RECLAIM)


@pytest.fixture
def few(monkeypatch):
    """Only so many are remembered for long."""
    monkeypatch.setattr(vigil, "MOST", 3)


def claimed(fleet, *tasks):
    """A claim of each task, each by a worker of its own."""
    return {task: fleet.member().claims("frames", **RECLAIM).claim(task) for task in tasks}


def remembered(claims):
    return len(claims._vigil._seen)


def test_who_has_given_up_is_not_remembered_and_is_dead_all_the_same(fleet, watcher):
    member = fleet.member()
    member.claims("frames", **RECLAIM).claim("a")
    assert watcher.orphaned() == []
    assert remembered(watcher) == 1
    member.close()
    for _ in range(2):
        assert watcher.orphaned() == ["a"]
        assert remembered(watcher) == 0


def test_who_has_nothing_open_any_more_is_not_remembered(fleet, watcher):
    claims = claimed(fleet, "a", "b", "c")
    watcher.orphaned()
    assert remembered(watcher) == 3
    claims["a"].complete()
    claims["b"].fail("on purpose")
    watcher.orphaned()
    assert remembered(watcher) == 1
    claims["c"].complete()
    assert (watcher.orphaned(), remembered(watcher)) == ([], 0)


@pytest.mark.parametrize("seconds", [PATIENCE, 86_400.0])
def test_looks_that_lie_far_apart_find_all_dead_however_many_they_are(fleet, watcher, few, seconds):
    claimed(fleet, *"abcdef")
    assert watcher.orphaned() == []
    fleet.clock.advance(seconds)
    claimed(fleet, *"ghijkl")
    assert watcher.orphaned() == [*"abcdef"]
    fleet.clock.advance(seconds)
    assert watcher.orphaned() == [*"abcdefghijkl"]


def test_who_was_asked_after_long_ago_is_forgotten_when_there_are_many(fleet, watcher, few):
    for number in range(20):
        claimed(fleet, f"{number}")
        assert watcher.claim(f"{number}") is None
        fleet.clock.advance(vigil.MEMORY * PATIENCE + 1.0)
        assert remembered(watcher) <= 4
    # To have forgotten one only means to watch it anew.
    assert watcher.claim("0") is None
    fleet.clock.advance(PATIENCE)
    assert watcher.claim("0") is not None


def test_who_is_asked_after_now_and_then_is_remembered_beside_many(fleet, watcher, few):
    tasks = [str(number) for number in range(20)]
    claimed(fleet, *tasks)
    assert [watcher.claim(task) for task in tasks] == [None] * 20
    fleet.clock.advance(vigil.MEMORY * PATIENCE - 1.0)
    assert all(watcher.claim(task) for task in tasks)


def test_few_are_remembered_for_ever(fleet, watcher):
    claimed(fleet, "a", "b")
    assert [watcher.claim(task) for task in "ab"] == [None, None]
    fleet.clock.advance(1e7)
    claimed(fleet, "c")
    assert watcher.claim("c") is None
    assert all(watcher.claim(task) for task in "ab")


def test_a_worker_that_was_forgotten_and_lives_is_not_dead(fleet, watcher, few):
    owner = fleet.member()
    owner.claims("frames", **RECLAIM).claim("a")
    owner.heartbeat.run_due()
    assert watcher.claim("a") is None
    for number in range(12):
        # Its own heart beats all the time.
        for _ in range(40):
            fleet.clock.advance(10.0)
            owner.heartbeat.run_due()
        claimed(fleet, f"x{number}")
        assert watcher.claim(f"x{number}") is None
        assert watcher.claim("a") is None
