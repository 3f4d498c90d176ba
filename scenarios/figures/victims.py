"""Processes that are killed in the middle of what they do, at whichever point that is."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from persidict import BackendError, ConcurrencyConflictError
from persidict.clock import SYSTEM_CLOCK
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost
from persidict_sync.held import Held
from scenarios.figures.figure import Plant
from scenarios.figures.places import Place

PERMITS = 3
HELD = "held"
RENEWED = "renewed"
LOST = "lost"
BEGUN = "begun"

_LONGEST_PAUSE = 0.05


@dataclass(frozen=True)
class Told:
    """What a process has told before it was killed.

    Attributes:
        what: That it holds, has renewed or lost what it wanted, or that it has begun.
        at: Before it asked for that, on this machine's clock.
        token: Of what it holds.
    """

    what: str
    at: float
    token: int = 0


def hold_lease(place: Place, name: str, ttl: float, line: Connection) -> None:
    """Hold a lease, and renew it all the time."""
    _hold(Coordinator(place.open(), timeout=ttl).lease(name, ttl=ttl).acquire, line)


def hold_permit(place: Place, name: str, ttl: float, line: Connection) -> None:
    """Hold one of a semaphore's permits, and renew it all the time."""
    _hold(Coordinator(place.open(), timeout=ttl).semaphore(name, PERMITS, ttl=ttl).acquire, line)


def _hold(acquire: Callable[[], Held], line: Connection) -> None:
    sent, rng = SYSTEM_CLOCK.monotonic(), random.Random()
    held = acquire()
    line.send(Told(HELD, at=sent, token=held.token))
    while True:
        with suppress(BackendError, ConcurrencyConflictError):
            sent = SYSTEM_CLOCK.monotonic()
            try:
                held.renew()
            except LeaseLost:
                line.send(Told(LOST, at=sent))
                return
            line.send(Told(RENEWED, at=sent))
        time.sleep(rng.choice((0.0, rng.uniform(0.0, _LONGEST_PAUSE))))


def run_tasks(place: Place, work: Work, line: Connection) -> None:
    """Run what nobody else has claimed."""
    claims = Coordinator(place.open()).claims(work.name, ttl=work.ttl)
    line.send(Told(BEGUN, at=SYSTEM_CLOCK.monotonic()))
    claims.run(work.start().run, work.tasks)


@dataclass(frozen=True)
class Work:
    """Tasks that several share.

    Args:
        name: Of the claims.
        ttl: After so many seconds without a sign their owner counts as dead.
        count: How many there are.
        begun: Where each that begins appends a line, which no kill takes back.
    """

    name: str
    ttl: float
    count: int
    begun: Path

    @property
    def tasks(self) -> list[str]:
        """What they are called."""
        return [f"task-{number}" for number in range(self.count)]

    def start(self) -> Task:
        """What runs them."""
        return Task(self.begun)


class Task:
    """What is run: it notes first that it has begun.

    Args:
        begun: Where.
    """

    def __init__(self, begun: Path) -> None:
        self._file = os.open(begun, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def run(self, task: str) -> str:
        """Begin, and take a moment."""
        os.write(self._file, f"{task}\n".encode())
        time.sleep(0.002)
        return task


def victim(plant: Plant | None, function: Callable[..., None], *args: object) -> None:
    """The main function of a process that is to be killed."""
    if plant is not None:
        plant()
    function(*args)
