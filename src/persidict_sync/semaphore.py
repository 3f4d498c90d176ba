"""A semaphore: as a lease, with k holders at once."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from persidict import ConcurrencyConflictError, OutcomeUnknownError
from persidict_sync.cas import Known, Refused, Updated
from persidict_sync.context import Context
from persidict_sync.errors import AcquireTimeout
from persidict_sync.held import Held
from persidict_sync.record import MAX_INT
from persidict_sync.semaphore_state import (
    PermitState,
    SemaphoreState,
    freed,
    renewed,
    shows,
    taken,
)
from persidict_sync.wait import checked_timeout, poll_until
from persidict_sync.watch import Terms, Watch

if TYPE_CHECKING:
    from types import TracebackType

    from persidict.safe_str_tuple import KeyParts

MOST_PERMITS: Final = 200
"""So many fit into a record, each with an owner and data of a usual size."""


class Semaphore:
    """A semaphore of one name: at most `permits` holders at once, each under a token of its own.

    Not guaranteed: that a holder which was frozen after its last check still holds; see `Held`.

    Guaranteed: of the permits whose `Held.check` returns there are never more than `permits`, as
    long as all clocks run true within `drift` and all who use the name agree on it. Tokens strictly
    increase for ever, over all permits. A permit whose holder died is taken over by one who
    watches within `ttl * (1 + 2 * drift)` and two polls, from its last renewal or the watcher's
    first look, whichever is later. Only its own holder keeps a permit alive: what others do to the
    record does not.

    Not fair: who waits longest is not first. Not reentrant: one holder may take several permits.

    Requests: first acquire 2; 1 with what is known current, 3 with what is stale. Renewing and
    releasing 1, and 2 more when another permit has changed meanwhile: all are in one record, so
    that hundreds of permits with a short ttl make its writers wait for one another. Waiting: one
    conditional GET each poll.

    Args:
        context: Where records are, whose they are, and by which clock.
        name: One or more safe strings.
        permits: How many may be held at once, 1 to 200. The first who acquires fixes it.
        ttl: Seconds that a permit lasts without being renewed.
        renew_every: Seconds between renewals; less than `ttl * (1 - margin)`. A third of `ttl` by
            default.
        margin: The share of `ttl` by which a holder gives up before it ends.
        drift: The share by which a clock may be fast or slow.
        poll: Seconds between two looks of one who waits, and up to half of it at random; at most
            1 second and a quarter of `ttl` by default.
        expiry: `"watch"`. `"server"` is refused: every holder writes the record, so its age says
            nothing of one permit.
        on_lost: Called once with the `Held`, in a thread of its own, when it is lost.

    Raises:
        ValueError: The name is unsafe, there are too many permits or none, the times contradict
            each other, or `expiry` is not `"watch"`.
        TypeError: An argument is of the wrong type.

    Example:
        >>> from persidict_sync.coordinator import Coordinator
        >>> gpus = Coordinator("memory:").semaphore("gpus", 2)
        >>> first, second = gpus.acquire(), gpus.acquire()
        >>> first.token, second.token, gpus.try_acquire()
        (1, 2, None)
        >>> first.release()
        True
        >>> with gpus as third:
        ...     gpus.holders() == {2: second.context.owner, third.token: third.context.owner}
        True
    """

    def __init__(
        self,
        context: Context,
        name: KeyParts,
        permits: int,
        *,
        ttl: float = 30.0,
        renew_every: float | None = None,
        margin: float = 0.1,
        drift: float = 0.05,
        poll: float | None = None,
        expiry: str = "watch",
        on_lost: Callable[[Held], object] | None = None,
    ) -> None:
        if type(permits) is not int:
            raise TypeError(f"permits must be an int, not a {type(permits).__name__}")
        if not 1 <= permits <= MOST_PERMITS:
            raise ValueError(f"permits must be 1 to {MOST_PERMITS}, not {permits}")
        if expiry != "watch":
            raise ValueError(
                f"expiry must be 'watch' for a semaphore, not {expiry!r}: every holder writes its "
                "record, so by the store's clock no permit ever gets old"
            )
        if not (on_lost is None or callable(on_lost)):
            raise TypeError(f"on_lost must be a function, not a {type(on_lost).__name__}")
        self.terms: Final = Terms(
            ttl, renew_every=renew_every, margin=margin, drift=drift, poll=poll
        )
        self.permits: Final = permits
        self._context = context
        self._cell = context.cell(name, SemaphoreState)
        self._on_lost = on_lost
        self._seen = _Seen(None, ())
        self._mine: list[Held] = []
        self._entered = threading.local()

    def __repr__(self) -> str:
        return f"<Semaphore {self.name!r}, {self.permits} permits, ttl {self.terms.ttl} s>"

    def __enter__(self) -> Held:
        held = self.acquire()
        self._stack().append(held)
        return held

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack().pop().__exit__(kind, error, trace)

    @property
    def name(self) -> str:
        """Its name; parts are joined by `/`."""
        return "/".join(self._cell.key.strings[1:])

    def try_acquire(self, *, data: Any = None) -> Held | None:
        """Acquire a permit if one is free, or was not renewed for its ttl.

        What has been seen of others' permits is remembered from one try to the next; so that one
        can be taken over, try again after its ttl.

        Args:
            data: What to say to others: any JSON, small.

        Returns:
            What is held, or None if all permits are others'.

        Raises:
            ValueError: The semaphore has another number of permits.
            OutcomeUnknownError: A permit may or may not have been acquired. Nobody holds it; it
                can be acquired again after its ttl.
            RecordError: The record is damaged or foreign, or would become too large.
            BackendError: The store could not be asked.
        """
        return self._try(copy.deepcopy(data), self._context.deadline(self.terms.ttl))

    def acquire(self, timeout: float | None = None, *, data: Any = None) -> Held:
        """Acquire a permit, and wait for one as long as others hold them all.

        Args:
            timeout: Seconds to wait for it; None for ever.
            data: What to say to others: any JSON, small.

        Raises:
            AcquireTimeout: Others held all of them all the time, or were faster.
            ValueError: The semaphore has another number of permits.
            RecordError: The record is damaged or foreign, or would become too large.
            BackendError: The store could not be asked.
        """
        clock = self._context.clock
        timeout = checked_timeout(timeout)
        deadline = None if timeout is None else clock.monotonic() + timeout
        data = copy.deepcopy(data)

        def look() -> Held | None:
            left = self.terms.ttl if deadline is None else deadline - clock.monotonic()
            try:
                return self._try(data, self._context.deadline(min(left, self.terms.ttl)))
            except (OutcomeUnknownError, ConcurrencyConflictError):
                # Perhaps it has landed; then it is a permit that nobody renews.
                self._seen = _Seen(None, self._seen.watches)
                return None

        held = poll_until(
            look,
            clock=clock,
            deadline=deadline,
            next_poll=self._next_poll,
            spread=self.terms.poll / 2,
        )
        if held is None:
            raise self._timeout()
        return held

    def holders(self) -> dict[int, str]:
        """Who holds the permits by the record, by their tokens; one request.

        Not guaranteed: that they are alive.
        """
        return {permit.token: permit.owner for permit in self._look().held}

    def break_(self, token: int) -> bool:
        """Free a permit for others although it is held, if it is still held under this token.

        For operators. Its holder is told at its next renewal, and until then believes that it
        holds: make sure that it is dead, or that what it does is fenced by the token.

        Returns:
            Whether it was freed; False if nothing is held under this token.

        Raises:
            OutcomeUnknownError: It may or may not have been freed.
            TypeError: The token is no int.
        """
        if type(token) is not int:
            raise TypeError(f"token must be an int, not a {type(token).__name__}")
        outcome = self._cell.update(partial(freed, token=token), deadline=self._context.deadline())
        self._see(outcome.known)
        if isinstance(outcome, Refused):
            return False
        self._context.tell("broken", self._cell, token=token)
        return True

    def _try(self, data: Any, deadline: float) -> Held | None:
        self._learn_from_mine()
        seen = self._seen
        if seen.known is None or not self._may_take(seen):
            seen = self._look()
        if not self._may_take(seen):
            return None
        permit = PermitState(
            token=MAX_INT, beat=0, ttl=self.terms.ttl, owner=self._context.owner, data=data
        )
        attempt = partial(taken, permits=self.permits, permit=permit, over=self._over(seen))
        outcome = self._cell.update(attempt, deadline=deadline, base=seen.known)
        self._see(outcome.known)
        return None if isinstance(outcome, Refused) else self._hold(outcome)

    def _hold(self, updated: Updated[SemaphoreState]) -> Held | None:
        token = updated.state.token
        held = Held(
            self._cell,
            updated,
            context=self._context,
            terms=self.terms,
            token=token,
            data=updated.state.held[-1].data,
            renewed=partial(renewed, token=token),
            freed=partial(freed, token=token),
            on_lost=self._on_lost,
        )
        if not held.begin():
            return None
        self._mine.append(held)
        return held

    def _learn_from_mine(self) -> None:
        """What renewing and releasing one's own permits has shown may be the latest."""
        mine = list(self._mine)
        for held in mine:
            if self._seen.known is None or held.known.generation > self._seen.known.generation:
                self._see(held.known)
        self._mine = [held for held in mine if not held.lost.is_set()]

    def _may_take(self, seen: _Seen) -> bool:
        """Whether there is a free permit, or one to take over, if what is known is current."""
        return len(seen.held) < self.permits or bool(self._over(seen))

    def _over(self, seen: _Seen) -> tuple[Watch, ...]:
        now = self._context.clock.monotonic()
        return tuple(watch for watch in seen.watches if now >= watch.over_at(self.terms))

    def _look(self) -> _Seen:
        known = self._seen.known
        return self._see(self._cell.read() if known is None else self._cell.reread(known))

    def _see(self, known: Known[SemaphoreState]) -> _Seen:
        state = known.state
        if state is not None and state.permits != self.permits:
            raise ValueError(
                f"The semaphore {self.name!r} has {state.permits} permits, and {self.permits} were "
                "asked for. All who use it must agree; for another number take another name."
            )
        watched = self._seen.watches
        held = () if state is None else state.held
        watches = tuple(_watch_of(permit, watched, answered=known.answered) for permit in held)
        self._seen = _Seen(known, watches)
        return self._seen

    def _next_poll(self) -> float:
        ends = [watch.over_at(self.terms) for watch in self._seen.watches]
        left = min(ends, default=0.0) - self._context.clock.monotonic()
        return max(0.0, min(self.terms.poll, left)) if ends else self.terms.poll

    def _timeout(self) -> AcquireTimeout:
        seen = self._seen
        if len(seen.held) < self.permits:
            return AcquireTimeout(self.name, None, None)
        owners = ", ".join(sorted({permit.owner for permit in seen.held}))
        first = min(watch.over_at(self.terms) for watch in seen.watches)
        left = first - self._context.clock.monotonic()
        return AcquireTimeout(self.name, owners, max(0.0, left))

    def _stack(self) -> list[Held]:
        if not hasattr(self._entered, "stack"):
            self._entered.stack = []
        stack: list[Held] = self._entered.stack
        return stack


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of the record, and since when of each of its permits."""

    known: Known[SemaphoreState] | None
    watches: tuple[Watch, ...]

    @property
    def held(self) -> tuple[PermitState, ...]:
        state = None if self.known is None else self.known.state
        return () if state is None else state.held


def _watch_of(permit: PermitState, watched: tuple[Watch, ...], *, answered: float) -> Watch:
    before = next((watch for watch in watched if shows(watch, permit)), None)
    return before or Watch(permit.token, permit.beat, permit.ttl, answered)
