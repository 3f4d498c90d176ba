"""Plans of many simulated hours, about leases or permits alone."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from scenarios.simulation.draft import DRIFT, FAULT_RATE, JUMP
from scenarios.simulation.faults import CUT, READ_FAULTS, WRITE_FAULTS, Mix
from scenarios.simulation.plan import Disruption, DisruptionKind, Plan, SeatPlan, Times

HOURS: Final = 10.0
"""Simulated hours of one run."""
SEATS: Final = 3
STEPS_PER_HOUR: Final = 120
PER_HOUR: Final = {"pause": 2.0, "crash": 0.5, "clock-jump": 2.0, CUT: 1.0}
"""How often processes are disrupted."""
PROGRAMS: Final = {"lease": 3.0, "permit": 1.0}
"""What a run is about, and how often each is chosen."""
LULLS_PER_HOUR: Final = 0.5
"""Each lasts up to ten ttls."""


def vigil_of(seed: int) -> Plan:
    """What a seed decides of a run of hours: leases of minutes, which are held and fenced with.

    Some are about permits instead. In lulls no request is struck, so what is free must be taken
    over in time.
    """
    random = Random(-1 - seed)
    ttl, request = random.uniform(40.0, 160.0), random.uniform(1.0, 5.0)
    times = Times(
        latency=0.02 * 10 ** random.random(),
        request=request,
        update=9 * request,
        ttl=ttl,
        think=random.uniform(0.2, 1.0) * ttl,
        poll=ttl / 4,
        end=HOURS * 3600,
    )
    (program,) = random.choices(list(PROGRAMS), list(PROGRAMS.values()))
    steps = [program] * int(STEPS_PER_HOUR * HOURS)
    weights = dict.fromkeys((*WRITE_FAULTS, *READ_FAULTS), 1.0)
    return Plan(
        seed=seed,
        times=times,
        seats=[_seat(random, steps) for _ in range(SEATS)],
        disruptions=_disruptions(random, times),
        mix=Mix(FAULT_RATE, weights, freezing=0.001),
        operations=len(steps) * 10,
        lulls=_lulls(random, times),
    )


def _seat(random: Random, steps: Sequence[str]) -> SeatPlan:
    rate = random.choice((1.0 - DRIFT, 1.0 + DRIFT))
    wall = random.uniform(-JUMP, JUMP)
    return SeatPlan(rate=rate, wall=wall, threads=1, steps=steps)


def _lulls(random: Random, times: Times) -> list[tuple[float, float]]:
    begins = [random.uniform(0.0, times.end) for _ in range(int(LULLS_PER_HOUR * HOURS))]
    return [(begin, begin + random.uniform(2.0, 10.0) * times.ttl) for begin in begins]


def _disruptions(random: Random, times: Times) -> list[Disruption]:
    found = []

    def some(kind: DisruptionKind, least: float, most: float) -> None:
        for _ in range(int(PER_HOUR[kind] * HOURS)):
            at, seat = random.uniform(0.0, times.end), random.randrange(SEATS)
            found.append(Disruption(at, seat, kind, random.uniform(least, most)))

    some("pause", 0.1 * times.ttl, 3.0 * times.ttl)
    some("crash", 1.0, times.ttl)
    some("clock-jump", -JUMP, JUMP)
    some(CUT, times.request, 3.0 * times.ttl)
    return sorted(found, key=lambda one: one.at)
