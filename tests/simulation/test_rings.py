"""Rings so short that they are overrun, which settles nothing any more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from persidict_sync import record
from persidict_sync.cas import Update
from scenarios.simulation.draft import RINGS, plan_of
from scenarios.simulation.run import run

SEEDS = 12


def overruns(monkeypatch, *, ring=None):
    """How often a write, in doubt or refused, was looked for in a ring that did not tell."""
    found = Counter()
    settle = Update._settle

    def counting(self, attempt, seen):
        if seen.record is not None and not seen.record.tells_of(attempt.record.generation):
            found["in doubt" if self._open else "refused"] += 1
        return settle(self, attempt, seen)

    monkeypatch.setattr(Update, "_settle", counting)
    for seed in range(SEEDS):
        plan = plan_of(seed)
        run(plan if ring is None else replace(plan, ring=ring))
    return found


def test_they_are_overrun(monkeypatch):
    found = overruns(monkeypatch)
    assert found["in doubt"] > 0
    assert found["refused"] > 0


def test_one_of_the_real_length_hardly_is(monkeypatch):
    assert overruns(monkeypatch, ring=record.RING).total() <= 1


def test_some_are_of_the_real_length():
    assert {plan_of(seed).ring for seed in range(50)} == set(RINGS)
    assert record.RING == max(RINGS) == 128
