"""Which worker is killed and which is frozen: planned by seed, struck with a task in hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Blow(StrEnum):
    """What befalls a worker at a checkpoint."""

    KILL = "SIGKILL"
    FREEZE = "SIGSTOP"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The checkpoints, by heat and number, from which on the next worker there is struck.

    The first heat is spared, so that what has to happen in it happens whatever the seed.

    Args:
        kill_from: Heat from which on one is killed.
        freeze_from: Heat from which on one is frozen; later than `kill_from`.
        frozen_for: How many heats the others run meanwhile.
        kill_after: How many checkpoints from that heat on are passed before.
        freeze_after: The same of the one that is frozen.
    """

    kill_from: int
    freeze_from: int
    frozen_for: int
    kill_after: int = 0
    freeze_after: int = 0

    @classmethod
    def draw(cls, *, seed: int, sizes: Sequence[int]) -> Self:
        """Choose by seed.

        Args:
            seed: What is chosen by.
            sizes: How many tasks each heat has, and so at least as many checkpoints; at least
                three heats.
        """
        rng = random.Random(f"disruptions of {seed}")
        heats = len(sizes)
        kill_from = rng.randint(1, max(1, heats // 3))
        freeze_from = rng.randint(kill_from + 1, max(kill_from + 1, heats // 2))
        return cls(
            kill_from=kill_from,
            freeze_from=freeze_from,
            frozen_for=rng.randint(1, max(1, heats // 5)),
            kill_after=rng.randrange(sizes[kill_from]),
            freeze_after=rng.randrange(sizes[freeze_from]),
        )


@dataclass(frozen=True)
class Struck:
    """A blow that has fallen: on whom, and what the worker held."""

    worker: str
    task: str
    heat: int


class Disruptions:
    """Carries out a plan: decides at each checkpoint, and when a frozen worker is continued."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._passed = {Blow.KILL: 0, Blow.FREEZE: 0}
        self.killed: Struck | None = None
        self.frozen: Struck | None = None
        self.is_over = False

    def decide(self, worker: str, *, task: str, heat: int) -> Blow | None:
        """What befalls a worker that has `task` in hand in `heat`."""
        plan = self._plan
        if self.killed is None and heat >= plan.kill_from:
            if self._is_passed(Blow.KILL, after=plan.kill_after):
                return None
            self.killed = Struck(worker, task, heat)
            return Blow.KILL
        if self.frozen is None and self.killed and heat >= plan.freeze_from:
            if self._is_passed(Blow.FREEZE, after=plan.freeze_after):
                return None
            self.frozen = Struck(worker, task, heat)
            return Blow.FREEZE
        return None

    def _is_passed(self, blow: Blow, *, after: int) -> bool:
        self._passed[blow] += 1
        return self._passed[blow] <= after

    def thaw(self, *, frontier: int, is_anyone_awake: bool) -> str | None:
        """Who is to be continued now: the others have run far enough, or are done.

        They have begun a later heat, so what the frozen one has in hand has been done without it,
        if a heat ends only when all of it is done.
        """
        if self.frozen is None or self.is_over:
            return None
        if is_anyone_awake and frontier <= self.frozen.heat + self._plan.frozen_for:
            return None
        self.is_over = True
        return self.frozen.worker
