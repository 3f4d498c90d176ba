"""Threads that wait for no end of the interpreter, for what may hang."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from math import inf
from queue import Empty, SimpleQueue
from typing import Final, TypeAlias

THREAD: Final = "persidict"

Action: TypeAlias = Callable[[], object]


class Daemons:
    """Daemon threads, started when needed, up to a number if one is given."""

    def __init__(self, most: float = inf) -> None:
        # No locks: a signal's handler may submit while its own thread is in here, and wait for a
        # thread that would wait for the lock. What is done to these takes effect at once.
        self._tasks: SimpleQueue[Action] = SimpleQueue()
        self._idle: set[object] = set()
        self._started: list[object] = []
        self._seats = None if most == inf else _seats(int(most))

    def submit(self, action: Action) -> bool:
        """Have an action done as soon as a thread is free; what it raises is logged.

        Returns:
            Whether one may ever be; if not, none can be started any more, and none ever was.
        """
        self._tasks.put(action)
        self._see_to_tasks()
        return bool(self._started)

    def ensure(self, threads: int) -> bool:
        """Have so many threads started, while that can be done; whether they are."""
        while len(self._started) < threads and self._has_started_one():
            pass
        return len(self._started) >= threads

    def _see_to_tasks(self) -> None:
        if self._tasks.qsize() > len(self._idle):
            self._has_started_one()

    def _has_started_one(self) -> bool:
        try:
            seat = object() if self._seats is None else self._seats.get_nowait()
        except Empty:
            return False
        # As one that is idle: what it is started for counts on it.
        self._idle.add(seat)
        if start(partial(self._work, seat)):
            self._started.append(seat)
            return True
        self._idle.discard(seat)
        if self._seats is not None:
            self._seats.put(seat)
        return False

    def _work(self, seat: object) -> None:
        while True:
            action = self._tasks.get()
            self._idle.discard(seat)
            # Whoever submitted another one meanwhile took this thread for idle.
            self._see_to_tasks()
            attempt(action)
            # A thread's locals live on while it waits.
            del action
            self._idle.add(seat)


def _seats(number: int) -> SimpleQueue[object]:
    """What a thread takes that is started, where there are to be so many at most."""
    seats: SimpleQueue[object] = SimpleQueue()
    for _ in range(number):
        seats.put(object())
    return seats


def attempt(action: Action) -> None:
    """Do it, and go on if it fails, or would end the thread in silence."""
    try:
        action()
    except (Exception, SystemExit, KeyboardInterrupt):
        # Not a greenlet's own end, which is raised in it.
        logging.getLogger(THREAD).exception("what was done in the background failed")


def start(action: Action) -> bool:
    """Whether the action could be started in a daemon thread of its own."""
    try:
        threading.Thread(target=action, name=THREAD, daemon=True).start()
    except RuntimeError:
        # No more threads: the system has none left, or the interpreter is ending.
        return False
    return True
