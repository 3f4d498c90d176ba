"""Has several calls reach a store at the same moment, as far as one process can."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self, TypeVar

from persidict.exceptions import BackendError, ConcurrencyConflictError
from persidict.persi_dict import PersiDict

T = TypeVar("T")

LONGEST_WAIT: Final = 5.0
_EVENT: Final = "before-send.s3"


class Gate:
    """Racers wait for one another just before their first request is sent.

    Over S3 that is when it is put together and signed, which takes longer than to send it; with any
    other store, when it is called.

    Args:
        d: The dictionary that they call; a client of S3 is listened to until the block ends.
        racers: How many at most.
    """

    def __init__(self, d: PersiDict[Any], *, racers: int) -> None:
        client = getattr(d, "s3_client", None)
        self._events = None if client is None else client.meta.events
        self._id = f"persidict-gate-{id(self)}"
        self._pool = ThreadPoolExecutor(racers)
        self._racing = threading.local()

    def __enter__(self) -> Self:
        if self._events is not None:
            self._events.register(_EVENT, self._before_send, unique_id=self._id)
        return self

    def __exit__(self, *_: object) -> None:
        if self._events is not None:
            self._events.unregister(_EVENT, unique_id=self._id)
        self._pool.shutdown()

    def race(self, calls: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """What each of the calls returned, or raised of what is documented."""
        together = threading.Barrier(len(calls))
        return [*self._pool.map(lambda call: self._run(call, together), calls)]

    def _run(self, call: Callable[[], T], together: threading.Barrier) -> T | Exception:
        self._racing.barrier = together
        if self._events is None:
            self._before_send()
        try:
            return call()
        except (BackendError, ConcurrencyConflictError) as error:
            return error
        finally:
            if self._racing.barrier is not None:
                # It has sent nothing: nobody need wait for it.
                together.abort()
            self._racing.barrier = None

    def _before_send(self, **_: object) -> None:
        barrier = getattr(self._racing, "barrier", None)
        self._racing.barrier = None
        if barrier is not None:
            try:
                barrier.wait(LONGEST_WAIT)
            except threading.BrokenBarrierError:
                # Another sends nothing in this race; this one goes on.
                return
