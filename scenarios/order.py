"""Whether the numbers that operations were told fit one order of all of them.

Each applied operation on an object has a number of its own, in the order in which they were
applied: the total that an addition makes, the generation that a change makes, the token that an
acquisition draws.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scenarios.history import Operation
from scenarios.words import times


@dataclass(frozen=True)
class Order:
    """The operations whose numbers are known.

    Args:
        word: What the number is called.
        told: Number and operation, of each.
    """

    word: str
    told: Sequence[tuple[int, Operation]]

    def twice(self) -> Iterator[str]:
        """Numbers that more than one operation was told."""
        for number, operations in sorted(self._by_number().items()):
            if len(operations) > 1:
                names = ", ".join(operation.actor for operation in operations)
                yield f"{self.word} {number} was told {times(len(operations))}: to {names}"

    def backwards(self) -> Iterator[str]:
        """Operations that began after another had been told a higher number."""
        highest = _Highest(self.told)
        for number, operation in sorted(self.told, key=lambda one: one[1].begin):
            before = highest.before(operation)
            if before is not None and number < before[0]:
                yield (
                    f"{operation.actor} was told {self.word} {number}, and before it asked "
                    f"{before[1].actor} had been told {before[0]}"
                )

    def missing(self, last: int) -> Sequence[int]:
        """The numbers from 1 to the last that no operation was told."""
        return sorted({*range(1, last + 1)} - {number for number, _ in self.told})

    def unexplained(self, last: int, *, unsettled: Iterable[Operation]) -> Sequence[int]:
        """The missing numbers that no unsettled operation can have had, each having one at most.

        It may have been applied at any time after it was called, so it can have had any number
        above all that had been told by then.
        """
        highest = _Highest(self.told)
        befores = (highest.before(operation) for operation in unsettled)
        floors = sorted(before[0] if before else 0 for before in befores)
        unexplained: list[int] = []
        # Whoever can have had a number can have had each higher one: the lowest goes first.
        for place, number in enumerate(self.missing(last)):
            if bisect_left(floors, number) <= place - len(unexplained):
                unexplained.append(number)
        return unexplained

    def _by_number(self) -> Mapping[int, Sequence[Operation]]:
        grouped: dict[int, list[Operation]] = defaultdict(list)
        for number, operation in self.told:
            grouped[number].append(operation)
        return grouped


class _Highest:
    """The highest number that had been told when an operation began."""

    def __init__(self, told: Iterable[tuple[int, Operation]]) -> None:
        self._ends: list[int] = []
        self._highest: list[tuple[int, Operation]] = []
        ended = ((one.end, number, one) for number, one in told if one.end is not None)
        for end, number, operation in sorted(ended, key=lambda one: one[0]):
            if not self._highest or number > self._highest[-1][0]:
                self._ends.append(end)
                self._highest.append((number, operation))

    def before(self, operation: Operation) -> tuple[int, Operation] | None:
        place = bisect_left(self._ends, operation.begin)
        return self._highest[place - 1] if place else None
