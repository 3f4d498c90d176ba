"""Who is killed, who is frozen, and when the frozen one goes on."""

from __future__ import annotations

import pytest

from scenarios.disruptions import Blow, Disruptions, Plan


@pytest.mark.parametrize("heats", [3, 4, 10, 50])
def test_every_plan_spares_the_first_heat_and_strikes_before_the_last_has_passed(heats):
    for seed in range(200):
        sizes = [4] * (heats - 1) + [1]
        plan = Plan.draw(seed=seed, sizes=sizes)
        assert 1 <= plan.kill_from < plan.freeze_from < heats
        assert 0 <= plan.kill_after < sizes[plan.kill_from]
        assert 0 <= plan.freeze_after < sizes[plan.freeze_from]
        assert plan.frozen_for >= 1


def test_the_seed_decides():
    sizes = [4] * 50
    assert Plan.draw(seed=1, sizes=sizes) == Plan.draw(seed=1, sizes=sizes)
    assert len({Plan.draw(seed=seed, sizes=sizes) for seed in range(20)}) > 10


@pytest.fixture
def disruptions():
    return Disruptions(Plan(kill_from=2, freeze_from=4, frozen_for=3))


def test_one_is_killed_and_then_another_frozen(disruptions):
    blows = [
        disruptions.decide("w1", task="a", heat=1),
        disruptions.decide("w2", task="b", heat=2),
        disruptions.decide("w1", task="c", heat=3),
        disruptions.decide("w3", task="d", heat=4),
        disruptions.decide("w1", task="e", heat=5),
    ]
    assert blows == [None, Blow.KILL, None, Blow.FREEZE, None]
    assert (disruptions.killed.worker, disruptions.killed.task) == ("w2", "b")
    assert (disruptions.frozen.worker, disruptions.frozen.task) == ("w3", "d")


def test_a_blow_that_found_nobody_in_its_heat_falls_in_a_later_one(disruptions):
    assert disruptions.decide("w1", task="a", heat=9) is Blow.KILL
    assert disruptions.decide("w2", task="b", heat=9) is Blow.FREEZE


def test_some_pass_their_checkpoints_before_a_blow_falls():
    plan = Plan(kill_from=1, freeze_from=2, frozen_for=1, kill_after=2, freeze_after=1)
    disruptions = Disruptions(plan)
    heats = [0, 0, 1, 1, 1, 1, 2, 2]
    blows = [disruptions.decide("w1", task=f"t{heat}", heat=heat) for heat in heats]
    assert blows == [None, None, None, None, Blow.KILL, None, None, Blow.FREEZE]


def test_the_frozen_one_goes_on_after_the_others_have(disruptions):
    disruptions.decide("w1", task="a", heat=2)
    disruptions.decide("w2", task="b", heat=4)
    assert disruptions.thaw(frontier=7, is_anyone_awake=True) is None
    assert disruptions.thaw(frontier=8, is_anyone_awake=True) == "w2"
    assert disruptions.thaw(frontier=9, is_anyone_awake=True) is None


def test_the_frozen_one_goes_on_when_the_others_are_done(disruptions):
    assert disruptions.thaw(frontier=9, is_anyone_awake=False) is None
    disruptions.decide("w1", task="a", heat=2)
    disruptions.decide("w2", task="b", heat=4)
    assert disruptions.thaw(frontier=4, is_anyone_awake=False) == "w2"
