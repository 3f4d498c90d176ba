"""The one scheduler: every task's next step, and every request's arrival, in one order of time.

All tasks are greenlets of one thread. A task runs until it sleeps, waits or sends a request; what
runs next is what is due next, so the same schedule gives the same run. No time passes.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from greenlet import GreenletExit, getcurrent, greenlet

if TYPE_CHECKING:
    from scenarios.simulation.host import Host

Action = Callable[[], object]


class Task:
    """One thread of a simulated process.

    Attributes:
        host: The process.
        number: Its identity in this run.
        random: What its requests' fates and its clock's numbers are drawn from.
        step: Which of the plan's steps it is at; None for what runs in the background.
        requests: How many requests it has sent in this step.
    """

    __slots__ = ("_greenlet", "host", "is_done", "number", "random", "requests", "step", "ticket")

    def __init__(self, host: Host, body: Action, *, scheduler: Scheduler, seed: int) -> None:
        self.host = host
        self.number = scheduler.numbered()
        self.random = random.Random(seed)
        self.step: int | None = None
        self.requests = 0
        self.ticket = 0
        self.is_done = False

        def run(_: object) -> None:
            try:
                body()
            except GreenletExit:
                pass
            except BaseException as error:  # noqa: BLE001 - the run reports it
                scheduler.crashes.append((self, error))
            finally:
                self.is_done = True

        self._greenlet = greenlet(run, parent=scheduler.hub)

    def resume(self, *, is_woken: bool) -> None:
        """Run it until it waits again; called by the scheduler alone."""
        self._greenlet.switch(is_woken)

    def kill(self) -> None:
        """End it where it waits; whatever it would still wait for ends it again."""
        if not self.is_done:
            self._greenlet.throw(GreenletExit)
            self.is_done = True


class StuckError(Exception):
    """A run does not come to its end."""


class Scheduler:
    """Whose turn it is.

    Args:
        most_turns: After so many turns the run counts as stuck.

    Attributes:
        now: True time, in seconds.
        task: The task whose turn it is.
        crashes: The tasks that ended with an error.
    """

    def __init__(self, *, most_turns: int) -> None:
        self.now = 0.0
        self.hub: Final = getcurrent()
        self.task: Task | None = None
        self.crashes: list[tuple[Task, BaseException]] = []
        self.turns = 0
        self._most_turns = most_turns
        self._queue: list[tuple[float, int, Task | None, Action | None, int, bool]] = []
        self._numbers = itertools.count()
        self._is_stopping = False
        self._tasks = 0

    def numbered(self) -> int:
        """The next identity of a task."""
        self._tasks += 1
        return self._tasks

    @property
    def current(self) -> Task:
        """The task that asks."""
        assert self.task is not None
        return self.task

    def at(self, when: float, action: Action) -> None:
        """Have something done that is no task's: an arrival, a disruption."""
        heapq.heappush(self._queue, (when, next(self._numbers), None, action, 0, False))

    def start(self, task: Task) -> None:
        """Give a new task its first turn."""
        self._due(self.now, task, is_woken=False)

    def sleep_until(self, when: float) -> None:
        """Let this task's next turn be at a time."""
        task = self.current
        if task.host.is_dead:
            raise GreenletExit
        self._due(when, task, is_woken=False)
        self.hub.switch()

    def wait(self, until: float | None) -> bool:
        """Wait until another task wakes this one, which is true, or until a time."""
        task = self.current
        if task.host.is_dead:
            raise GreenletExit
        if until is not None:
            self._due(until, task, is_woken=False)
        return cast("bool", self.hub.switch())

    def wake(self, task: Task) -> None:
        """Give a waiting task its turn."""
        self._due(self.now, task, is_woken=True)

    def _due(self, when: float, task: Task, *, is_woken: bool) -> None:
        heapq.heappush(self._queue, (when, next(self._numbers), task, None, task.ticket, is_woken))

    def stop(self) -> None:
        """Let `run` return after this turn."""
        self._is_stopping = True

    def run(self) -> None:
        """Give everyone their turns until `stop`, or until nothing is due any more.

        Raises:
            StuckError: There were too many turns.
        """
        queue, pop = self._queue, heapq.heappop
        self._is_stopping = False
        while queue and not self._is_stopping:
            when, number, task, action, ticket, is_woken = pop(queue)
            if task is None:
                self.now = when
                assert action is not None
                action()
                continue
            if task.ticket != ticket or task.is_done:
                continue
            if task.host.paused_until > when:
                later = task.host.paused_until
                heapq.heappush(queue, (later, number, task, None, ticket, is_woken))
                continue
            self.now = when
            self._turn(task, is_woken=is_woken)

    def _turn(self, task: Task, *, is_woken: bool) -> None:
        self.turns += 1
        if self.turns > self._most_turns:
            raise StuckError(f"no end after {self.turns} turns and {self.now:.1f} s")
        task.ticket += 1
        self.task = task
        task.resume(is_woken=is_woken)
        self.task = None

    def kill(self, task: Task) -> None:
        """End a task, as its process's death does."""
        self.task = task
        task.kill()
        self.task = None
