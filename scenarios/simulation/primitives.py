"""Locks, events, queues and threads of simulated processes.

A simulated thread that waits lets the others run, and its timeout is of simulated time. Nothing is
held over what does not wait, so most of what real ones guard against cannot happen here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from scenarios.simulation.scheduler import Scheduler, Task


class _Waiting:
    """Tasks that wait for something, the first one first."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._tasks: deque[Task] = deque()

    def wait(self, timeout: float | None) -> bool:
        """Whether this task was woken before the timeout, in seconds of its own machine."""
        task = self._scheduler.current
        self._tasks.append(task)
        until = None if timeout is None else task.host.clock.due_in(timeout)
        if self._scheduler.wait(until) or task not in self._tasks:
            # Not there any more: woken at the same moment, by one whose turn came before.
            return True
        self._tasks.remove(task)
        return False

    def wake(self, most: int) -> None:
        while self._tasks and most:
            most -= 1
            self._scheduler.wake(self._tasks.popleft())


class Lock:
    """Of `threading`: a lock that no task owns."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._is_held = False
        self._waiting = _Waiting(scheduler)

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
        """Whether it was acquired."""
        while self._is_held:
            if not blocking or not self._waiting.wait(None if timeout < 0 else timeout):
                return False
            # Whoever came meanwhile may have taken it; what is left of the timeout is not worth it.
        self._is_held = True
        return True

    def release(self) -> None:
        """Let one who waits have it."""
        self._is_held = False
        self._waiting.wake(1)

    def locked(self) -> bool:
        """Whether it is held."""
        return self._is_held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class RLock:
    """Of `threading`: a lock that its owner can acquire again."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._owner: Task | None = None
        self._count = 0
        self._waiting = _Waiting(scheduler)

    def __enter__(self) -> bool:
        me = self._scheduler.current
        while self._owner not in (None, me):
            self._waiting.wait(None)
        self._owner = me
        self._count += 1
        return True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._count -= 1
        if not self._count:
            self._owner = None
            self._waiting.wake(1)


class Condition:
    """Of `threading`: its lock is held over nothing that waits, so it needs none."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._waiting = _Waiting(scheduler)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it was notified before the timeout."""
        return self._waiting.wait(timeout)

    def notify(self, n: int = 1) -> None:
        """Wake some."""
        self._waiting.wake(n)

    def notify_all(self) -> None:
        """Wake all."""
        self._waiting.wake(-1)


class Semaphore:
    """Of `threading`."""

    def __init__(self, value: int, scheduler: Scheduler) -> None:
        self._value = value
        self._waiting = _Waiting(scheduler)

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002
        """Whether it was acquired."""
        while not self._value:
            if not blocking or not self._waiting.wait(timeout):
                return False
        self._value -= 1
        return True

    def release(self) -> None:
        """Let one who waits have it."""
        self._value += 1
        self._waiting.wake(1)


class Event:
    """Of `threading`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._is_set = False
        self._waiting = _Waiting(scheduler)

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._is_set

    def set(self) -> None:
        """Set it, and wake all who wait."""
        self._is_set = True
        self._waiting.wake(-1)

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it is set by the timeout."""
        if not self._is_set:
            self._waiting.wait(timeout)
        return self._is_set


class Thread:
    """Of `threading`: a task of the process whose task starts it."""

    def __init__(
        self,
        scheduler: Scheduler,
        target: Callable[[], object],
        name: str = "",  # noqa: ARG002
        daemon: bool = True,  # noqa: ARG002, FBT001, FBT002
    ) -> None:
        self._scheduler = scheduler
        self._target = target
        self._task: Task | None = None

    def start(self) -> None:
        """Start it."""
        self._task = self._scheduler.current.host.spawn(self._target)

    def is_alive(self) -> bool:
        """Whether it is running."""
        return self._task is not None and not self._task.is_done


class SimpleQueue:
    """Of `queue`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._items: deque[Any] = deque()
        self._waiting = _Waiting(scheduler)

    def put(self, item: object) -> None:
        """Put something in."""
        self._items.append(item)
        self._waiting.wake(1)

    def get(self) -> Any:
        """Take the next one, and wait until there is one."""
        while not self._items:
            self._waiting.wait(None)
        return self._items.popleft()

    def qsize(self) -> int:
        """How many are in it."""
        return len(self._items)


class Local:
    """Of `threading`: attributes that each task has of its own."""

    def __init__(self, scheduler: Scheduler) -> None:
        object.__setattr__(self, "_scheduler", scheduler)
        object.__setattr__(self, "_attributes", {})

    def __getattr__(self, name: str) -> Any:
        try:
            return self._attributes[self._scheduler.current][name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: object) -> None:
        self._attributes.setdefault(self._scheduler.current, {})[name] = value
