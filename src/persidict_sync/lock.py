"""A lock of the fleet, in place of `threading.Lock`."""

from __future__ import annotations

import threading
import weakref
from types import TracebackType
from typing import TypeAlias

from persidict_sync.errors import AcquireTimeout, LeaseLost
from persidict_sync.held import Held
from persidict_sync.lease import Lease
from persidict_sync.resident import Resident


class _Thread:
    """One thread, as long as it lives; the system gives the number of an ended one to another."""


_ThreadRef: TypeAlias = weakref.ref[_Thread]


class Lock(Resident):
    """A lock for all processes of a fleet, with the methods of `threading.Lock`.

    Not guaranteed: that a thread which was frozen for longer than the ttl holds it when it goes
    on. `release` then raises, and `held.token` is what keeps a late write out; see `Held`.

    Guaranteed: what a `Lease` guarantees, for it is one. A thread that has acquired it excludes
    all other threads and processes until it releases it, or its ttl ends without being renewed.

    Args:
        lease: The lease that it is.

    Example:
        >>> from persidict_sync import Coordinator
        >>> lock = Coordinator("memory:").lock("index")
        >>> with lock:
        ...     lock.locked(), lock.acquire(blocking=False)
        (True, False)
        >>> lock.locked()
        False
    """

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._here = threading.local()
        self._helds: dict[_ThreadRef, Held] = {}

    def __repr__(self) -> str:
        return f"<Lock {self._lease.name!r}>"

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.release()
        except LeaseLost:
            # Whoever is told of an error already needs not be told of this one.
            if error is None:
                raise

    @property
    def held(self) -> Held | None:
        """What this thread has acquired, or another holds through this object; else None."""
        mine = self._helds.get(self._this_thread())
        return mine or next(iter(self._alive().values()), None)

    def acquire(
        self,
        blocking: bool = True,  # noqa: FBT001, FBT002 - the signature of threading.Lock
        timeout: float = -1,
    ) -> bool:
        """Acquire it; whether that was done.

        Args:
            blocking: Whether to wait as long as it is held.
            timeout: Seconds to wait at most; -1 for ever.

        Raises:
            ValueError: A timeout without blocking, or a negative one other than -1.
            TypeError: `blocking` is none of True and False, as when a timeout is given first.
            BackendError: The store could not be asked.
            RuntimeError: No thread can be started to renew it; nothing was acquired.
        """
        if blocking not in (True, False):
            raise TypeError(f"blocking must be True or False, not {blocking!r}; timeout comes next")
        if not blocking and timeout != -1:
            raise ValueError("timeout belongs to blocking=True; leave it out")
        if timeout < 0 and timeout != -1:
            raise ValueError(f"timeout must be 0 seconds or more, or -1 for ever; not {timeout!r}")
        held = None
        try:
            held = self._waited(timeout) if blocking else self._lease.try_acquire()
            if held is None:
                return False
            self._forget_the_lost_of_ended_threads()
            self._helds[self._this_thread()] = held
        except BaseException:
            # An interrupt such as Ctrl-C: the caller will not release it.
            if held is not None:
                held.abandon()
            raise
        return True

    def release(self) -> None:
        """Release it; any thread may, as with `threading.Lock`.

        A thread that has acquired it releases its own, and another's only if it has none. So one
        whose own was lost is told, and does not release that of its successor.

        Raises:
            LeaseLost: It was lost before, a `RuntimeError`; by this thread, or by another if none
                holds it through this object.
            RuntimeError: It is not held by any thread through this object.
        """
        held = self._taken() or self._lost_by_another()
        if held is None:
            raise RuntimeError(
                f"the lock {self._lease.name!r} was not acquired through this object"
            )
        held.release()

    def locked(self) -> bool:
        """Whether it is held by anyone, as its record says; one request if not by this process."""
        return bool(self._alive()) or self._lease.holder() is not None

    def _this_thread(self) -> _ThreadRef:
        if not hasattr(self._here, "thread"):
            self._here.thread = _Thread()
        return weakref.ref(self._here.thread)

    def _taken(self) -> Held | None:
        """This thread's own, or else one that another holds, to be released by the caller."""
        for thread in (self._this_thread(), *self._alive()):
            # Another thread may have taken it just now.
            if (held := self._helds.pop(thread, None)) is not None:
                return held
        return None

    def _lost_by_another(self) -> Held | None:
        """The newest; it stays where it is, for whoever has acquired it to be told as well."""
        lost = [held for held in self._helds.copy().values() if not held.remaining()]
        return max(lost, key=lambda held: held.token, default=None)

    def _alive(self) -> dict[_ThreadRef, Held]:
        """What is held through this object, and was not lost."""
        helds = self._helds.copy()
        return {thread: held for thread, held in helds.items() if held.remaining()}

    def _forget_the_lost_of_ended_threads(self) -> None:
        for thread, held in self._helds.copy().items():
            if thread() is None and not held.remaining():
                self._helds.pop(thread, None)

    def _waited(self, timeout: float) -> Held | None:
        try:
            return self._lease.acquire(None if timeout == -1 else timeout)
        except AcquireTimeout:
            return None
