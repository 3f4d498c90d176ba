"""Heats: dealt by seed, walked by each in its own order, started into together."""

from __future__ import annotations

from scenarios.heats import StartingLine, make_heats, walk_of

TASKS = [f"t{number}" for number in range(25)]


def test_every_task_is_in_one_heat():
    heats = make_heats(TASKS, size=4, seed=1)
    assert sorted(task for heat in heats for task in heat) == sorted(TASKS)
    assert [len(heat) for heat in heats] == [4] * 6 + [1]


def test_the_seed_decides():
    assert make_heats(TASKS, size=4, seed=1) == make_heats(TASKS, size=4, seed=1)
    assert make_heats(TASKS, size=4, seed=1) != make_heats(TASKS, size=4, seed=2)


def test_each_worker_walks_the_same_heats_in_its_own_order():
    heats = make_heats(TASKS, size=4, seed=1)
    one, other = (walk_of(heats, worker=worker, seed=1) for worker in ("w1", "w2"))
    assert one != other
    assert [sorted(heat) for heat in one] == [sorted(heat) for heat in other]
    assert one == walk_of(heats, worker="w1", seed=1)


def test_nobody_starts_before_all_who_are_awake_stand_there():
    line = StartingLine()
    line.arrive("w1", heat=0)
    assert line.start(awake=["w1", "w2"]) == []
    line.arrive("w2", heat=0)
    assert line.start(awake=["w1", "w2"]) == ["w1", "w2"]
    assert line.start(awake=["w1", "w2"]) == []
    assert line.frontier == 0


def test_the_dead_and_the_frozen_are_not_waited_for():
    line = StartingLine()
    line.arrive("w1", heat=3)
    line.arrive("w2", heat=3)
    line.leave("w2")
    assert line.start(awake=["w1"]) == ["w1"]


def test_the_hindmost_start_first():
    line = StartingLine()
    line.arrive("w1", heat=5)
    line.arrive("w2", heat=2)
    assert line.start(awake=["w1", "w2"]) == ["w2"]
    line.arrive("w2", heat=5)
    assert line.start(awake=["w1", "w2"]) == ["w1", "w2"]
    assert line.frontier == 5


def test_nobody_awake_nobody_starts():
    assert StartingLine().start(awake=[]) == []
