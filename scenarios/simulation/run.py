"""One run: a plan, from its first process to its last reading."""

from __future__ import annotations

import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Final
from unittest.mock import patch

from persidict_sync import record
from scenarios.simulation.chronicle import Line
from scenarios.simulation.faults import NO_FAULTS
from scenarios.simulation.host import Host
from scenarios.simulation.plan import Disruption, Plan
from scenarios.simulation.programs import PROGRAMS, final_look
from scenarios.simulation.scheduler import Scheduler, StuckError
from scenarios.simulation.threads import simulated
from scenarios.simulation.worker import Worker
from scenarios.simulation.world import World

MOST_TURNS: Final = 50_000
"""So many turns of a short run, or of each simulated hour of a long one, mean that it is stuck."""


@dataclass(frozen=True)
class Outcome:
    """What a run has shown.

    Attributes:
        plan: What it was to be.
        lines: Its history.
        strikes: How often each kind of fault struck.
        operations: How many operations were begun.
        requests: How many requests were sent.
        struck: Which requests were struck, as a plan can spare them.
        seconds: How much simulated time went by.
        breakdown: What went wrong with the run itself, None if nothing did.
    """

    plan: Plan
    lines: Sequence[Line]
    strikes: Counter[str]
    operations: int
    requests: int
    struck: Sequence[str]
    seconds: float
    breakdown: str | None


def run(plan: Plan) -> Outcome:
    """Run a plan; the same plan gives the same outcome."""
    hours = 0.0 if plan.times.end == inf else plan.times.end / 3600
    scheduler = Scheduler(most_turns=int(MOST_TURNS * (1 + hours)))
    with simulated(scheduler), patch.object(record, "RING", plan.ring):
        going = _Run(plan, scheduler)
        breakdown = None
        try:
            going.go()
        except StuckError as error:
            breakdown = str(error)
        finally:
            going.end()
    world = going.world
    if scheduler.crashes:
        breakdown = _told(scheduler.crashes[0][1])
    return Outcome(
        plan=plan,
        lines=world.chronicle.lines,
        strikes=world.strikes,
        operations=world.operations.total(),
        requests=world.requests,
        struck=world.struck,
        seconds=scheduler.now,
        breakdown=breakdown,
    )


class _Run:
    def __init__(self, plan: Plan, scheduler: Scheduler) -> None:
        self.world = World(plan, scheduler=scheduler)
        self._plan = plan
        self._scheduler = scheduler
        self._left = [deque(plan.steps(seat)) for seat in range(len(plan.seats))]
        self._seated: dict[int, Host] = {}
        self._busy = 0

    def go(self) -> None:
        for seat in range(len(self._plan.seats)):
            self._sit(seat)
        for one in self._plan.disruptions:
            self._scheduler.at(one.at, partial(self._disrupt, one))
        if self._plan.times.end < inf:
            self._scheduler.at(self._plan.times.end, self._scheduler.stop)
        self._scheduler.run()
        self.end()
        # What is still on its way arrives before anybody looks.
        self._scheduler.run()
        observer = self.world.boot(
            len(self._plan.seats), rate=1.0, wall=0.0, mix=NO_FAULTS, name="observer"
        )
        self._begin(observer, final_look)
        self._scheduler.run()

    def end(self) -> None:
        for host in self.world.hosts:
            if host in self._seated.values() and self._threads_at_work(host):
                # Nobody waits any longer than the run lasts.
                self.world.chronicle.log(host.name, "crashed")
            host.crash()

    def _sit(self, seat: int) -> None:
        settings = self._plan.seats[seat]
        host = self.world.boot(seat, rate=settings.rate, wall=settings.wall, mix=self._plan.mix)
        self._seated[seat] = host
        for _ in range(settings.threads):
            self._begin(host, self._work)

    def _begin(self, host: Host, body: Callable[[Host], None]) -> None:
        self._busy += 1

        def run() -> None:
            body(host)
            self._is_through()

        host.spawn(run)

    def _is_through(self) -> None:
        self._busy -= 1
        if not self._busy:
            self._scheduler.stop()

    def _work(self, host: Host) -> None:
        left, task, world = self._left[host.seat], self._scheduler.current, self.world
        worker = Worker(host, task.random)
        while left and world.operations[host.seat] < self._plan.operations:
            task.step, step = left.popleft()
            task.requests = 0
            task.random.seed(world.step_seed(host.seat, task.step))
            worker.sleep(self._plan.times.think * task.random.random() ** 2)
            PROGRAMS[step](worker)

    def _disrupt(self, one: Disruption) -> None:
        if one.seat not in self._seated:
            return
        host = self._seated[one.seat]
        getattr(self, f"_{one.kind.replace('-', '_')}")(host, one.seconds)

    def _pause(self, host: Host, seconds: float) -> None:
        self.world.pause(host, seconds)

    def _clock_jump(self, host: Host, seconds: float) -> None:
        host.clock.jump(seconds)
        self.world.strikes["clock-jump"] += 1
        self.world.chronicle.log(host.name, "clock-jumped", seconds=seconds)

    def _cut_off(self, host: Host, seconds: float) -> None:
        # It strikes with the first request that meets it.
        host.cut_until = max(host.cut_until, self._scheduler.now + seconds)

    def _crash(self, host: Host, seconds: float) -> None:
        threads = self._threads_at_work(host)
        if not threads:
            return
        self._busy -= threads - 1
        self.world.strikes["crash"] += 1
        self.world.chronicle.log(host.name, "crashed")
        del self._seated[host.seat]
        host.crash()
        self._scheduler.at(self._scheduler.now + seconds, partial(self._restart, host))

    def _restart(self, host: Host) -> None:
        self._sit(host.seat)
        self.world.chronicle.log(host.name, "restarted", **{"as": self._seated[host.seat].name})
        self._is_through()

    def _threads_at_work(self, host: Host) -> int:
        if host.is_dead:
            return 0
        threads = self._plan.seats[host.seat].threads
        return sum(not task.is_done for task in host.tasks[:threads])


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).strip()
