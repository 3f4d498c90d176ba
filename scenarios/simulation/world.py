"""What all processes of a run share: the bucket, the time, the plan and the history."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any, Final

from scenarios.simulation.beliefs import Beliefs
from scenarios.simulation.bucket import Bucket
from scenarios.simulation.chronicle import Chronicle
from scenarios.simulation.clock import HostClock
from scenarios.simulation.faults import Mix
from scenarios.simulation.host import Host
from scenarios.simulation.plan import Plan
from scenarios.simulation.scheduler import Scheduler
from scenarios.simulation.stalls import Stalls

SEED_STRIDE: Final = 1_000_003
"""Keeps the seeds of processes, threads and steps apart."""


class World:
    """One run, while it goes on.

    Args:
        plan: What it is to be.
        scheduler: Whose turn it is.

    Attributes:
        stalls: Copies of writes that are still on their way.
        hosts: The processes, those that have crashed as well.
        strikes: How often each kind of fault struck.
        objects: What programs have used.
        struck: Which requests were struck, as a plan can spare them.
        requests: How many requests were sent.
        operations: How many operations were begun in each seat.
    """

    def __init__(self, plan: Plan, *, scheduler: Scheduler) -> None:
        self.plan: Final = plan
        self.scheduler: Final = scheduler
        self.bucket: Final = Bucket(scheduler)
        self.stalls: Final = Stalls()
        self.chronicle: Final = Chronicle(scheduler)
        self.beliefs: Final = Beliefs(self.chronicle)
        self.hosts: list[Host] = []
        self.strikes: Counter[str] = Counter()
        self.objects: set[str] = set()
        self.struck: list[str] = []
        self.requests = 0
        self.operations: Counter[int] = Counter()

    def boot(
        self, seat: int, *, rate: float, wall: float, mix: Mix, name: str | None = None
    ) -> Host:
        """Start a process in a seat; the first of a seat, or after a crash the next one."""
        life = 1 + sum(host.seat == seat for host in self.hosts)
        name = name or (f"w{seat + 1}" if life == 1 else f"w{seat + 1}.{life}")
        seed = (self.plan.seed * SEED_STRIDE + len(self.hosts)) * SEED_STRIDE
        clock = HostClock(self.scheduler, rate=rate, start=1000.0 * (seat + life), wall=wall)
        host = Host(self, name, seat=seat, clock=clock, mix=mix, seed=seed)
        self.hosts.append(host)
        return host

    def step_seed(self, seat: int, step: int) -> int:
        """What everything in a step is drawn from, whatever else the run contains."""
        return ((self.plan.seed * SEED_STRIDE + seat) * SEED_STRIDE + step) * 2 + 1

    def strike(
        self, host: Host, kind: str, verb: str, key: str, *, is_write: bool
    ) -> dict[str, Any]:
        """Write down that a fault strikes a request; returns what is written, to be added to."""
        self.strikes[kind] += 1
        fields = {"kind": kind, "verb": verb, "key": str(key), "write": is_write}
        self.chronicle.log(host.name, "fault", **fields)
        return self.chronicle.lines[-1][-1]

    def pause(self, host: Host, seconds: float) -> None:
        """Freeze a process: from its next wait on, none of its threads goes on."""
        now = self.scheduler.now
        # At the very end of one pause its end has still to be told of.
        if now <= host.paused_until:
            return
        host.paused_until = now + seconds
        self.strikes["pause"] += 1
        self.chronicle.log(host.name, "paused", seconds=seconds)
        self.scheduler.at(host.paused_until, partial(self._resumed, host))

    def _resumed(self, host: Host) -> None:
        if not host.is_dead:
            self.chronicle.log(host.name, "resumed")
