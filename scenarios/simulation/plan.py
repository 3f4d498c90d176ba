"""What one seed decides before a run: who takes part, what they do, and what befalls them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from persidict_sync.record import RING
from scenarios.simulation.faults import Mix

DisruptionKind = Literal["pause", "crash", "clock-jump", "cut-off"]


@dataclass(frozen=True, slots=True)
class Disruption:
    """What befalls one process.

    Attributes:
        at: When, in true seconds.
        seat: Which process.
        kind: What.
        seconds: How long; of a clock jump, how far; of a crash, until another takes its seat.
    """

    at: float
    seat: int
    kind: DisruptionKind
    seconds: float


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """One process, and those that take its place after crashes.

    Attributes:
        rate: Seconds that its clock shows for each true second.
        wall: By how many seconds its wall clock is fast.
        threads: How many threads share its steps.
        steps: What it does, each the name of a program.
    """

    rate: float
    wall: float
    threads: int
    steps: Sequence[str]


@dataclass(frozen=True, slots=True)
class Times:
    """Of one run, in seconds.

    Attributes:
        latency: What half a request usually takes.
        request: After how long a client gives a request up.
        update: Within how long an update is settled.
        ttl: Of leases.
        think: Between two steps, at most.
        poll: Between two looks of one who waits; None for what leases do by themselves.
        end: When a run ends, whatever is still to be done.
    """

    latency: float
    request: float
    update: float
    ttl: float
    think: float
    poll: float | None = None
    end: float = inf

    @property
    def settle(self) -> float:
        """Within how long a call of the dictionary is settled."""
        return 3 * self.request


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Attributes:
        seed: What all draws of the run come from.
        times: How long things take.
        seats: The processes.
        disruptions: In the order of time.
        mix: Which requests are struck.
        operations: A seat begins no step more when it has done so many.
        ring: How many writes a record remembers.
        lulls: From when until when no request is struck.
        without: Steps that are left out, as seat and number.
        spared: Requests that are not struck, as `spot` names them.
    """

    seed: int
    times: Times
    seats: Sequence[SeatPlan]
    disruptions: Sequence[Disruption]
    mix: Mix
    operations: int
    ring: int = RING
    lulls: Sequence[tuple[float, float]] = ()
    without: frozenset[tuple[int, int]] = frozenset()
    spared: frozenset[str] = frozenset()

    def steps(self, seat: int) -> Sequence[tuple[int, str]]:
        """The steps of a seat that are not left out, with their numbers."""
        return [
            (number, step)
            for number, step in enumerate(self.seats[seat].steps)
            if (seat, number) not in self.without
        ]

    def is_calm(self, now: float) -> bool:
        """Whether no request is struck that is sent now."""
        return any(begin <= now < end for begin, end in self.lulls)
