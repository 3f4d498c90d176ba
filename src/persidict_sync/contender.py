"""Contending for what a record lets one, or a few, hold at once; leases and semaphores do."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Final, Generic, TypeVar, Unpack

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict_sync.cell import Cell
from persidict_sync.context import Context
from persidict_sync.errors import AcquireTimeout
from persidict_sync.held import Held
from persidict_sync.lookout import Lookout, Seen
from persidict_sync.ordinary import check_ordinary
from persidict_sync.outcome import Refusal, Refused, Transition, Updated
from persidict_sync.plain import MAX_VALUE_DEPTH, plain
from persidict_sync.resident import Resident
from persidict_sync.state import StateT
from persidict_sync.wait import checked_timeout, poll_until
from persidict_sync.watch import Holding, Terms, Times, Watch

GotT = TypeVar("GotT")


class HoldingSettings(Times, total=False):
    """What may be said of anything that is held; see `Lease`."""

    ttl: float
    on_lost: Callable[[Held], object] | None


class Contender(Resident, ABC, Generic[StateT]):
    """Acquires what a record lets `permits` hold at once, each under a token of its own.

    What it is for says the class that derives from it, and how its record says it: `_holdings`
    reads what is held, and three transitions write.

    Args:
        context: Where records are, whose they are, and by which clock.
        cell: The record.
        permits: How many may hold at once.
        asks_server: Whether a first look goes by the store's clock as well.
        ttl: Seconds that what is held lasts without being renewed.
        on_lost: Called once with the `Held`, in a thread of its own, when it is lost.
        **times: The other arguments of `Terms`.

    Raises:
        ValueError: The times contradict each other.
        TypeError: An argument is of the wrong type.
    """

    _most_depth: ClassVar = MAX_VALUE_DEPTH

    def __init__(
        self,
        context: Context,
        cell: Cell[StateT],
        *,
        permits: int = 1,
        asks_server: bool = False,
        ttl: float = 30.0,
        on_lost: Callable[[Held], object] | None = None,
        **times: Unpack[Times],
    ) -> None:
        if on_lost is not None:
            check_ordinary(on_lost, what="on_lost")
        self.terms: Final = Terms(ttl, **times)
        self._context = context
        self._cell = cell
        self._lookout = Lookout(
            cell,
            holdings=self._holdings,
            permits=permits,
            terms=self.terms,
            asks_server=asks_server,
        )
        self._on_lost = on_lost
        self._mine: list[Held] = []
        self._entered = threading.local()

    def __enter__(self) -> Held:
        def entered(won: list[Held]) -> Held:
            held = self._acquired(None, data=None, won=won)
            self._stack().append(held)
            return held

        return _handed_over(entered)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stack = self._stack()
        if not stack:
            raise RuntimeError(
                f"`with` on {self.name!r} was not begun by this thread, so what it holds is not "
                "known here and stays held. End it in the thread that has begun it, or share "
                "`held = ....acquire()` and end `with held`, which any thread may."
            ) from error
        stack.pop().__exit__(kind, error, trace)

    @property
    def name(self) -> str:
        """Its name; parts are joined by `/`."""
        return "/".join(self._cell.key.strings[1:])

    def try_acquire(self, *, data: Any = None) -> Held | None:
        """Acquire if there is something free, or something whose holder did not renew for its ttl.

        What has been seen of other holders is remembered from one try to the next; so that one can
        be taken over, try again after its ttl.

        Args:
            data: What to say to others: any JSON, of 48 KiB at most, nested up to 14 deep, or
                12 in a semaphore.

        Returns:
            What is held, or None if others hold it all, or were faster.

        Raises:
            OutcomeUnknownError: It may or may not have been acquired. Nobody holds it; it can be
                acquired again now, or after its ttl.
            RecordError: The record is damaged or foreign.
            RecordTooLargeError: It has no room for `data` beside that of other holders; nothing was
                acquired.
            TypeError: `data` is no JSON.
            ValueError: `data` is larger or deeper than that, or a number or string has no JSON.
            BackendError: The store could not be asked.
            RuntimeError: No thread can be started to renew it; nothing was acquired.
        """
        data = plain(data, what="data", most_depth=self._most_depth)
        return _handed_over(lambda won: self._try(data, timeout=None, won=won))

    def acquire(self, timeout: float | None = None, *, data: Any = None) -> Held:
        """Acquire, and wait for it as long as others hold it all.

        Args:
            timeout: Seconds to wait for it; None for ever.
            data: What to say to others: any JSON, of 48 KiB at most, nested up to 14 deep, or
                12 in a semaphore.

        Raises:
            AcquireTimeout: Others held it all the time or were faster, or the store was too slow.
            RecordError: The record is damaged or foreign.
            RecordTooLargeError: It has no room for `data` beside that of other holders; nothing was
                acquired.
            TypeError: `data` is no JSON.
            ValueError: `data` is larger or deeper than that, or a number or string has no JSON.
            BackendError: The store could not be asked.
            RuntimeError: No thread can be started to renew it; nothing was acquired.
        """
        timeout = checked_timeout(timeout)
        data = plain(data, what="data", most_depth=self._most_depth)
        return _handed_over(lambda won: self._acquired(timeout, data=data, won=won))

    def break_(self, token: int) -> bool:
        """Free what is held under a token for others, if it is still held.

        For operators. Its holder is told at its next renewal, and until then believes that it
        holds: make sure that it is dead, or that what it does is fenced by the token.

        Returns:
            Whether it was freed; False if nothing is held under this token.

        Raises:
            OutcomeUnknownError: It may or may not have been freed.
            ConcurrencyConflictError: Others changed the record until the coordinator's timeout;
                nothing was freed.
            TypeError: The token is no int.
            ValueError: The semaphore has another number of permits; nothing was freed.
        """
        if type(token) is not int:
            raise TypeError(f"token must be an int, not a {type(token).__name__}")
        freed = partial(self._freed, token=token)
        outcome = self._cell.update(freed, deadline=self._context.deadline())
        self._lookout.note(outcome.known)
        if isinstance(outcome, Refused):
            return False
        self._context.tell("broken", self._cell, token=token)
        return True

    @abstractmethod
    def _holdings(self, state: StateT) -> Sequence[Holding]:
        """What is held by a state, the newest last."""

    @abstractmethod
    def _taking(self, data: Any, *, over: tuple[Watch, ...]) -> Transition[StateT]:
        """The transition that takes what is free, or one of those that are over."""

    @staticmethod
    @abstractmethod
    def _renewed(state: StateT | None, generation: int, /, *, token: int) -> StateT | Refusal:
        """The transition that renews what is held under a token."""

    @staticmethod
    @abstractmethod
    def _freed(state: StateT | None, generation: int, /, *, token: int) -> StateT | Refusal:
        """The transition that frees what is held under a token."""

    def _acquired(self, timeout: float | None, *, data: Any, won: list[Held]) -> Held:
        clock = self._context.clock
        deadline = None if timeout is None else clock.monotonic() + timeout

        def look() -> Held | None:
            left = None if deadline is None else deadline - clock.monotonic()
            try:
                return self._try(data, timeout=left, won=won)
            except OutcomeUnknownError:
                # Nobody holds what was acquired like this; it is outwaited like anybody's.
                return None
            except BackendError:
                # It was too slow for what was left of the time, and who holds it is known.
                is_late = deadline is not None and clock.monotonic() >= deadline
                if is_late and self._lookout.seen is not None:
                    return None
                raise

        held = poll_until(
            look,
            clock=clock,
            deadline=deadline,
            next_poll=self._next_poll,
            spread=self.terms.poll / 2,
            tell_waited=self._context.tell_waited(self._cell),
        )
        if held is None:
            raise self._timeout()
        return held

    def _try(self, data: Any, *, timeout: float | None, won: list[Held]) -> Held | None:
        seen = self._remembered()
        if seen is None or not self._lookout.may_take(seen):
            seen = self._lookout.look(self._context.deadline(timeout))
        if not self._lookout.may_take(seen):
            return None
        # What takes longer than it lasts is not worth having.
        deadline = min(self._context.deadline(timeout), self._context.deadline(self.terms.ttl))
        attempt = self._taking(data, over=self._lookout.over(seen))
        self._context.heartbeat.get_ready(self._context)
        try:
            outcome = self._cell.update(attempt, deadline=deadline, base=seen.known)
        except ConcurrencyConflictError:
            self._lookout.doubt()
            return None
        except OutcomeUnknownError:
            self._lookout.doubt()
            raise
        self._lookout.note(outcome.known)
        return None if isinstance(outcome, Refused) else self._hold(outcome, data, won)

    def _hold(self, updated: Updated[StateT], data: Any, won: list[Held]) -> Held | None:
        token = self._holdings(updated.state)[-1].token
        held = Held(
            self._cell,
            updated,
            context=self._context,
            terms=self.terms,
            token=token,
            data=data,
            renewed=partial(self._renewed, token=token),
            freed=partial(self._freed, token=token),
            on_lost=self._on_lost,
        )
        won.append(held)
        self._mine.append(held)
        return held if held.begin() else None

    def _remembered(self) -> Seen[StateT] | None:
        """What renewing and releasing one's own has shown may be the latest."""
        mine = list(self._mine)
        for held in mine:
            self._lookout.learn(held.known)
        self._mine = [held for held in mine if not held.lost.is_set()]
        return self._lookout.believed

    def _next_poll(self) -> float:
        left = self._lookout.left()
        return self.terms.poll if left is None else min(self.terms.poll, left)

    def _timeout(self) -> AcquireTimeout:
        seen = self._lookout.seen
        if seen is None or self._lookout.is_free(seen):
            return AcquireTimeout(self.name, None, None)
        return AcquireTimeout(self.name, ", ".join(sorted(seen.holders)), self._lookout.left())

    def _stack(self) -> list[Held]:
        if not hasattr(self._entered, "stack"):
            self._entered.stack = []
        stack: list[Held] = self._entered.stack
        return stack


def _handed_over(acquire: Callable[[list[Held]], GotT]) -> GotT:
    won: list[Held] = []
    try:
        return acquire(won)
    except BaseException:
        # An interrupt such as Ctrl-C: nobody will ever release what was won.
        for held in won:
            held.abandon()
        raise
