"""Heats: a few tasks at a time that all workers start into together, so that races are races."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence


def make_heats(tasks: Sequence[str], *, size: int, seed: int) -> Sequence[Sequence[str]]:
    """Deal the tasks into heats of that many, by seed; the last one may be smaller."""
    shuffled = random.Random(f"heats of {seed}").sample(tasks, len(tasks))
    return [shuffled[start : start + size] for start in range(0, len(shuffled), size)]


def walk_of(heats: Sequence[Sequence[str]], *, worker: str, seed: int) -> Sequence[Sequence[str]]:
    """The heats in their order, each in this worker's own order."""
    rng = random.Random(f"walk of {worker} in {seed}")
    return [rng.sample(heat, len(heat)) for heat in heats]


class StartingLine:
    """Who waits at the start of which heat."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}
        self.frontier = -1

    def arrive(self, worker: str, *, heat: int) -> None:
        """A worker waits for this heat to start."""
        self._waiting[worker] = heat

    def leave(self, worker: str) -> None:
        """A worker has ended."""
        self._waiting.pop(worker, None)

    def start(self, *, awake: Collection[str]) -> Sequence[str]:
        """Who may start now: the hindmost of those who wait, once all who are awake do."""
        if not awake or not self._waiting.keys() >= set(awake):
            return []
        heat = min(self._waiting[worker] for worker in awake)
        starters = [worker for worker in awake if self._waiting[worker] == heat]
        for worker in starters:
            del self._waiting[worker]
        self.frontier = max(self.frontier, heat)
        return starters
