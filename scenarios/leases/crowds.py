"""How many believed at once to hold something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scenarios.leases.beliefs import Belief


@dataclass(frozen=True)
class Crowd:
    """Those who held at the moment when the last of them had acquired.

    Attributes:
        members: They, the newest last.
        seconds: For how long they all held.
    """

    members: Sequence[Belief]
    seconds: float

    def __str__(self) -> str:
        held = ", ".join(f"{belief.worker} under token {belief.token}" for belief in self.members)
        return f"{len(self.members)} at once for {self.seconds:.3f} s: {held}"


def crowds(beliefs: Iterable[Belief]) -> Iterator[Crowd]:
    """Who held together with each that began, in the order of their beginnings.

    One that ends at the moment at which another begins does not hold together with it.
    """
    current: list[Belief] = []
    for belief in sorted(beliefs, key=lambda belief: belief.begins):
        current = [one for one in current if one.ends > belief.begins]
        if belief.ends > belief.begins:
            current.append(belief)
            end = min(one.ends for one in current)
            yield Crowd(tuple(current), end - belief.begins)
