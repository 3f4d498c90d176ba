"""A simulation whose processes do what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from scenarios.simulation.faults import NO_FAULTS, Mix
from scenarios.simulation.host import Host
from scenarios.simulation.plan import Plan, SeatPlan, Times
from scenarios.simulation.scheduler import Scheduler
from scenarios.simulation.threads import simulated
from scenarios.simulation.world import World

TIMES = Times(latency=0.01, request=1.0, update=9.0, ttl=10.0, think=0.0)


def plan(*steps: str, seats: int = 1, mix: Mix = NO_FAULTS, **about) -> Plan:
    seat = SeatPlan(rate=1.0, wall=0.0, threads=1, steps=steps)
    settings = {"seed": 1, "times": TIMES, "disruptions": (), "operations": 48, **about}
    return Plan(seats=[seat] * seats, mix=mix, **settings)


class Stage:
    def __init__(self, the_plan: Plan) -> None:
        self.scheduler = Scheduler(most_turns=10_000)
        self.world = World(the_plan, scheduler=self.scheduler)

    def host(self, seat: int = 0, *, rate: float = 1.0, wall: float = 0.0) -> Host:
        return self.world.boot(seat, rate=rate, wall=wall, mix=self.world.plan.mix)

    def run(self, host: Host, *bodies: Callable[[], object]) -> None:
        """Run each in a thread of its own until nothing is left to do; raise what one raises."""
        for body in bodies:
            host.spawn(body)
        self.finish()

    def finish(self) -> None:
        self.scheduler.run()
        if self.scheduler.crashes:
            raise self.scheduler.crashes[0][1]


@contextmanager
def staged(the_plan: Plan | None = None) -> Iterator[Stage]:
    stage = Stage(the_plan or plan())
    with simulated(stage.scheduler):
        try:
            yield stage
        finally:
            for host in stage.world.hosts:
                host.crash()
