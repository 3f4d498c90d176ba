"""A lock of the fleet, in place of `threading.Lock`."""

from __future__ import annotations

import threading
from types import TracebackType

from persidict_sync.errors import AcquireTimeout, LeaseLost
from persidict_sync.held import Held
from persidict_sync.lease import Lease


class Lock:
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
        self._helds: dict[int, Held] = {}

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
        """What this thread has acquired, or another thread through this object; else None."""
        thread = self._holding_thread()
        return None if thread is None else self._helds.get(thread)

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
            self._helds[threading.get_ident()] = held
        except BaseException:
            # An interrupt such as Ctrl-C: the caller will not release it.
            if held is not None:
                held.abandon()
            raise
        return True

    def release(self) -> None:
        """Release it; any thread may, as with `threading.Lock`.

        Raises:
            LeaseLost: It was lost before, a `RuntimeError`.
            RuntimeError: It is not held by any thread through this object.
        """
        thread = self._holding_thread()
        held = None if thread is None else self._helds.pop(thread, None)
        if held is None:
            raise RuntimeError(
                f"the lock {self._lease.name!r} was not acquired through this object"
            )
        held.release()

    def locked(self) -> bool:
        """Whether it is held by anyone, as its record says; one request if not by this process."""
        held = self.held
        return (held is not None and held.remaining() > 0) or self._lease.holder() is not None

    def _holding_thread(self) -> int | None:
        me = threading.get_ident()
        if me in self._helds:
            return me
        helds = list(self._helds.items())
        return next((thread for thread, held in helds if held.remaining()), None)

    def _waited(self, timeout: float) -> Held | None:
        try:
            return self._lease.acquire(None if timeout == -1 else timeout)
        except AcquireTimeout:
            return None
