"""Additions to one counter, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict_sync.coordinator import Coordinator
from scenarios.figures.places import Place

TIMEOUT = 30.0


@dataclass
class Additions:
    """What became of the additions of one job.

    Attributes:
        totals: What those were answered that were acknowledged or settled.
        settled: How many of those had an attempt that was not answered.
        unknown: How many may or may not have been counted.
        failed: How many were certainly not counted.
    """

    totals: list[int] = field(default_factory=list)
    settled: int = 0
    unknown: int = 0
    failed: int = 0

    def add(self, other: Additions) -> None:
        """Those of another job as well."""
        self.totals += other.totals
        self.settled += other.settled
        self.unknown += other.unknown
        self.failed += other.failed

    @property
    def acknowledged(self) -> int:
        """How many were answered at once, or refused and then answered."""
        return len(self.totals) - self.settled

    def problems(self, total: int) -> list[str]:
        """What is wrong with them if this is the total."""
        found = []
        returned = len(self.totals)
        if not returned <= total <= returned + self.unknown:
            found.append(
                f"the total is {total:,}: {self.acknowledged:,} additions were acknowledged, "
                f"{self.settled:,} settled, {self.unknown:,} are unknown"
            )
        if twice := len(self.totals) - len(set(self.totals)):
            found.append(f"{twice:,} additions were answered a total that another was answered")
        return found


def add(place: Place, name: str, times: int) -> Additions:
    """Add 1 so often."""
    done = Additions()
    unanswered = 0

    def meter(_verb: str, outcome: str) -> None:
        nonlocal unanswered
        unanswered += outcome == "unanswered"

    d = place.open(timeout=TIMEOUT / 3).with_meter(meter)
    counter = Coordinator(d, timeout=TIMEOUT).counter(name)
    for _ in range(times):
        unanswered = 0
        try:
            done.totals.append(counter.add())
            done.settled += unanswered > 0
        except OutcomeUnknownError:
            done.unknown += 1
        except (BackendError, ConcurrencyConflictError):
            done.failed += 1
    return done


def total_of(place: Place, name: str) -> int:
    """The total, read without faults."""
    return Coordinator(place.open(timeout=TIMEOUT)).counter(name).value()
