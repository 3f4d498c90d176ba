"""A clock under a test's hand: no wait takes time, and every run draws the same numbers."""

from __future__ import annotations

import random
import threading
from typing import Final

from persidict.clock import NONCE_BYTES


class ManualClock:
    """A `Clock` that stands still until something sleeps, or a test advances it.

    Guarantee: the same calls in the same order give the same readings, numbers and nonces, and
    `sleep` returns at once. Safe under threads. Not guaranteed: nonces that differ from those of
    another clock of the same seed; writers of one store need clocks of different seeds, or one
    clock together.

    Args:
        time: POSIX seconds that it begins with.
        seed: Of the numbers and nonces.

    Raises:
        TypeError: The seed is no int.

    Attributes:
        slept: How long each `sleep` was asked to take, in seconds, the first one first.

    Example:
        >>> from persidict import LocalDict
        >>> clock = ManualClock()
        >>> d = LocalDict(clock=clock)
        >>> d["job"] = "open"
        >>> clock.advance(90.0)
        >>> d.age("job")
        90.0
    """

    def __init__(self, *, time: float = 1_000_000_000.0, seed: int = 0) -> None:
        if not isinstance(seed, int):
            raise TypeError(f"seed must be an int, not a {type(seed).__name__}")
        self.slept: list[float] = []
        self._start: Final = time
        self._elapsed = 0.0
        self._random: Final = random.Random(seed)  # noqa: S311 - it is to be predictable
        self._lock: Final = threading.Lock()

    def __repr__(self) -> str:
        return f"<ManualClock after {self._elapsed} s>"

    def monotonic(self) -> float:
        """Seconds that it has been advanced by, and slept."""
        with self._lock:
            return self._elapsed

    def time(self) -> float:
        """POSIX seconds: the time it began with, and what has gone by since."""
        return self._start + self.monotonic()

    def sleep(self, seconds: float, /) -> None:
        """Advance by `seconds` and return.

        Raises:
            ValueError: `seconds` is negative.
        """
        self.advance(seconds)
        self.slept.append(seconds)

    def advance(self, seconds: float) -> None:
        """Let `seconds` go by, 0 or more.

        Raises:
            ValueError: `seconds` is negative.
        """
        if not seconds >= 0:
            raise ValueError(
                f"a clock runs forwards only: seconds must be 0 or more, not {seconds}"
            )
        with self._lock:
            self._elapsed += seconds

    def uniform(self, low: float, high: float, /) -> float:
        """A number between `low` and `high`, the next one of the seed."""
        with self._lock:
            return self._random.uniform(low, high)

    def nonce(self) -> bytes:
        """12 bytes, the next ones of the seed."""
        with self._lock:
            return self._random.randbytes(NONCE_BYTES)
