"""A fleet that shares many tasks: every task once, few requests, nobody idle."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections import Counter

import pytest

from persidict_sync.bids import Bids
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import RecordError
from persidict_sync.route import Board, Gap
from persidict_sync.run import Progress
from tests.sync.contests import DURATIONS, SharedTasks
from tests.sync.fleets import Fleet


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("length", DURATIONS)
def test_16_workers_share_2000_tasks_for_little_more_than_one_request_each(length, seed):
    fleet = SharedTasks(workers=16, tasks=2000, seed=seed, duration=DURATIONS[length])
    assert set(fleet.runs.values()) == {1}
    assert len(fleet.runs) == 2000
    assert sum(counts.done for counts in fleet.counts) == 2000
    assert {counts.done + counts.elsewhere for counts in fleet.counts} == {2000}
    assert fleet.requests_per_task <= 1.10


def test_nobody_idles_while_tasks_are_open():
    fleet = SharedTasks(workers=16, tasks=400, seed=1, duration=DURATIONS["long"])
    # Whoever had ended before the last task began would have been free to begin it.
    assert min(fleet.ends) >= fleet.last_begin


def test_a_walk_goes_round():
    board = Board(3, uniform=lambda low, high: low)
    board.mark(2)
    assert board.after(2) == 0
    board.mark(0)
    assert (board.after(0), board.after(1), board.left) == (1, None, 1)


def test_the_longest_gap_may_go_over_the_end():
    board = Board(8, uniform=lambda low, high: (low + high) / 2)
    board.look([2, 5])
    assert board.longest() == Gap(6, 4)
    # Half of it is left to whoever walks towards it.
    assert board.entry(Gap(6, 4)) == 0


def test_a_share_is_no_larger_than_everyone_elses():
    board = Board(100, uniform=lambda low, high: (low + high) / 2)
    board.look([0, *range(81, 100, 2)])
    gap = board.longest()
    assert gap == Gap(1, 80)
    assert 100 > board.entry(gap) > 41
    # 89 are left in 10 gaps: 8 are a fair share of them.
    assert board.entry(gap) == 1 + int(80 - 89 / 11)


def test_a_look_reads_no_further_than_to_a_good_gap():
    board = Board(3000, uniform=lambda low, high: low)
    board.look([*range(1200), *range(1500, 2800)])
    assert board.longest() == Gap(1200, 300)
    pages = iter([*range(1200), *range(1400, 3000)])
    for number in range(2800, 2990):
        board.mark(number)
    found = board.look(pages)
    assert found == Gap(1200, 200)


@pytest.fixture
def fleet(place):
    return Fleet(place)


@pytest.fixture
def bounded(fleet, monkeypatch):
    """Ends what would wait, or ask, for ever."""

    def limited(call):
        calls = itertools.count()

        def limited_call(*arguments, **settings):
            assert next(calls) < 1000
            return call(*arguments, **settings)

        return limited_call

    monkeypatch.setattr(fleet.clock, "sleep", limited(fleet.clock.sleep))
    monkeypatch.setattr(Bids, "contend", limited(Bids.contend))


def run(fleet, function, tasks, **settings):
    policy = {name: settings.pop(name) for name in list(settings) if name in POLICY}
    return fleet.member().claims("frames", **policy).run(function, tasks, **settings)


POLICY = ("on_owner_death", "ttl", "max_attempts")
RECLAIM = {"on_owner_death": "reclaim", "ttl": 30.0, "max_attempts": 2}


def test_results_failures_and_progress(fleet):
    seen = []

    def function(task):
        if task == "b":
            raise ValueError("no such scene")
        return {"task": task}

    counts = run(fleet, function, ["a", "b", "c", "a"], progress=seen.append)
    assert counts == Progress(total=3, done=2, failed=1, elsewhere=0)
    assert seen[-1] == counts
    assert len(seen) == 3
    claims = fleet.member().claims("frames")
    assert claims.result("c") == {"task": "c"}
    assert claims.get("b").error == "ValueError: no such scene"
    assert run(fleet, function, ["a", "b", "c", "d"]) == Progress(4, 1, 0, 3)


def test_nothing_to_do(fleet):
    assert run(fleet, print, []) == Progress(0, 0, 0, 0)


def test_a_result_that_cannot_be_stored_is_the_tasks_failure(fleet):
    counts = run(fleet, {"a": object(), "b": "x" * 70_000, "c": 1}.get, ["a", "b", "c"])
    assert (counts.done, counts.failed) == (1, 2)
    failed = fleet.member().claims("frames").get("b")
    assert failed.status == "failed"
    assert failed.error.startswith("RecordTooLargeError: ")
    assert "Store what is large under a key of a dictionary" in failed.error


def test_threads_share_the_tasks(fleet):
    meeting = threading.Barrier(4, timeout=60)
    together = [f"t{number}" for number in range(4)]
    ran = Counter()

    def function(task):
        ran[task] += 1
        if sum(ran.values()) <= 4:
            meeting.wait()

    tasks = [f"t{number}" for number in range(40)]
    assert run(fleet, function, tasks, workers=4).done == 40
    assert set(ran.values()) == {1}
    assert together


def test_an_error_of_the_store_ends_all_threads(fleet, monkeypatch):
    def broken(self, task, **_):
        raise RuntimeError("broken")

    monkeypatch.setattr(Bids, "contend", broken)
    with pytest.raises(RuntimeError, match="broken"):
        run(fleet, print, ["a", "b", "c"], workers=2)


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ({}, "failed"),
        ({"on_owner_death": "manual"}, "failed"),
        (RECLAIM, "requeued"),
    ],
)
def test_an_interrupt_gives_back_what_is_held_as_the_policy_says(fleet, policy, status):
    def function(task):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(fleet, function, ["a", "b", "c"], **policy)
    claims = fleet.member().claims("frames", **policy)
    (found,) = claims.tasks()
    assert (found.status, found.error) == (status, "KeyboardInterrupt: ")


def test_an_interrupt_of_threads_finishes_what_they_run(fleet):
    interrupted = threading.Event()

    def function(task):
        if not interrupted.is_set():
            interrupted.set()
            os.kill(os.getpid(), signal.SIGINT)

    tasks = [f"t{number}" for number in range(3000)]
    with pytest.raises(KeyboardInterrupt):
        run(fleet, function, tasks, workers=2)
    claims = fleet.member().claims("frames")
    assert claims.open() == []
    assert 0 < len(claims.done()) < 3000


def test_an_interrupt_in_the_middle_of_a_claim_gives_it_back(fleet, monkeypatch):
    member = fleet.member()
    put = type(member._context.records).set_item_if

    def interrupted(self, *args, **settings):
        put(self, *args, **settings)
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(type(member._context.records), "set_item_if", interrupted)
    with pytest.raises(KeyboardInterrupt):
        member.claims("frames").run(print, ["a"])
    assert fleet.member().claims("frames").get("a").status == "failed"


def test_reclaim_retries_until_a_task_is_done_or_dead(fleet):
    attempts = Counter()

    def function(task):
        attempts[task] += 1
        if task == "bad" or attempts[task] == 1:
            raise ValueError(task)

    counts = run(fleet, function, ["bad", "good"], **RECLAIM)
    assert attempts == {"bad": 2, "good": 2}
    assert (counts.done, counts.failed) == (1, 1)
    claims = fleet.member().claims("frames", **RECLAIM)
    assert claims.dead() == ["bad"]
    assert claims.done() == ["good"]


def test_reclaim_waits_for_the_dead_and_takes_over(fleet):
    fleet.member().claims("frames", **RECLAIM).claim("a")
    counts = run(fleet, str, ["a", "b"], **RECLAIM)
    assert counts.done == 2
    assert fleet.clock.monotonic() >= 33.0


@pytest.mark.parametrize("status", ["open", "failed", "requeued"])
@pytest.mark.parametrize("earlier", [{}, {"on_owner_death": "manual"}])
def test_reclaim_leaves_what_was_claimed_otherwise(fleet, bounded, earlier, status):
    claims = fleet.member().claims("frames", **earlier)
    claim = claims.claim("a")
    if status != "open":
        claim.fail("no")
    if status == "requeued" and earlier:
        claims.requeue("a")
    assert run(fleet, str, ["a", "b"], **RECLAIM) == Progress(2, 1, 0, 1)


def test_what_could_not_be_had_is_looked_at_again_after_a_pause(fleet, bounded, monkeypatch):
    claims = fleet.member().claims("frames", **RECLAIM)
    claims.claim("a").fail("no")
    contend, tries = Bids.contend, []

    def overtaken(self, key, **settings):
        tries.append(fleet.clock.monotonic())
        return claims.get("a") if len(tries) <= 4 else contend(self, key, **settings)

    monkeypatch.setattr(Bids, "contend", overtaken)
    assert run(fleet, str, ["a"], **RECLAIM).done == 1
    # The first is of the walk, which found it claimed.
    assert tries[1:] == sorted(set(tries[1:]))


def delete(fleet, task):
    records = fleet.member()._context.records
    (key,) = [key for key in records if key.strings[-1] == task]
    del records[key]


def test_a_task_whose_record_is_deleted_is_begun_again(fleet, bounded):
    ran = []

    def function(task):
        ran.append(task)
        if len(ran) == 1:
            delete(fleet, task)

    assert run(fleet, function, ["a"], **RECLAIM).done == 1
    assert ran == ["a", "a"]


def test_what_is_deleted_again_and_again_ends_the_run(fleet, bounded):
    with pytest.raises(RecordError, match="deleted while the task was run"):
        run(fleet, lambda task: delete(fleet, task), ["a"], **RECLAIM)


def test_manual_runs_what_was_requeued(fleet):
    manual = {"on_owner_death": "manual"}
    claims = fleet.member().claims("frames", **manual)
    claims.claim("a")
    assert run(fleet, str, ["a"], **manual).done == 0
    claims.requeue("a")
    assert run(fleet, str, ["a"], **manual).done == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"function": 1}, TypeError),
        ({"tasks": "abc"}, TypeError),
        ({"tasks": ["a/b"]}, ValueError),
        ({"workers": 0}, ValueError),
        ({"workers": 1.0}, TypeError),
        ({"progress": True}, TypeError),
    ],
)
def test_wrong_arguments(arguments, error):
    claims = Coordinator("memory:").claims("frames")
    with pytest.raises(error):
        claims.run(**{"function": print, "tasks": [], **arguments})
    assert list(claims.keys()) == []
