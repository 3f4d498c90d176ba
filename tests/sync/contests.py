"""Fleets in virtual time that contend for one thing: what each had of it, and at what cost."""

from __future__ import annotations

import random
import statistics
from collections import Counter
from collections.abc import Callable
from typing import Final

from persidict import Memory
from persidict_sync.coordinator import Coordinator
from persidict_sync.run import Progress
from tests.sync.virtual_time import Distant, VirtualTime

LATENCY: Final = 0.02

DURATIONS: Final[dict[str, Callable[[random.Random], float]]] = {
    "instant": lambda draw: 0.0,
    "as long as a few requests": lambda draw: 3 * LATENCY * draw.uniform(0.8, 1.2),
    "long": lambda draw: 20 * LATENCY * draw.uniform(0.9, 1.1),
    "of all lengths": lambda draw: draw.expovariate(1 / (20 * LATENCY)),
}
"""How long a task of `SharedTasks` takes, in seconds."""


class SharedTasks:
    """Processes that share tasks by `Claims.run`, over a store at some distance."""

    def __init__(
        self, *, workers: int, tasks: int, seed: int, duration: Callable[[random.Random], float]
    ) -> None:
        self.clock = VirtualTime(seed=seed)
        self.store = Distant(Memory(), clock=self.clock, latency=LATENCY)
        self.tasks = [f"task-{number:05}" for number in range(tasks)]
        self.runs: Counter[str] = Counter()
        self.ends: list[float] = []
        self.last_begin = 0.0
        self.counts: list[Progress] = []
        self._duration = duration
        self._draw = random.Random(seed)
        self.clock.run(*[self._work] * workers)

    def _work(self) -> None:
        fleet = Coordinator(self.store.dictionary(), clock=self.clock)

        def function(task: str) -> None:
            # Leases are renewed by whoever calls this, not by threads of their own.
            fleet.heartbeat.run_due()
            self.runs[task] += 1
            self.last_begin = self.clock.now
            self.clock.sleep(self._duration(self._draw))

        self.counts.append(fleet.claims("frames").run(function, self.tasks))
        self.ends.append(self.clock.now)

    @property
    def requests_per_task(self) -> float:
        """Of those that are not `complete`, which is one for each task."""
        return sum(self.store.requests.values()) / len(self.tasks) - 1


class CounterContest:
    """Processes with coordinators of their own that add to one counter."""

    def __init__(self, *, seed: int, contenders: int, adds: int, latency: float) -> None:
        self.clock = VirtualTime(seed=seed)
        self.store = Distant(Memory(), clock=self.clock, latency=latency)
        self.ends: list[float] = []
        self.totals: list[int] = []
        self._adds = adds
        self.clock.run(*[self._contend] * contenders)

    def _contend(self) -> None:
        fleet = Coordinator(self.store.dictionary(), clock=self.clock, timeout=1_000.0)
        counter = fleet.counter("n")
        self.totals.extend(counter.add() for _ in range(self._adds))
        self.ends.append(self.clock.now)

    @property
    def spread(self) -> float:
        """How long the slowest took, in multiples of the median."""
        return max(self.ends) / statistics.median(self.ends)

    @property
    def requests_per_add(self) -> float:
        """Of all contenders together."""
        return sum(self.store.requests.values()) / len(self.totals)
