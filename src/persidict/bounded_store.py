"""A store of which every request ends in time, however slowly it is answered.

A client's timeouts count for each reading from a socket, so an answer that drips outlives them.
Here a request runs in a thread of its own, which is left behind when the time is up: what it
was to write may still land, so it counts as unaccounted for, like any that was not answered.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, TypeVar, cast

from persidict.daemons import Daemons
from persidict.object_store import NotApplied, ObjectStore, TransientError, Unaccounted
from persidict.store_around import WRITES, StoreAround

T = TypeVar("T")

MOST_IN_FLIGHT: Final = 64
"""So many requests of a process are under way at once, those left behind included."""
SHORTEST: Final = 0.3
"""Seconds that a healthy store's answer may take."""


class NoFreeThreadError(TimeoutError):
    """No thread was free in time, and the request was never sent."""


def request_limit(seconds: float) -> float:
    """What one request may take of a call's seconds: one more must fit in, if not two."""
    return min(max(seconds / 3, min(SHORTEST, seconds / 2)), threading.TIMEOUT_MAX)


class BoundedStore(StoreAround):
    """Another store's verbs; one not answered within `request_timeout` counts as unanswered.

    Args:
        inner: The store.
        seconds: What a call, of several requests, may take.
    """

    def __init__(self, inner: ObjectStore, *, seconds: float) -> None:
        super().__init__(inner)
        limit = request_limit(seconds)
        self.request_timeout = min(limit, inner.request_timeout or limit)

    def within(self, seconds: float) -> ObjectStore:
        return BoundedStore(self.inner, seconds=seconds)

    def pass_on(self, verb: str, request: Callable[[], T]) -> T:
        try:
            return in_time(request, self.request_timeout)
        except NoFreeThreadError as error:
            if verb in WRITES:
                return cast("T", NotApplied(error, conflict=False))
            raise TransientError(str(error)) from error
        except TimeoutError as error:
            if verb in WRITES:
                return cast("T", Unaccounted(error))
            raise TransientError(str(error)) from error


def in_time(request: Callable[[], T], seconds: float) -> T:
    """What `request` returns, or raises, if that is within so many seconds.

    Raises:
        NoFreeThreadError: It has not begun, and never will.
        TimeoutError: It has, and goes on.
    """
    ends: SimpleQueue[Callable[[], T]] = SimpleQueue()
    # Whoever takes the one permission decides: the thread to begin, the caller that it never does.
    permission: SimpleQueue[None] = SimpleQueue()
    permission.put(None)

    def run() -> None:
        if _took(permission):
            ends.put(_end_of(request))

    try:
        if not _daemons.submit(run) and _took(permission):
            # The interpreter is ending, and no thread can be started any more.
            return request()
        return ends.get(timeout=seconds)()
    except Empty:
        if _took(permission):
            raise NoFreeThreadError(
                f"{MOST_IN_FLIGHT} requests are under way, and for {seconds:.1f} s none has ended"
            ) from None
        raise TimeoutError(f"no answer within {seconds:.1f} s") from None
    finally:
        _took(permission)


def _took(permission: SimpleQueue[None]) -> bool:
    try:
        permission.get_nowait()
    except Empty:
        return False
    return True


def _end_of(request: Callable[[], T]) -> Callable[[], T]:
    try:
        result = request()
    except BaseException as raised:  # noqa: BLE001 - raised again in the thread that waits for it
        error = raised

        def fail() -> T:
            raise error

        return fail
    return lambda: result


_daemons = Daemons(MOST_IN_FLIGHT)


def _after_fork() -> None:
    global _daemons  # noqa: PLW0603 - a child has none of its parent's threads
    _daemons = Daemons(MOST_IN_FLIGHT)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
