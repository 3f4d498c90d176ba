"""What figures are made of: what they count, what they draw, and what they convict."""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from persidict.testing import FaultKind, FaultReport, FaultRule, FiredFault
from scenarios.events import Event
from scenarios.figures import schedule
from scenarios.figures.actor import Log
from scenarios.figures.claiming import FAILED, LOST, UNKNOWN, WON, Audit, Bids, Tasks
from scenarios.figures.counting import Additions
from scenarios.figures.faults import Strikes
from scenarios.figures.figure import Fired
from scenarios.figures.hostile.documents import PAYLOADS, documents, some
from scenarios.figures.hostile.keys import keys
from scenarios.figures.linearizable import judge
from scenarios.figures.places import File
from scenarios.figures.pool import HungError, processes
from scenarios.figures.progress import Progress

TASKS = Tasks(File("a.sqlite"), 0, 1)


def judged(told, *, owner):
    audit = Audit()
    for name, letter in told.items():
        audit.add(Bids(TASKS, name, bytearray([letter])))
    audit.judge(TASKS, [owner])
    return audit.violations


class TestClaims:
    @pytest.mark.parametrize(
        ("told", "owner"),
        [
            ({"a": WON, "b": LOST}, "a"),
            ({"a": UNKNOWN, "b": LOST}, "a"),
            ({"a": UNKNOWN, "b": WON}, "b"),
            ({"a": FAILED, "b": UNKNOWN}, None),
        ],
    )
    def test_what_may_be_told(self, told, owner):
        assert judged(told, owner=owner) == []

    @pytest.mark.parametrize(
        ("told", "owner", "problem"),
        [
            ({"a": WON, "b": WON}, "a", "claimed by a and by b"),
            ({"a": WON, "b": LOST}, "b", "the record says b"),
            ({"a": WON, "b": LOST}, None, "the record says None"),
            ({"a": LOST, "b": LOST}, None, "lost by somebody, and nobody has it"),
            ({"a": LOST, "b": LOST}, "a", "a has it and was told that another has"),
            ({"a": FAILED, "b": LOST}, "a", "a has it and was told that nothing was claimed"),
            ({"a": LOST, "b": LOST}, "c", "who never asked for it"),
        ],
    )
    def test_what_may_not(self, told, owner, problem):
        assert problem in "".join(judged(told, owner=owner))

    def test_chunks_are_all_of_them(self):
        chunks = [*Tasks(TASKS.place, 5, 7).chunks(3)]
        assert [(each.first, each.count) for each in chunks] == [(5, 3), (8, 3), (11, 1)]
        assert chunks[-1].names == ["task-11"]


class TestAdditions:
    def test_the_total_is_what_was_told(self):
        assert Additions(totals=[1, 2, 3], settled=1).problems(3) == []
        assert Additions(totals=[1, 3], unknown=1).problems(3) == []
        assert Additions(totals=[1, 3], unknown=1).problems(2) == []

    @pytest.mark.parametrize("total", [2, 4])
    def test_one_too_many_or_too_few(self, total):
        (problem,) = Additions(totals=[1, 2, 3], settled=1).problems(total)
        assert f"the total is {total}: 2 additions were acknowledged, 1 settled" in problem

    def test_a_total_answered_twice(self):
        assert "another" in "".join(Additions(totals=[1, 2, 2]).problems(3))


class TestSchedule:
    def test_every_kind_of_fault_is_in_every_plan(self):
        for number in range(5):
            assert schedule.kinds(schedule.plan(7, number).rules) == set(FaultKind)

    def test_it_is_drawn_by_seed_and_number(self):
        assert schedule.plan(7, 1) == schedule.plan(7, 1)
        assert schedule.plan(7, 1) != schedule.plan(7, 2)
        assert schedule.plan(7, 1) != schedule.plan(8, 1)

    def test_what_is_deleted_is_spared_what_creates_it_twice(self):
        lasting = {
            FaultKind.DROP_REPLY,
            FaultKind.RESET_REPLY,
            FaultKind.ERROR_500_AFTER,
            FaultKind.LATE,
            FaultKind.DUPLICATE_FIRST,
            FaultKind.DUPLICATE_SECOND,
        }
        for rule in schedule.plan(7, 0).rules:
            if rule.kind in lasting and "PUT" in rule.methods:
                assert rule.key.startswith(("*/safe/", "*/records/"))


def log(actor, at, name, **fields):
    return Event(actor, name, at, fields)


class TestJudge:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def added(self, total):
        return Log(
            [
                log("p1", 1.0, "call", id="1", object="counter/c", op="add", args={"n": 1}),
                log("p1", 2.0, "return", id="1", value=total),
            ]
        )

    def test_a_history_with_an_order(self, tmp_path):
        found = judge([self.added(1)], 3, 7)
        assert (found.violations, found.is_linearizable) == ([], True)
        assert found.outcomes == Counter(returned=1)
        assert not [*tmp_path.iterdir()]

    def test_a_history_without_one_is_kept(self, tmp_path):
        found = judge([self.added(2)], 3, 7)
        (violation,) = found.violations
        assert not found.is_linearizable
        assert "schedule 3" in violation
        assert "add(n=1) was answered 2" in violation
        assert [*tmp_path.glob("*/history.jsonl")]

    def test_a_crash_is_a_violation(self):
        found = judge([Log(self.added(1).events, ["KeyError"])], 3, 7)
        assert found.is_linearizable
        assert "KeyError" in found.violations[0]


class TestStrikes:
    def test_they_add_up_by_kind(self):
        rules = [FaultRule(kind=FaultKind.LATE), FaultRule(kind=FaultKind.LATE, methods=("PUT",))]
        report = FaultReport((FiredFault(FaultKind.LATE, 1, 0, "PUT", "b/k"),), (5, 3))
        strikes, others = Strikes(), Strikes()
        strikes.add_report(rules, report)
        others.add("drip", count=1, of=2)
        strikes.update(others)
        assert strikes.all() == {"late": Fired(1, 8), "drip": Fired(1, 2)}
        assert strikes.all()["late"].rate == 1 / 8
        assert Fired(0, 0).rate == 0.0


def fail():
    raise LookupError("it is not there")


class TestPool:
    def test_all_jobs_are_done_in_processes_that_end(self):
        with processes(2) as pool:
            pids = set(pool.run(os.getpid, [()] * 6))
            assert {*pool.run(divmod, [(7, 2), (9, 4)])} == {(3, 1), (2, 1)}
        assert os.getpid() not in pids
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    def test_what_a_job_raises_is_raised(self):
        with pytest.raises(LookupError, match="not there"), processes(1) as pool:
            [*pool.run(fail, [()])]

    def test_a_job_that_hangs_is_ended(self):
        began = time.monotonic()
        with pytest.raises(HungError), processes(1, patience=0.2) as pool:
            [*pool.run(time.sleep, [(600,)])]
        assert time.monotonic() - began < 60


class TestProgress:
    def test_it_is_told_now_and_then(self):
        now, said = [0.0], []
        progress = Progress(100, unit="kills", say=said.append, clock=lambda: now[0])
        for at, count in ((1.0, 10), (20.0, 10), (21.0, 10), (40.0, 20)):
            now[0] = at
            progress.add(count)
        assert [" ".join(line.split()) for line in said] == [
            "20 s 20 of 100 kills, about 80 s to go",
            "40 s 50 of 100 kills, about 40 s to go",
        ]


GOOD = {"counter": b'{"body": {"total": 5}, "ops": ["a"]}'}


class TestHostile:
    def test_every_payload_is_tried_in_every_place(self):
        found = [*documents(GOOD)]
        places = 6  # all of it, body, body.total, body's and the record's unheard-of, ops, ops.0
        assert len([name for _, name, _ in found if " as " in name]) == len(PAYLOADS) * (places + 1)
        assert len({body for _, _, body in found}) > 130
        assert len(some(GOOD, 50, seed=7)) == 50

    def test_keys_are_the_same_by_seed(self):
        assert list(map(repr, keys(50, seed=1))) != list(map(repr, keys(50, seed=2)))
        first, second = (
            [key for key in keys(200, seed=1) if isinstance(key, str)] for _ in range(2)
        )
        assert first == second
        assert any(".." in key for key in first)
