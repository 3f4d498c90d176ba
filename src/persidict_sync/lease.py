"""Leases: one holder at a time, under a token that only rises."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from persidict import ConcurrencyConflictError, OutcomeUnknownError
from persidict_sync.cas import Refused, Updated
from persidict_sync.context import Context
from persidict_sync.errors import AcquireTimeout
from persidict_sync.held import Held
from persidict_sync.lease_state import LeaseState, freed, renewed, taken
from persidict_sync.lookout import Lookout, Seen
from persidict_sync.wait import checked_timeout, poll_until
from persidict_sync.watch import Terms

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease, as its record says.

    Attributes:
        owner: How its process calls itself.
        token: Its fencing token.
        data: What it was acquired with.
        seen: Seconds for which the asking object has seen it not being renewed.
    """

    owner: str
    token: int
    data: Any
    seen: float


class LeaseSettings(TypedDict, total=False):
    """What may be said of any lease; see `Lease`."""

    ttl: float
    renew_every: float | None
    margin: float
    drift: float
    poll: float | None
    expiry: Literal["watch", "server"]
    on_lost: Callable[[Held], object] | None


class Lease:
    """A lease of one name: one holder at a time, under a fencing token that only rises.

    Not guaranteed: that a holder which was frozen after its last check is still the holder. That
    is what the token is for; see `Held`.

    Guaranteed: tokens strictly increase for ever, over release, expiry, break and crash, whichever
    object or process acquires. While `Held.check` returns, nobody else acquires it, as long as all
    clocks run true within `drift`, all who use the name agree on `drift`, and no operator breaks
    it. If its holder dies, one who watches takes it over within `ttl * (1 + 2 * drift)` and two
    polls, from the last renewal or the watcher's first look, whichever is later. What clocks say
    about the date decides nothing.

    Requests: first acquire 2; 1 with what is known current, 3 with what is stale. Renewing 1,
    releasing 1. Waiting: one conditional GET each poll.

    Not reentrant: one who holds it does not acquire it a second time.

    Args:
        context: Where records are, whose they are, and by which clock.
        name: One or more safe strings.
        ttl: Seconds that it lasts without being renewed. It should be several times what one
            request may take before it is given up: on S3 a ninth of the coordinator's `timeout`,
            3.3 s by default.
        renew_every: Seconds between renewals; less than `ttl * (1 - margin)`. A third of `ttl` by
            default.
        margin: The share of `ttl` by which a holder gives up before it ends.
        drift: The share by which a clock may be fast or slow.
        poll: Seconds between two looks of one who waits, and up to half of it at random; at most
            1 second and a quarter of `ttl` by default.
        expiry: `"watch"`: a lease that was not released is taken over by one who has watched it.
            `"server"`: also by one who has just begun, if by the store's own clock its record is
            older than `ttl * (1 + 2 * drift)` and 5 seconds (2 for whole seconds, 3 by which the
            clocks of one store's machines may be apart). One more request at the first look. With
            a store on this machine, its clock is this machine's, and setting that forward ends
            leases.
        on_lost: Called once with the `Held`, in a thread of its own, when it is lost; not when it
            is released.
        folder: The first part of its key, among the coordinator's.

    Raises:
        ValueError: The name is unsafe, or the times contradict each other.
        TypeError: An argument is of the wrong type.

    Example:
        >>> from persidict_sync.coordinator import Coordinator
        >>> nightly = Coordinator("memory:", owner="worker-1").lease("nightly", ttl=60)
        >>> with nightly as held:
        ...     held.token, nightly.holder().owner, nightly.try_acquire()
        (1, 'worker-1', None)
        >>> nightly.acquire(timeout=5).token
        3
    """

    def __init__(
        self,
        context: Context,
        name: KeyParts,
        *,
        ttl: float = 30.0,
        renew_every: float | None = None,
        margin: float = 0.1,
        drift: float = 0.05,
        poll: float | None = None,
        expiry: Literal["watch", "server"] = "watch",
        on_lost: Callable[[Held], object] | None = None,
        folder: str = LeaseState.kind,
    ) -> None:
        if expiry not in ("watch", "server"):
            raise ValueError(f'expiry must be "watch" or "server", not {expiry!r}')
        if not (on_lost is None or callable(on_lost)):
            raise TypeError(f"on_lost must be a function, not a {type(on_lost).__name__}")
        self.terms: Final = Terms(
            ttl, renew_every=renew_every, margin=margin, drift=drift, poll=poll
        )
        self._context = context
        self._cell = context.cell(name, LeaseState, folder=folder)
        self._lookout = Lookout(self._cell, terms=self.terms, asks_server=expiry == "server")
        self._on_lost = on_lost
        self._last: Held | None = None
        self._entered = threading.local()

    def __repr__(self) -> str:
        return f"<Lease {self.name!r}, ttl {self.terms.ttl} s>"

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
        """Acquire it if it is free, or if its holder has not renewed it for its ttl.

        What has been seen of another's lease is remembered from one try to the next; so that one
        can be taken over, try again after its ttl.

        Args:
            data: What to say to others: any JSON, small; see `holder`.

        Returns:
            What is held, or None if somebody else holds it, or was faster.

        Raises:
            OutcomeUnknownError: It may or may not have been acquired. Nobody holds it; it can be
                acquired again now, or after its ttl.
            RecordError: Its record is damaged or foreign, or `data` is too large.
            TypeError: `data` is no JSON.
            BackendError: The store could not be asked.
        """
        return self._try(_plain(data), self._context.deadline(self.terms.ttl))

    def acquire(self, timeout: float | None = None, *, data: Any = None) -> Held:
        """Acquire it, and wait for it as long as somebody else holds it.

        Args:
            timeout: Seconds to wait for it; None for ever.
            data: What to say to others: any JSON, small; see `holder`.

        Raises:
            AcquireTimeout: Somebody else held it all the time, or others were faster.
            RecordError: Its record is damaged or foreign, or `data` is too large.
            TypeError: `data` is no JSON.
            BackendError: The store could not be asked.
        """
        clock = self._context.clock
        timeout = checked_timeout(timeout)
        deadline = None if timeout is None else clock.monotonic() + timeout
        data = _plain(data)

        def look() -> Held | None:
            left = self.terms.ttl if deadline is None else deadline - clock.monotonic()
            try:
                return self._try(data, self._context.deadline(min(left, self.terms.ttl)))
            except OutcomeUnknownError:
                # Nobody holds what was acquired like this; it is outwaited like anybody's.
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

    def holder(self) -> Holder | None:
        """Who holds it by its record, or None if it is free; one request.

        Not guaranteed: that the holder is alive; see `Holder.seen`.
        """
        seen = self._lookout.look()
        state = seen.known.state
        if state is None or state.holder is None or seen.watch is None:
            return None
        unchanged = self._now() - seen.watch.since
        return Holder(state.holder, state.token, copy.deepcopy(state.data), unchanged)

    def break_(self, token: int) -> bool:
        """Free it for others although it is held, if it is still held under this token.

        For operators. Its holder is told at its next renewal, and until then believes that it
        holds: make sure that it is dead, or that what it does is fenced by the token.

        Returns:
            Whether it was freed; False if it is free, or held under another token.

        Raises:
            OutcomeUnknownError: It may or may not have been freed.
            TypeError: The token is no int.
        """
        if type(token) is not int:
            raise TypeError(f"token must be an int, not a {type(token).__name__}")
        outcome = self._cell.update(partial(freed, token=token), deadline=self._context.deadline())
        self._lookout.note(outcome.known)
        if isinstance(outcome, Refused):
            return False
        self._context.tell("broken", self._cell, token=token)
        return True

    def _try(self, data: Any, deadline: float) -> Held | None:
        seen = self._remembered()
        if seen is None or not self._lookout.may_be_taken(seen):
            seen = self._lookout.look()
        if not self._lookout.may_be_taken(seen):
            return None
        attempt = partial(
            taken,
            owner=self._context.owner,
            ttl=self.terms.ttl,
            data=data,
            acquired=self._wall_time(),
            over=seen.watch,
        )
        try:
            outcome = self._cell.update(attempt, deadline=deadline, base=seen.known)
        except ConcurrencyConflictError:
            return None
        self._lookout.note(outcome.known)
        return None if isinstance(outcome, Refused) else self._hold(outcome)

    def _hold(self, updated: Updated[LeaseState]) -> Held | None:
        state = updated.state
        held = Held(
            self._cell,
            updated,
            context=self._context,
            terms=self.terms,
            token=state.token,
            data=state.data,
            renewed=partial(renewed, token=state.token),
            freed=partial(freed, token=state.token),
            on_lost=self._on_lost,
        )
        self._last = held
        return held if held.begin() else None

    def _remembered(self) -> Seen | None:
        last = self._last
        if last is not None and last.is_freed:
            self._last = None
            return self._lookout.note(last.known)
        return self._lookout.seen

    def _next_poll(self) -> float:
        left = self._lookout.left()
        return self.terms.poll if left is None else min(self.terms.poll, left)

    def _timeout(self) -> AcquireTimeout:
        seen = self._lookout.seen
        holder = None if seen is None else seen.holder
        return AcquireTimeout(self.name, holder, self._lookout.left())

    def _now(self) -> float:
        return self._context.clock.monotonic()

    def _wall_time(self) -> str:
        now = datetime.fromtimestamp(self._context.clock.time(), UTC)
        return now.isoformat(timespec="seconds")

    def _stack(self) -> list[Held]:
        if not hasattr(self._entered, "stack"):
            self._entered.stack = []
        stack: list[Held] = self._entered.stack
        return stack


def _plain(data: Any) -> Any:
    """A copy of what is strict JSON."""
    plain = json.loads(json.dumps(data, allow_nan=False))
    if plain != data:
        raise TypeError(
            "data must be JSON: None, bool, str, int, float, and lists of these and dictionaries "
            "of these with str keys"
        )
    return plain
