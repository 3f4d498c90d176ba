"""What stands in for `threading` and `queue` while the real code runs in simulated threads."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, Final

import persidict_sync
from persidict import daemons
from scenarios.simulation.primitives import (
    Condition,
    Event,
    Local,
    Lock,
    RLock,
    Semaphore,
    SimpleQueue,
    Thread,
)
from scenarios.simulation.scheduler import Scheduler

MODULES: Final[Sequence[Any]] = [
    daemons,
    *(
        importlib.import_module(found.name)
        for found in pkgutil.iter_modules(persidict_sync.__path__, "persidict_sync.")
    ),
]
"""Where the product starts threads and waits for them."""


class Threading:
    """The part of the module `threading` that the product uses."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def Lock(self) -> Lock:  # noqa: N802
        """A lock."""
        return Lock(self._scheduler)

    def RLock(self) -> RLock:  # noqa: N802
        """A lock that its owner can acquire again."""
        return RLock(self._scheduler)

    def Condition(self) -> Condition:  # noqa: N802
        """A condition."""
        return Condition(self._scheduler)

    def Semaphore(self, value: int = 1) -> Semaphore:  # noqa: N802
        """A semaphore."""
        return Semaphore(value, self._scheduler)

    def Event(self) -> Event:  # noqa: N802
        """An event."""
        return Event(self._scheduler)

    def Thread(self, **settings: Any) -> Thread:  # noqa: N802
        """A thread."""
        return Thread(self._scheduler, **settings)

    def local(self) -> Local:
        """Attributes that each thread has of its own."""
        return Local(self._scheduler)

    def get_ident(self) -> int:
        """The identity of this thread."""
        return self._scheduler.current.number


@contextmanager
def simulated(scheduler: Scheduler) -> Iterator[None]:
    """Have the product's threads, locks and queues be those of a scheduler."""
    threading = Threading(scheduler)
    stand_ins = {
        "threading": threading,
        "SimpleQueue": lambda: SimpleQueue(scheduler),
        # The heartbeat of each clock, which ends with the run.
        "_running": {},
        # No simulated machine sleeps while its clock goes on, so nothing must look for that.
        "LONGEST_PAUSE": inf,
    }
    real = [
        (module, name, getattr(module, name))
        for module in MODULES
        for name in stand_ins
        if hasattr(module, name)
    ]
    for module, name, _ in real:
        setattr(module, name, stand_ins[name])
    try:
        yield
    finally:
        for module, name, before in real:
            setattr(module, name, before)
