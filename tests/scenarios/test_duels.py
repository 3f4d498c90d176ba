"""Duels: two unsafe workers meet between read and write, and nobody waits for ever."""

from __future__ import annotations

from scenarios.duels import MAX_DUELS, Duels


def test_the_first_waits_for_the_second_and_both_go_on():
    duels = Duels(["a"], seed=1)
    assert duels.arrive("w1", task="a") == []
    assert duels.arrive("w2", task="a") == ["w1", "w2"]
    assert duels.arrive("w3", task="a") == ["w3"]


def test_other_tasks_are_passed_freely():
    assert Duels(["a"], seed=1).arrive("w1", task="b") == ["w1"]
    assert Duels([], seed=1).arrive("w1", task="a") == ["w1"]


def test_the_seed_chooses_some_tasks_of_the_heat():
    heat = [f"t{number}" for number in range(8)]
    chosen = Duels(heat, seed=1).tasks
    assert len({*chosen} & {*heat}) == MAX_DUELS
    assert chosen == Duels(heat, seed=1).tasks
    assert any(Duels(heat, seed=seed).tasks != chosen for seed in range(2, 5))


def test_those_who_wait_in_vain_are_let_go_once():
    duels = Duels(["a"], seed=1)
    duels.arrive("w1", task="a")
    assert duels.give_up() == ["w1"]
    assert duels.give_up() == []
    assert duels.arrive("w2", task="a") == ["w2"]


def test_more_than_two_may_meet():
    duels = Duels(["a"], seed=1, racers=3)
    assert [[*duels.arrive(worker, task="a")] for worker in ("w1", "w2", "w3", "w4")] == [
        [],
        [],
        ["w1", "w2", "w3"],
        ["w4"],
    ]


def test_all_who_wait_in_vain_are_let_go():
    duels = Duels(["a", "b"], seed=1, racers=3)
    for worker, task in (("w1", "a"), ("w2", "a"), ("w3", "b")):
        assert duels.arrive(worker, task=task) == []
    assert duels.give_up() == ["w1", "w2", "w3"]
