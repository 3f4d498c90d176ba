"""Threads for the work of many, of whom none can take those of the others."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Hashable
from functools import partial

from persidict.daemons import Action, Daemons, attempt


class Lanes:
    """Daemon threads, of which each of those who share them has so many at once at most.

    So what hangs delays only what is done for the same one; threads are started when needed, and
    used again by all.
    """

    def __init__(self, width: int) -> None:
        self._daemons = Daemons()
        self._width = width
        self._lock = threading.Lock()
        self._busy: Counter[Hashable] = Counter()
        self._waiting: dict[Hashable, deque[Action]] = {}

    def ensure(self, threads: int) -> bool:
        """Have so many threads started; whether they are."""
        return self._daemons.ensure(threads)

    def submit(self, action: Action, *, lane: Hashable) -> None:
        """Have an action done as soon as the lane is free; what it raises is logged."""
        with self._lock:
            if self._busy[lane] == self._width:
                self._waiting.setdefault(lane, deque()).append(action)
                return
            self._busy[lane] += 1
        self._daemons.submit(partial(self._run, action, lane))

    def _run(self, action: Action | None, lane: Hashable) -> None:
        while action is not None:
            attempt(action)
            action = self._next(lane)

    def _next(self, lane: Hashable) -> Action | None:
        with self._lock:
            if waiting := self._waiting.get(lane):
                return waiting.popleft()
            self._waiting.pop(lane, None)
            self._busy[lane] -= 1
            if not self._busy[lane]:
                del self._busy[lane]
            return None
