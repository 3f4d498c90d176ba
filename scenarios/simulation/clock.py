"""A simulated machine's clock: fast or slow by its drift, and set forward or back at any time."""

from __future__ import annotations

from typing import Final

from persidict.clock import NONCE_BYTES, SystemClock
from scenarios.simulation.scheduler import Scheduler

EPOCH: Final = 1_000_000_000.0
"""True time 0, as POSIX seconds."""
MOMENT: Final = 1e-6
"""The shortest sleep, in seconds."""


class HostClock(SystemClock):
    """The clock of one simulated process; it sleeps by giving others their turn.

    It is a `SystemClock`, so that the heartbeat runs in threads of its own, as in production.

    Args:
        scheduler: Whose time it shows.
        rate: Seconds that it shows for each true second.
        start: What its monotonic reading is at true time 0.
        wall: By how many seconds its wall clock is fast at true time 0.
    """

    def __init__(self, scheduler: Scheduler, *, rate: float, start: float, wall: float) -> None:
        self.rate: Final = rate
        self._scheduler = scheduler
        self._start = start
        self._wall = wall

    def jump(self, seconds: float) -> None:
        """Set the wall clock, which moves nothing but what it says."""
        self._wall += seconds

    def due_in(self, seconds: float) -> float:
        """When, in true time, so many of this clock's seconds will have gone by."""
        # Not less than a moment: what waits for a rounding error would wait for ever.
        return self._scheduler.now + max(MOMENT, seconds / self.rate)

    def monotonic(self) -> float:
        """Seconds that have gone by, as this machine counts them."""
        return self._start + self._scheduler.now * self.rate

    def time(self) -> float:
        """POSIX seconds by the wall clock."""
        return EPOCH + self._wall + self._scheduler.now * self.rate

    def sleep(self, seconds: float, /) -> None:
        """Let others run for so many of this machine's seconds."""
        self._scheduler.sleep_until(self.due_in(seconds))

    def uniform(self, low: float, high: float, /) -> float:
        """A number of the task that asks."""
        return self._scheduler.current.random.uniform(low, high)

    def nonce(self) -> bytes:
        """96 bits of the task that asks."""
        return self._scheduler.current.random.randbytes(NONCE_BYTES)
