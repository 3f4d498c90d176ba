"""Stretches: times without interruption, and what is left of them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise


@dataclass(frozen=True)
class Stretch:
    """A time without interruption, and how long it may be; all in seconds."""

    begin: float
    end: float
    allowed: float = math.inf

    @property
    def is_late(self) -> bool:
        """Whether it is longer than it may be."""
        return self.end - self.begin > self.allowed

    def cut(self, at: Sequence[float]) -> Iterator[Stretch]:
        """Its parts between these times, which are in order."""
        first, last = bisect_right(at, self.begin), bisect_left(at, self.end)
        for begin, end in pairwise([self.begin, *at[first:last], self.end]):
            yield replace(self, begin=begin, end=end)

    def without(self, other: Stretch) -> Iterator[Stretch]:
        """What of it lies before the other and after it."""
        before = replace(self, end=min(self.end, other.begin))
        after = replace(self, begin=max(self.begin, other.end))
        yield from (each for each in (before, after) if each.begin < each.end)


def common(ones: Sequence[Stretch], others: Sequence[Stretch]) -> Iterator[Stretch]:
    """What of each of the ones lies in each of the others; it may be as long as the one."""
    for one in ones:
        for other in others:
            begin, end = max(one.begin, other.begin), min(one.end, other.end)
            if begin < end:
                yield replace(one, begin=begin, end=end)
