"""What stands in for `threading` and `queue` while the real code runs in simulated threads."""

from __future__ import annotations

import importlib
import pkgutil
import queue
import threading as real_threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
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


class _ByThread:
    """The simulated one to this thread, in which all tasks run, and the real one to all others.

    What an earlier coordinator of this process holds is renewed in threads that nobody simulates.
    """

    def __init__(self, simulated: object, real: object) -> None:
        self._simulated = simulated
        self._real = real
        self._thread = real_threading.get_ident()

    def _chosen(self) -> Any:
        is_ours = real_threading.get_ident() == self._thread
        return self._simulated if is_ours else self._real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chosen(), name)

    def __call__(self) -> Any:
        return self._chosen()()


@contextmanager
def simulated(scheduler: Scheduler) -> Iterator[None]:
    """Have the product's threads, locks and queues be those of a scheduler, in this thread."""
    stand_ins = {
        "threading": _ByThread(Threading(scheduler), real_threading),
        "SimpleQueue": _ByThread(partial(SimpleQueue, scheduler), queue.SimpleQueue),
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
