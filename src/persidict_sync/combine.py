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


class _Ticket(Generic[WishT, AnswerT]):
    def __init__(self, wish: WishT) -> None:
        self.wish: Final = wish
        self.is_done = False
        self.answers: tuple[AnswerT, ...] = ()
        self.error: Exception | None = None

    def result(self, *, is_leader: bool) -> AnswerT:
        if self.error is not None and is_leader:
            raise self.error
        if self.error is not None:
            # Each thread raises an object of its own: tracebacks are written into it.
            raise copy.copy(self.error) from self.error
        return self.answers[0]


class _Queue(Generic[WishT, AnswerT]):
    def __init__(self) -> None:
        self.pid: Final = os.getpid()
        self.changed: Final = threading.Condition()
        self.waiting: list[_Ticket[WishT, AnswerT]] = []
        self.is_busy = False


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
        with queue.changed:
            queue.waiting.append(mine)
            try:
                self._wait(queue, mine, deadline=deadline)
            except BaseException:
                if mine in queue.waiting:
                    queue.waiting.remove(mine)
                    queue.changed.notify_all()
                raise
            if mine.is_done:
                return mine.result(is_leader=False)
            batch, queue.waiting, queue.is_busy = queue.waiting, [], True
        self._lead(queue, batch, deadline=deadline)
        return mine.result(is_leader=True)

    def _of_this_process(self) -> _Queue[WishT, AnswerT]:
        # A forked child inherits a lock, and perhaps a leader, that nobody there will release.
        if self._queue.pid != os.getpid():
            self._queue = _Queue()
        return self._queue

    def _wait(
        self, queue: _Queue[WishT, AnswerT], mine: _Ticket[WishT, AnswerT], *, deadline: float
    ) -> None:
        # The last one leads, so that its deadline is the latest of all that it takes along.
        while not mine.is_done and (queue.is_busy or queue.waiting[-1] is not mine):
            left = deadline - self._clock.monotonic()
            if left > 0:
                queue.changed.wait(left)
            elif mine in queue.waiting:
                raise self._not_done()
            else:
                raise self._unknown("the time was up while another thread was at it")

    def _lead(
        self,
        queue: _Queue[WishT, AnswerT],
        batch: list[_Ticket[WishT, AnswerT]],
        *,
        deadline: float,
    ) -> None:
        error: Exception = self._unknown("the thread that was at it was interrupted")
        answers: Sequence[AnswerT] = ()
        try:
            answers = self._fulfil([ticket.wish for ticket in batch], deadline)
        except Exception as raised:  # noqa: BLE001 - each of the batch raises it
            error = raised
        finally:
            with queue.changed:
                for number, ticket in enumerate(batch):
                    ticket.answers = tuple(answers[number : number + 1])
                    ticket.error = None if ticket.answers else error
                    ticket.is_done = True
                queue.is_busy = False
                queue.changed.notify_all()

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
