"""A process that is to be killed, as the one that kills it sees it."""

from __future__ import annotations

import threading
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from persidict.clock import SYSTEM_CLOCK
from scenarios.figures.figure import Plant
from scenarios.figures.pool import context
from scenarios.figures.survivors import Wanted
from scenarios.figures.victims import HELD, LOST, RENEWED, Told, victim

NAME: Final = "prey"


class Prey:
    """One process.

    Args:
        wanted: What it is to hold; None if it runs tasks.

    Attributes:
        killed_at: Just after it was killed.
    """

    def __init__(self, wanted: Wanted | None) -> None:
        self.wanted = wanted
        self.killed_at = 0.0
        self._told: list[Told] = []
        self._timer: threading.Timer | None = None

    def start(self, plant: Plant | None, function: Any, *args: Any) -> None:
        """Have it do what is to be interrupted."""
        self._line, there = context().Pipe(duplex=False)
        self._process = context().Process(
            target=victim, args=(plant, function, *args, there), name=NAME, daemon=True
        )
        self._process.start()
        there.close()

    def await_told(self, seconds: float) -> None:
        """Wait until it has told something, or is dead."""
        wait([self._line, self._process.sentinel], seconds)

    def kill_in(self, seconds: float) -> None:
        """Kill it then, if it is not to be killed before."""
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._kill)
            self._timer.start()

    def _kill(self) -> None:
        # Once reaped, its id may be another's.
        if self._process.is_alive():
            self._process.kill()
        self.killed_at = SYSTEM_CLOCK.monotonic()

    def bury(self) -> None:
        """Wait until it is dead, and hear what it has told."""
        assert self._timer is not None
        self._timer.join()
        self._process.join()
        self._told = [*_all(self._line)]
        self._line.close()
        self._process.close()

    @property
    def has_held(self) -> bool:
        """Whether it had what it wanted."""
        return any(told.what == HELD for told in self._told)

    @property
    def has_lost(self) -> bool:
        """Whether it knew that it had lost it."""
        return any(told.what == LOST for told in self._told)

    @property
    def token(self) -> int:
        """Under which token."""
        return max((told.token for told in self._told), default=0)

    @property
    def last_renewal(self) -> float:
        """Before it asked for the last renewal that it knew to have landed."""
        return max(told.at for told in self._told if told.what in (HELD, RENEWED))


def _all(line: Connection) -> Any:
    while line.poll():
        try:
            yield line.recv()
        except (EOFError, OSError):
            return
