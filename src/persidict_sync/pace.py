"""How long things take on average."""

from __future__ import annotations


class Pace:
    """How long something takes on average, in seconds."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def add(self, seconds: float) -> None:
        """Count one time more."""
        self._sum += seconds
        self._count += 1

    @property
    def mean(self) -> float:
        """Of all times so far; 0 if there were none."""
        return self._sum / self._count if self._count else 0.0
