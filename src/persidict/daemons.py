"""Threads that wait for no end of the interpreter, for what may hang."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from math import inf
from queue import Empty, SimpleQueue
from typing import Final, TypeAlias

THREAD: Final = "persidict"

Action: TypeAlias = Callable[[], object]


class Daemons:
    """Daemon threads, started when needed, up to a number if one is given."""

    def __init__(self, most: float = inf) -> None:
        self._tasks: SimpleQueue[Action] = SimpleQueue()
        # A signal's handler may submit while its own thread is in here: a queue may be interrupted
        # anywhere, a semaphore may not.
        self._idle: SimpleQueue[None] = SimpleQueue()
        self._lock = threading.RLock()
        self._most = most
        self._started = 0

    def submit(self, action: Action) -> bool:
        """Have an action done as soon as a thread is free; what it raises is logged.

        Returns:
            Whether one may ever be; if not, none can be started any more, and none ever was.
        """
        # Before it is asked who is idle: whoever becomes idle from now on has seen it.
        self._tasks.put(action)
        with suppress(Empty):
            self._idle.get_nowait()
            return True
        with self._lock:
            if self._started < self._most and start(self._work):
                self._started += 1
            return self._started > 0

    def ensure(self, threads: int) -> bool:
        """Have so many threads started, while that can be done; whether they are."""
        with self._lock:
            return self._have_started(threads)

    def _have_started(self, threads: int) -> bool:
        # Not written out under the lock: where CPython 3.12 and 3.13 jump back from a condition,
        # an interrupt would leave that locked.
        while self._started < threads and start(self._work):
            self._started += 1
        return self._started >= threads

    def _work(self) -> None:
        while True:
            try:
                action = self._tasks.get_nowait()
            except Empty:
                self._idle.put(None)
                action = self._tasks.get()
            attempt(action)
            # A thread's locals live on while it waits.
            del action


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
