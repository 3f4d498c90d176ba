"""Duels: where several unsafe workers are certain to stand between read and write at once."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

MAX_DUELS: Final = 3


class Duels:
    """Holds whoever comes first to a chosen task until the others have come.

    By default they are tasks of the first heat, which every worker passes before a blow may fall,
    and which has fewer tasks than there are workers, so that one is always left to come: no duel
    stays open, and none can be prevented. What a scenario names instead must be such, too.

    Args:
        over: The tasks, or whatever else they may meet over; nobody duels where there are none.
        seed: What the choice is drawn from.
        racers: How many meet.
    """

    def __init__(self, over: Sequence[str], *, seed: int, racers: int = 2) -> None:
        count = min(MAX_DUELS, len(over))
        self.tasks = tuple(random.Random(f"duels of {seed}").sample(over, count))
        self._racers = racers
        self._waiting: defaultdict[str, list[str]] = defaultdict(list)
        self._over: set[str] = set()

    def arrive(self, worker: str, *, task: str) -> Sequence[str]:
        """A worker has read that `task` is free; who may go on to write."""
        if task not in self.tasks or task in self._over:
            return [worker]
        self._waiting[task].append(worker)
        if len(self._waiting[task]) < self._racers:
            return []
        self._over.add(task)
        return self._waiting.pop(task)

    def give_up(self) -> Sequence[str]:
        """Nobody is left to come: let go of all who wait."""
        held = [worker for workers in self._waiting.values() for worker in workers]
        self._over |= self._waiting.keys()
        self._waiting.clear()
        return held
