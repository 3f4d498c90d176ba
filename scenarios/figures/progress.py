"""How far a long measurement is, told now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

EVERY: Final = 10.0


class Progress:
    """Tells a person how far it is, at most every ten seconds.

    Args:
        total: How much there is to do.
        unit: Of what.
        say: Is given each line.
        clock: Seconds, on any scale.
    """

    def __init__(
        self,
        total: int,
        *,
        unit: str,
        say: Callable[[str], object] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._unit = unit
        self._say = say
        self._clock = clock
        self._began = self._told = clock()
        self.done = 0

    def tell(self, text: str) -> None:
        """Say something at once."""
        self._say(f"  {self._clock() - self._began:7.0f} s  {text}")

    def add(self, count: int = 1) -> None:
        """So much more has been done."""
        self.done += count
        now = self._clock()
        if now - self._told < EVERY or not self.done:
            return
        self._told = now
        seconds = now - self._began
        left = seconds / self.done * max(0, self._total - self.done)
        self.tell(f"{self.done:,} of {self._total:,} {self._unit}, about {left:,.0f} s to go")
