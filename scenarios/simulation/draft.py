"""The plan of a seed."""

from __future__ import annotations

from random import Random
from typing import Final

from persidict_sync.record import RING
from scenarios.simulation.faults import CUT, READ_FAULTS, WRITE_FAULTS, Mix
from scenarios.simulation.plan import Disruption, DisruptionKind, Plan, SeatPlan, Times
from scenarios.simulation.programs import THEMES

SEATS: Final = 4
OPERATIONS: Final = 48
"""Each step is at least one, so that there are steps enough."""
FAULT_RATE: Final = 0.3
"""Of the requests outside of lulls, so that about a quarter of all are struck."""
DRIFT: Final = 0.05
"""How far a clock may be fast or slow: what the leases allow for."""
JUMP: Final = 3600.0
"""How far a wall clock may be set forward or back, in seconds."""
RINGS: Final = (3, 5, 16, RING)
"""No run is long enough to overrun a ring of the real length."""
SPAN: Final = 40.0
"""Disruptions begin within so many seconds: about what a run takes."""


def plan_of(seed: int) -> Plan:
    """What a seed decides.

    Each plan is about a few records, so that many meet at each; kinds of faults that a plan leaves
    out let others show what they do alone. In a lull no request is struck, and whoever waits for
    what is free must get it in time, which nobody can say while every other request fails.
    """
    random = Random(seed)
    request = 0.4 * 4 ** random.random()
    times = Times(
        latency=0.01 * 8 ** random.random(),
        request=request,
        update=request * random.choice((3.0, 5.0, 9.0)),
        ttl=request * random.uniform(4.0, 10.0),
        think=0.8 * random.random(),
    )
    weights = {
        kind: random.uniform(0.5, 2.0)
        for kind in dict.fromkeys((*WRITE_FAULTS, *READ_FAULTS))
        if random.random() < 0.8
    }
    programs = _programs(random)
    seats = [_seat(random, programs) for _ in range(SEATS)]
    return Plan(
        seed=seed,
        times=times,
        seats=seats,
        disruptions=_disruptions(random, times, seats=len(seats)),
        mix=Mix(FAULT_RATE, weights, freezing=max(0.0, random.uniform(-0.003, 0.006))),
        operations=OPERATIONS,
        ring=random.choice(RINGS),
        lulls=_lulls(random, times),
    )


def _programs(random: Random) -> dict[str, float]:
    names = list(THEMES)
    chosen = random.sample(names, min(len(names), random.choice((1, 2, 2, 3))))
    return {
        program: weight / sum(THEMES[theme].values())
        for theme in chosen
        for program, weight in THEMES[theme].items()
    }


def _seat(random: Random, programs: dict[str, float]) -> SeatPlan:
    extreme = random.choice((1.0 - DRIFT, 1.0 + DRIFT))
    return SeatPlan(
        rate=random.choice((extreme, random.uniform(1.0 - DRIFT, 1.0 + DRIFT))),
        wall=random.uniform(-JUMP, JUMP),
        threads=random.choice((1, 1, 2, 4)),
        steps=random.choices(list(programs), list(programs.values()), k=OPERATIONS),
    )


def _lulls(random: Random, times: Times) -> list[tuple[float, float]]:
    begin, seconds = random.uniform(0.0, SPAN), random.uniform(4.0, 10.0) * times.ttl
    return [(begin, begin + seconds)] if random.random() < 0.6 else []


def _disruptions(random: Random, times: Times, *, seats: int) -> list[Disruption]:
    found = []

    def some(kind: DisruptionKind, chance: float, seconds: tuple[float, float]) -> None:
        while random.random() < chance:
            at, seat = random.uniform(0.0, SPAN), random.randrange(seats)
            found.append(Disruption(at, seat, kind, random.uniform(*seconds)))

    some("pause", 0.6, (0.1 * times.ttl, 2.5 * times.ttl))
    some("crash", 0.4, (0.1, times.ttl))
    some("clock-jump", 0.5, (-JUMP, JUMP))
    some(CUT, 0.5, (times.request, 2.5 * times.ttl))
    some(CUT, 0.7, (times.request, 6.0 * times.request))
    return sorted(found, key=lambda one: one.at)
