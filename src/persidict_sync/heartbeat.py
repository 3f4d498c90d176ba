"""The one scheduler of a process: it renews all leases, and tells each of them when it is over.

Its thread never does I/O and calls no code of a user's, so nothing delays a deadline. Renewals run
on a few workers for each coordinator, so that one which hangs does not delay the others, and those
of another store never. Letting go has threads of its own, and waits behind no renewal. All threads
are daemons.
"""

from __future__ import annotations

import atexit
import heapq
import itertools
import os
import sys
import threading
import weakref
from collections import Counter, deque
from collections.abc import Collection, Hashable
from contextlib import suppress
from operator import itemgetter
from typing import Final, Protocol

from persidict.clock import SYSTEM_CLOCK, Clock, SystemClock
from persidict.daemons import Action, Daemons, attempt, start
from persidict_sync.lanes import Lanes
from persidict_sync.resident import Resident

WORKERS: Final = 8
"""So many renewals of one coordinator are under way at once."""
LONGEST_PAUSE: Final = 1.0
"""A condition's timeout does not run on through suspend, as the clock does."""
EXIT_SECONDS: Final = 5.0
"""How long the end of the interpreter may be delayed."""


class Beating(Protocol):
    """What a heartbeat keeps alive."""

    @property
    def context(self) -> Hashable:
        """Whose it is: what is of one may have to wait for what hangs of the same one."""

    def next_due(self) -> float | None:
        """When it is to be attended to, on the monotonic scale; None: never again. Never blocks."""

    def on_due(self) -> Action | None:
        """Attend to it; what must be done by a worker, if anything. Never blocks nor raises."""

    def on_fork(self) -> None:
        """This is a forked child's copy."""

    def let_go(self) -> None:
        """Give back what is held, as well as possible. Never raises."""


class Heartbeat(Resident):
    """The scheduler for one clock; `heartbeat_for` gives it.

    Threads run by the system's clock only, a `SystemClock` or what derives from it. With any other,
    as in a test or a simulation, nothing happens by itself: `run_due` does what is due.
    """

    def __init__(self, clock: Clock) -> None:
        self.is_by_hand: Final = not isinstance(clock, SystemClock)
        self._clock: Final = clock
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        self._due: dict[Beating, float] = {}
        self._queue: list[tuple[float, int, Beating]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._is_running = False
        self._holding: Counter[Hashable] = Counter()
        self._workers = Lanes(WORKERS)
        self._leavers = Daemons()

    def members(self) -> list[Beating]:
        """All that it keeps alive."""
        with self._changed:
            return list(self._due)

    def get_ready(self, context: Hashable) -> None:
        """Start the threads that something of this coordinator needs; before it is acquired.

        Raises:
            RuntimeError: None can be started, so nothing can be held.
        """
        if self.is_by_hand:
            return
        with self._changed:
            _release_at_the_end_of_a_child()
            self._is_running = self._is_running or start(self._run)
            if not (self._is_running and self._workers.ensure(1) and self._leavers.ensure(1)):
                raise RuntimeError("no thread can be started to renew leases, so none can be held")
            # At interpreter exit no thread can be started any more, and each coordinator needs one
            # to release, whatever becomes of the others'.
            self._leavers.ensure(len(self._holding | Counter([context])))

    def schedule(self, one: Beating) -> None:
        """Attend to it when it says so; called again whenever that has changed.

        Raises:
            RuntimeError: It is new, and no thread can be started; it is not kept.
        """
        with self._changed:
            # Asked under the lock: the last to schedule must be the last to have asked.
            due = one.next_due()
            if due is None:
                self._forget(one)
                self._compact()
                return
            if one not in self._due:
                self.get_ready(one.context)
                self._holding[one.context] += 1
            self._due[one] = due
            heapq.heappush(self._queue, (due, next(self._numbers), one))
            self._compact()
            if not self.is_by_hand:
                self._changed.notify()

    def _forget(self, one: Beating) -> None:
        if self._due.pop(one, None) is None:
            return
        self._holding[one.context] -= 1
        if not self._holding[one.context]:
            del self._holding[one.context]

    def run_due(self) -> None:
        """Do all that is due by now, renewals as well, in this thread."""
        while (one := self._pop()) is not None:
            work = one.on_due()
            if work is not None:
                work()
            self.schedule(one)

    def tell(self, action: Action) -> None:
        """Run code of a user's, which may take its time, where it delays nobody."""
        if self.is_by_hand:
            action()
        elif not start(action):
            self._leavers.submit(action)

    def let_go(self, members: Collection[Beating], *, within: float) -> None:
        """Have all of them let go at once, and wait for it so many seconds at most."""
        if self.is_by_hand:
            for one in members:
                one.let_go()
            return
        done = threading.Semaphore(0)
        groups: dict[Hashable, deque[Beating]] = {}
        for one in members:
            groups.setdefault(one.context, deque()).append(one)
        shares = [(number, group) for group in groups.values() for number in range(len(group))]
        # One thread for each coordinator comes first: there may be no more.
        for number, group in sorted(shares, key=itemgetter(0)):
            if number < WORKERS:
                self._leavers.submit(_letting_go(group, done))
        end = SYSTEM_CLOCK.monotonic() + within
        for _ in members:
            if not done.acquire(timeout=max(0.0, end - SYSTEM_CLOCK.monotonic())):
                return

    def _run(self) -> None:
        while True:
            with self._changed:
                while (one := self._pop()) is None:
                    self._changed.wait(self._pause())
            work = one.on_due()
            if work is not None:
                self._workers.submit(self._and_schedule(one, work), lane=one.context)
            self.schedule(one)
            # A thread's locals live on while it waits.
            del one, work

    def _and_schedule(self, one: Beating, work: Action) -> Action:
        def run() -> None:
            attempt(work)
            self.schedule(one)

        return run

    def _pop(self) -> Beating | None:
        with self._changed:
            while self._queue and self._queue[0][0] <= self._clock.monotonic():
                due, _, one = heapq.heappop(self._queue)
                if self._due.get(one) == due:
                    return one
            return None

    def _pause(self) -> float | None:
        if not self._queue:
            return None
        return min(LONGEST_PAUSE, max(0.0, self._queue[0][0] - self._clock.monotonic()))

    def _compact(self) -> None:
        if not self._due or len(self._queue) > 2 * len(self._due) + 64:
            self._queue = [entry for entry in self._queue if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._queue)

    def after_fork(self) -> None:
        """Nothing that the parent holds is held by the child."""
        inherited = list(self._due)
        self._begin()
        for one in inherited:
            one.on_fork()


def _letting_go(group: deque[Beating], done: threading.Semaphore) -> Action:
    def run() -> None:
        # Whoever else lets the group go may be faster.
        with suppress(IndexError):
            while True:
                attempt(group.popleft().let_go)
                done.release()

    return run


_all: Final[weakref.WeakSet[Heartbeat]] = weakref.WeakSet()
_running: Final[dict[Clock, Heartbeat]] = {}


def heartbeat_for(clock: Clock) -> Heartbeat:
    """The heartbeat of this process for a system's clock; a new one for any other."""
    if type(clock) is SystemClock:
        # All of them show the same time.
        clock = SYSTEM_CLOCK
    made = Heartbeat(clock)
    return made if made.is_by_hand else _running.setdefault(clock, made)


_LAST: Final = -1_000
"""After all else that a child of multiprocessing does at its end."""
_has_finalizer = False


def _release_at_the_end_of_a_child() -> None:
    """Children of multiprocessing end by `os._exit`, and have an `atexit` of their own."""
    global _has_finalizer  # noqa: PLW0603 - once for each process
    processes = sys.modules.get("multiprocessing.process")
    if _has_finalizer or processes is None or processes.parent_process() is None:
        return
    from multiprocessing.util import Finalize

    _has_finalizer = True
    Finalize(None, _at_end_of_child, exitpriority=_LAST)


def _at_end_of_child() -> None:
    # As an interpreter does before `atexit`, and such a child just after this, or before it from
    # Python 3.13 on: threads that are no daemons may need what is held.
    ending = (threading.current_thread(), threading.main_thread())
    for thread in threading.enumerate():
        if not thread.daemon and thread not in ending:
            thread.join()
    _at_exit()


def _after_fork() -> None:
    global _has_finalizer  # noqa: PLW0603 - a child of multiprocessing forgets its parent's
    _has_finalizer = False
    for heartbeat in list(_all):
        heartbeat.after_fork()


def _at_exit() -> None:
    for heartbeat in _running.values():
        heartbeat.let_go(heartbeat.members(), within=EXIT_SECONDS)


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
