"""The one place that knows time, sleeping, randomness and fresh identities.

Everything else takes a `Clock` as an argument, so that a test or a simulation decides
what time it is, how long a wait takes and which identity is drawn.
"""

from __future__ import annotations

import os
import random
import time
from typing import Final, Protocol

NONCE_BYTES = 12
METHODS: Final = ("monotonic", "time", "sleep", "uniform", "nonce")
"""What a clock has; see `Clock`."""


class Clock(Protocol):
    """Time, waiting and randomness, as one replaceable collaborator.

    `monotonic` never runs backwards and is compared only with other readings of the same
    clock. `time` is for people and for stores that keep their own timestamps; no decision
    compares it with another machine's.
    """

    def monotonic(self) -> float:
        """Seconds on a clock that never runs backwards; its zero means nothing."""

    def time(self) -> float:
        """POSIX seconds by this machine's wall clock."""

    def sleep(self, seconds: float, /) -> None:
        """Wait for `seconds` (0 or more)."""

    def uniform(self, low: float, high: float, /) -> float:
        """A random number between `low` and `high`."""

    def nonce(self) -> bytes:
        """96 random bits that no other write shares."""


def _monotonic() -> float:
    # A lease runs out while the machine sleeps, so the clock must not stop with it.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


if not hasattr(time, "CLOCK_BOOTTIME"):
    _monotonic = time.monotonic


class SystemClock:
    """The machine's own clock and random source; safe under threads and across fork.

    Example:
        >>> clock = SystemClock()
        >>> clock.monotonic() <= clock.monotonic()
        True
        >>> len(clock.nonce())
        12
    """

    def __init__(self) -> None:
        # A generator with state of its own would draw the same numbers in every forked child.
        self._random = random.SystemRandom()

    def monotonic(self) -> float:
        """Seconds on the monotonic clock, where possible one that counts suspended time."""
        return _monotonic()

    def time(self) -> float:
        """POSIX seconds."""
        return time.time()

    def sleep(self, seconds: float, /) -> None:
        """Block this thread for `seconds`."""
        time.sleep(seconds)

    def uniform(self, low: float, high: float, /) -> float:
        """A random number between `low` and `high`, from the operating system."""
        return self._random.uniform(low, high)

    def nonce(self) -> bytes:
        """96 random bits from the operating system."""
        return os.urandom(NONCE_BYTES)


SYSTEM_CLOCK = SystemClock()


def check_clock(clock: object) -> None:
    """Raise unless it has the methods of a `Clock`.

    Raises:
        TypeError: One is missing, or it is a class, of which an object was to be made.

    Example:
        >>> check_clock(SystemClock())
        >>> check_clock(time)
        Traceback (most recent call last):
            ...
        TypeError: clock must be a persidict.clock.Clock; a module has no uniform, nonce
    """
    if isinstance(clock, type):
        raise TypeError(f"clock must be a Clock, not the class {clock.__name__}: call that first")
    missing = [name for name in METHODS if not callable(getattr(clock, name, None))]
    if missing:
        raise TypeError(
            f"clock must be a persidict.clock.Clock; a {type(clock).__name__} has no "
            f"{', '.join(missing)}"
        )
