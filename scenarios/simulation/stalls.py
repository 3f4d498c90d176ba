"""Copies of writes that are still on their way when their senders have given them up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass
class Stalled:
    """One copy.

    Attributes:
        come: Lets it arrive, if it has not.
        not_before: When it may arrive at the earliest.
        not_after: When it will have arrived.
        spared: How many other writes may arrive before it.
    """

    come: Callable[[], object]
    not_before: float
    not_after: float
    spared: int


class Stalls:
    """All of a run, by the object that they write."""

    def __init__(self) -> None:
        self._copies: Final[dict[str, list[Stalled]]] = {}

    def add(self, name: str, copy: Stalled) -> None:
        """Remember a copy."""
        self._copies.setdefault(name, []).append(copy)

    def overtake(self, name: str, *, now: float) -> None:
        """Let those arrive that get ahead of a write which arrives now.

        That is when they do most harm: whoever has looked for them did not find them.
        """
        copies = self._copies.pop(name, None)
        if copies is None:
            return
        left = []
        for copy in copies:
            if now < copy.not_before:
                left.append(copy)
            elif copy.spared:
                copy.spared -= 1
                left.append(copy)
            elif now < copy.not_after:
                copy.come()
        if left:
            self._copies[name] = left
