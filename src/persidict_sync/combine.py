"""Several threads' wishes in one request: whoever is free takes along all that are waiting."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from persidict import BackendError, NonEmptySafeStrTuple, OutcomeUnknownError
from persidict.clock import Clock

WishT = TypeVar("WishT")
AnswerT = TypeVar("AnswerT")

LOOK_AGAIN: Final = 0.5
"""Seconds after which those who wait look for themselves: who was interrupted may not wake them."""


class _Ticket(Generic[WishT, AnswerT]):
    """One caller's wish, and whether its caller is still there."""

    def __init__(self, wish: WishT) -> None:
        self.wish: Final = wish
        # Held by a `with` as long as the caller is there. The interpreter looks for interrupts
        # neither between acquiring and entering, nor between leaving and releasing, so that no
        # interrupt leaves it held; which can be said of no flag, and of no other way to acquire.
        self.presence: Final = threading.Lock()
        self.batch: _Batch[WishT, AnswerT] | None = None
        self._bell: Final = threading.Lock()
        self._bell.acquire()

    def wait(self, seconds: float) -> None:
        self._bell.acquire(timeout=min(seconds, LOOK_AGAIN))

    def wake(self) -> None:
        """With the queue's lock."""
        if self._bell.locked():
            self._bell.release()


class _Batch(Generic[WishT, AnswerT]):
    """What one caller asks for all at once, and what came of it."""

    def __init__(self, leader: _Ticket[WishT, AnswerT]) -> None:
        self.leader: Final = leader
        self.tickets: tuple[_Ticket[WishT, AnswerT], ...] = ()
        self.outcome: Sequence[AnswerT] | Exception | None = None

    @property
    def is_led(self) -> bool:
        return self.leader.presence.locked()

    @property
    def is_over(self) -> bool:
        return self.outcome is not None or not self.is_led


class _Queue(Generic[WishT, AnswerT]):
    def __init__(self) -> None:
        self.pid: Final = os.getpid()
        # Reentrant, for what a signal's handler does in a thread that has it.
        self.lock: Final = threading.RLock()
        self.waiting: list[_Ticket[WishT, AnswerT]] = []
        self.batch: _Batch[WishT, AnswerT] | None = None

    def last(self) -> _Ticket[WishT, AnswerT] | None:
        there = self.present()
        return there[-1] if there else None

    def present(self) -> tuple[_Ticket[WishT, AnswerT], ...]:
        return tuple(ticket for ticket in self.waiting if ticket.presence.locked())

    def begin(self, leader: _Ticket[WishT, AnswerT]) -> _Batch[WishT, AnswerT]:
        """With the lock. Interrupted before its last step, it has taken nobody along."""
        self.batch = batch = _Batch(leader)
        batch.tickets = self.present()
        for ticket in batch.tickets:
            ticket.batch = batch
        self.waiting = [ticket for ticket in self.present() if ticket.batch is not batch]
        return batch

    def wake(self, left: _Ticket[WishT, AnswerT]) -> None:
        """Wake all for whom it matters that one has left."""
        with self.lock:
            if left.batch is not None and left.batch.leader is left:
                for ticket in left.batch.tickets:
                    ticket.wake()
            if (last := self.last()) is not None:
                last.wake()


class Combiner(Generic[WishT, AnswerT]):
    """Fulfils the wishes of all threads that wait, in one call by one of them.

    Each caller gets its own answer. An error reaches all who took part in the call. Nobody waits
    beyond its deadline for a call that another thread makes.

    Args:
        fulfil: Gets wishes in the order in which they came, and the deadline; returns an answer
            to each. It is never called twice at the same time.
        key: Of the record, for errors to name.
        clock: What is asked for the time.
    """

    def __init__(
        self,
        fulfil: Callable[[Sequence[WishT], float], Sequence[AnswerT]],
        *,
        key: NonEmptySafeStrTuple,
        clock: Clock,
    ) -> None:
        self._fulfil = fulfil
        self._key = key
        self._clock = clock
        self._queue: _Queue[WishT, AnswerT] = _Queue()

    def answer(self, wish: WishT, *, deadline: float) -> AnswerT:
        """The answer to a wish, by the deadline on the clock's monotonic scale.

        Raises:
            BackendError: The deadline passed while another thread was waiting for the store, and
                nothing was done.
            OutcomeUnknownError: It passed while another thread was at it, or that was interrupted.
            Exception: What the call raised.
        """
        queue = self._of_this_process()
        mine: _Ticket[WishT, AnswerT] = _Ticket(wish)
        try:
            with mine.presence:
                batch = self._batch_of(queue, mine, deadline=deadline)
                if batch.leader is mine:
                    self._lead(batch, deadline=deadline)
                return self._answer_to(mine)
        finally:
            queue.wake(mine)

    def _of_this_process(self) -> _Queue[WishT, AnswerT]:
        # A forked child inherits a lock, and perhaps a leader, that nobody there will release.
        if self._queue.pid != os.getpid():
            self._queue = _Queue()
        return self._queue

    def _batch_of(
        self, queue: _Queue[WishT, AnswerT], mine: _Ticket[WishT, AnswerT], *, deadline: float
    ) -> _Batch[WishT, AnswerT]:
        """One that is over and has the wish in it, or one that is to be led."""
        with queue.lock:
            queue.waiting.append(mine)
        while True:
            with queue.lock:
                left = deadline - self._clock.monotonic()
                if mine not in queue.waiting:
                    assert mine.batch is not None
                    if mine.batch.is_over:
                        return mine.batch
                    if left <= 0:
                        raise self._unknown("the time was up while another thread was at it")
                # The last one leads, so that its deadline is the latest of all that it takes along.
                elif (queue.batch is None or not queue.batch.is_led) and queue.last() is mine:
                    return queue.begin(mine)
                elif left <= 0:
                    queue.waiting.remove(mine)
                    raise self._not_done()
            mine.wait(left)

    def _lead(self, batch: _Batch[WishT, AnswerT], *, deadline: float) -> None:
        try:
            batch.outcome = self._fulfil([ticket.wish for ticket in batch.tickets], deadline)
        except Exception as error:  # noqa: BLE001 - each of the batch raises it
            batch.outcome = error

    def _answer_to(self, mine: _Ticket[WishT, AnswerT]) -> AnswerT:
        batch = mine.batch
        assert batch is not None
        if batch.outcome is None:
            raise self._unknown("the thread that was at it was interrupted")
        if not isinstance(batch.outcome, Exception):
            return batch.outcome[batch.tickets.index(mine)]
        if batch.leader is mine:
            raise batch.outcome
        # Each thread raises an object of its own: tracebacks are written into it.
        raise copy.copy(batch.outcome) from batch.outcome

    def _not_done(self) -> BackendError:
        return BackendError(
            f"The record {self._key!r} was not changed: another thread's update of it has not "
            "ended in time. Check the store and the network.",
            backend="record",
            operation="update",
            key=self._key,
        )

    def _unknown(self, why: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"The update of the record {self._key!r} may or may not have been applied: {why}. Read "
            "it and decide; repeating the update blindly may apply it twice.",
            backend="record",
            operation="update",
            key=self._key,
            actual_etag=None,
        )
