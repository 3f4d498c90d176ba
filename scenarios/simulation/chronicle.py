"""What is written down of a run while it goes on: its history."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from scenarios.simulation.scheduler import Scheduler

Line = tuple[float, str, str, dict[str, Any]]


class Chronicle:
    """The events of one run.

    Args:
        scheduler: Whose time it is.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._calls = itertools.count(1)
        self._lines: list[Line] = []

    @property
    def now(self) -> float:
        """True time."""
        return self._scheduler.now

    def log(self, actor: str, event: str, /, **fields: Any) -> None:
        """Write down an event of now."""
        self._lines.append((self._scheduler.now, actor, event, fields))

    def log_at(self, at: float, actor: str, event: str, /, **fields: Any) -> None:
        """Write down an event of a time that may lie before now."""
        self._lines.append((at, actor, event, fields))

    def call(self, actor: str, object: str, op: str, args: dict[str, Any]) -> int:  # noqa: A002
        """Write down that an operation begins; its identity."""
        call = next(self._calls)
        self.log(actor, "call", id=call, object=object, op=op, args=args)
        return call

    def lines(self) -> Sequence[Line]:
        """All events, in the order of true time."""
        return sorted(self._lines, key=lambda line: line[0])
