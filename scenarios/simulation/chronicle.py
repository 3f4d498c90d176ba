"""What is written down of a run while it goes on: its history."""

from __future__ import annotations

import itertools
from typing import Any, Final

from scenarios.simulation.scheduler import Scheduler

Line = tuple[float, str, str, dict[str, Any]]


class Chronicle:
    """The events of one run.

    Args:
        scheduler: Whose time it is.

    Attributes:
        lines: The events, in the order of true time.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._calls = itertools.count(1)
        self.lines: Final[list[Line]] = []

    def log(self, actor: str, event: str, /, **fields: Any) -> None:
        """Write down an event of now."""
        self.lines.append((self._scheduler.now, actor, event, fields))

    def call(self, actor: str, object: str, op: str, args: dict[str, Any]) -> int:  # noqa: A002
        """Write down that an operation begins; its identity."""
        call = next(self._calls)
        self.log(actor, "call", id=call, object=object, op=op, args=args)
        return call
