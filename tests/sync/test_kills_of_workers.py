"""Workers in real processes that are killed at their tasks: what becomes of those, by policy."""

from __future__ import annotations

import threading

import pytest

from persidict_sync.claim_state import DIED
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import OwnerDied
from tests.sync.remotes import PATIENCE

TTL = 2.0
NEVER = {"ttl": TTL}
MANUAL = {"on_owner_death": "manual", "ttl": TTL}
RECLAIM = {"on_owner_death": "reclaim", "ttl": TTL, "max_attempts": 2}


def hang(here):
    """Say so, and never come back."""
    here.say("running")
    threading.Event().wait()


def run(here, policy, tasks):
    """Run all tasks that may be begun; which."""
    ran = []
    counts = here.fleet.claims("frames", **policy).run(ran.append, tasks)
    assert counts.done == len(ran)
    return ran


def run_and_hang(here, policy, tasks):
    """Hang in the first task that can be claimed, after having said which."""

    def function(task):
        here.say(task)
        hang(here)

    here.fleet.claims("frames", **policy).run(function, tasks)


def run_and_fail(here, policy, tasks):
    def function(task):
        raise ValueError("no such scene")

    here.fleet.claims("frames", **policy).run(function, tasks)


def begins(one, policy, tasks):
    """Which task a process has begun and hangs in."""
    one.begin(run_and_hang, policy, tasks)
    (task,) = one.hear()
    assert one.hear() == ("running",)
    return task


@pytest.fixture
def frames(address):
    """The claims as the test's own process sees them, by policy."""
    with Coordinator(address, owner="operator") as fleet:
        yield lambda policy: fleet.claims("frames", **policy)


def test_never_leaves_the_task_of_a_killed_owner_as_it_is(remote, frames):
    dead, alive = remote("dead"), remote("alive")
    tasks, claims = ["a", "b", "c"], frames(NEVER)
    task = begins(dead, NEVER, tasks)
    dead.kill()
    assert claims.orphaned(timeout=PATIENCE) == [task]
    assert sorted([*alive.do(run, NEVER, tasks), task]) == tasks
    assert claims.claim(task) is None
    with pytest.raises(RuntimeError, match="never begun again"):
        claims.requeue(task)
    found = claims.get(task)
    assert (found.status, found.owner, found.attempts) == ("open", "dead", 1)
    assert claims.orphaned(timeout=PATIENCE) == [task]


def test_manual_waits_for_an_operator(remote, frames):
    dead, alive = remote("dead"), remote("alive")
    tasks, claims = ["a", "b", "c"], frames(MANUAL)
    task = begins(dead, MANUAL, tasks)
    dead.kill()
    assert claims.orphaned(timeout=PATIENCE) == [task]
    assert sorted([*alive.do(run, MANUAL, tasks), task]) == tasks
    assert claims.claim(task) is None
    lost = claims.get(task).token
    assert claims.requeue(task)
    assert alive.do(run, MANUAL, tasks) == [task]
    found = claims.get(task)
    assert (found.status, found.owner, found.attempts) == ("done", "alive", 1)
    assert found.token > lost


def test_reclaim_runs_it_again_and_counts(remote, frames):
    dead, alive = remote("dead"), remote("alive")
    tasks, claims = ["a", "b", "c"], frames(RECLAIM)
    task = begins(dead, RECLAIM, tasks)
    dead.kill()
    assert sorted(alive.do(run, RECLAIM, tasks)) == tasks
    found = claims.get(task)
    assert (found.status, found.owner, found.attempts) == ("done", "alive", 2)


def test_reclaim_ends_with_a_task_that_kills_its_owners_dead(remote, frames):
    claims = frames(RECLAIM)
    for owner in ("first", "second"):
        poisoned = remote(owner)
        begins(poisoned, RECLAIM, ["a"])
        poisoned.kill()
    assert remote("third").do(run, RECLAIM, ["a"]) == []
    found = claims.get("a")
    assert (found.status, found.attempts, found.error) == ("dead", 2, DIED)
    assert claims.dead() == ["a"]
    assert claims.claim("a") is None


def test_reclaim_keeps_the_last_error_of_what_is_dead(remote, frames):
    claims = frames(RECLAIM)
    poisoned = remote("first")
    begins(poisoned, RECLAIM, ["a"])
    poisoned.kill()
    remote("second").do(run_and_fail, RECLAIM, ["a"])
    found = claims.get("a")
    assert (found.status, found.attempts) == ("dead", 2)
    assert found.error == "ValueError: no such scene"


def complete(here):
    here.kept.complete("late")


def claim(here, policy, task):
    here.kept = here.fleet.claims("frames", **policy).claim(task)
    return here.kept is not None


def test_a_frozen_owner_whose_task_was_reclaimed_commits_nothing(remote, frames):
    slow, alive = remote("slow"), remote("alive")
    assert slow.do(claim, RECLAIM, "a")
    with slow.frozen(at="renewed"):
        assert alive.do(run, RECLAIM, ["a"]) == ["a"]
    with pytest.raises(RuntimeError, match=r"refused|settled"):
        slow.do(complete)
    found = frames(RECLAIM).get("a")
    assert (found.status, found.owner, found.result) == ("done", "alive", None)


def migrate(here):
    """The call that runs once in the whole fleet."""
    return here.fleet.once("migrate", ttl=TTL)(hang)(here)


def test_those_who_wait_for_a_killed_runner_and_those_who_come_later_are_told(remote):
    dead, waiting, late = remote("dead"), remote("waiting"), remote("late")
    dead.begin(migrate)
    assert dead.hear() == ("running",)
    waiting.begin(migrate)
    dead.kill()
    with pytest.raises(OwnerDied) as told:
        waiting.answer()
    assert (told.value.name, told.value.owner) == ("migrate", "dead")
    with pytest.raises(OwnerDied):
        late.do(migrate)
