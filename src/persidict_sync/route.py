"""Which of many tasks a worker tries next, so that few claims are lost to others.

All workers see the tasks in the same order, as a ring, and each walks onwards from where it began.
One that walks into what is claimed looks at all that is, and begins again near the end of the
longest run of what is not: it takes what is a fair share of all that is left, at most half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

PAGE_SIZE: Final = 1000
"""How many names every store lists in one request."""
SPREAD: Final = 0.1
"""The share is not exact, so that not all who look at the same time begin at the same task."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Some tasks in a row that nobody has claimed, as far as is known."""

    start: int
    length: int


class Board:
    """What one process knows of which tasks are claimed; used under a lock.

    Args:
        size: How many tasks there are.
        uniform: What draws numbers.
    """

    def __init__(self, size: int, *, uniform: Callable[[float, float], float]) -> None:
        self.size: Final = size
        self.left = size
        self.looks = 0
        self._is_claimed = bytearray(size)
        self._uniform = uniform

    def mark(self, number: int) -> None:
        """Learn that a task is claimed."""
        if not self._is_claimed[number]:
            self._is_claimed[number] = 1
            self.left -= 1

    def look(self, numbers: Iterable[int | None]) -> Gap | None:
        """Learn which tasks are claimed, and find the longest gap, or one at least half as long.

        Args:
            numbers: What is claimed, in order, page by page; None for what is none of the tasks.
                It is read no further than needed.

        Returns:
            None if all are claimed.
        """
        self.looks += 1
        for count, number in enumerate(numbers, start=1):
            if number is None:
                continue
            self.mark(number)
            if count % PAGE_SIZE == 0 and (gap := self._good_before(number)) is not None:
                return gap
        return self.longest() if self.left else None

    def _good_before(self, number: int) -> Gap | None:
        gaps = self._gaps()
        seen = [gap for gap in gaps if gap.start + gap.length <= number]
        best = max(seen, key=lambda gap: gap.length, default=None)
        # What lies behind was longer or as long when it was looked at.
        if best is not None and all(gap.length <= 2 * best.length for gap in gaps):
            return best
        return None

    def after(self, number: int) -> int | None:
        """The next task of a walk, None if that is known to be claimed."""
        following = (number + 1) % self.size
        return None if self._is_claimed[following] else following

    def anywhere(self) -> int:
        """Any task; for one who knows nothing."""
        return min(self.size - 1, int(self._uniform(0, self.size)))

    def longest(self) -> Gap:
        """The longest of the gaps, any of them if several are; there must be one."""
        gaps = self._gaps()
        most = max(gap.length for gap in gaps)
        return self._any_of([gap for gap in gaps if gap.length == most])

    def entry(self, gap: Gap) -> int:
        """Where in a gap to begin: someone walks towards it in each of them."""
        share = min(gap.length / 2, self.left / (len(self._gaps()) + 1))
        share *= self._uniform(1 - SPREAD, 1 + SPREAD)
        into = min(gap.length - 1, int(gap.length - share))
        return (gap.start + into) % self.size

    def _any_of(self, gaps: list[Gap]) -> Gap:
        return gaps[min(len(gaps) - 1, int(self._uniform(0, len(gaps))))]

    def _gaps(self) -> list[Gap]:
        claimed = self._is_claimed
        first = claimed.find(1)
        if first < 0:
            return [Gap(self.anywhere(), self.size)]
        # Turned so that it ends with a claimed one: no gap goes over the end.
        turned = claimed[first + 1 :] + claimed[: first + 1]
        gaps, at = [], 0
        while (start := turned.find(0, at)) >= 0:
            at = turned.find(1, start)
            gaps.append(Gap((first + 1 + start) % self.size, at - start))
        return gaps
