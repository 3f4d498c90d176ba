"""Which worker is killed and which is frozen: planned by seed, struck where a claim is held."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Blow(StrEnum):
    """What befalls a worker at a checkpoint."""

    KILL = "SIGKILL"
    FREEZE = "SIGSTOP"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The heats from which on the next worker at a checkpoint is struck.

    The first heat is spared, so that what has to happen in it happens whatever the seed.

    Args:
        kill_from: Heat from which on one is killed.
        freeze_from: Heat from which on one is frozen; later than `kill_from`.
        frozen_for: How many heats the others run meanwhile.
    """

    kill_from: int
    freeze_from: int
    frozen_for: int

    @classmethod
    def draw(cls, *, seed: int, heats: int) -> Self:
        """Choose by seed; at least three heats, and the others run one more if there is one."""
        rng = random.Random(f"disruptions of {seed}")
        kill_from = rng.randint(1, max(1, heats // 3))
        freeze_from = rng.randint(kill_from + 1, max(kill_from + 1, heats // 2))
        return cls(
            kill_from=kill_from,
            freeze_from=freeze_from,
            frozen_for=rng.randint(1, max(1, heats // 5)),
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
        self.killed: Struck | None = None
        self.frozen: Struck | None = None
        self.is_over = False

    def decide(self, worker: str, *, task: str, heat: int) -> Blow | None:
        """What befalls a worker that holds `task` in `heat`."""
        if self.killed is None and heat >= self._plan.kill_from:
            self.killed = Struck(worker, task, heat)
            return Blow.KILL
        if self.frozen is None and self.killed and heat >= self._plan.freeze_from:
            self.frozen = Struck(worker, task, heat)
            return Blow.FREEZE
        return None

    def thaw(self, *, frontier: int, is_anyone_awake: bool) -> str | None:
        """Who is to be continued now: the others have run far enough, or are done."""
        if self.frozen is None or self.is_over:
            return None
        if is_anyone_awake and frontier <= self.frozen.heat + self._plan.frozen_for:
            return None
        self.is_over = True
        return self.frozen.worker
