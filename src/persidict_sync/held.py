"""What is held: until when, whether still, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias, cast

from persidict import BackendError, ConcurrencyConflictError
from persidict.daemons import Action
from persidict_sync.cas import Cell, Known, Refusal, Refused, Transition, Updated
from persidict_sync.context import Context
from persidict_sync.errors import LeaseLost, RecordError
from persidict_sync.watch import Terms

Reason: TypeAlias = Literal["stolen", "broken", "unreachable", "expired", "released", "forked"]
"""Why something is not held any more, as `LeaseLost` explains."""


class _Lost(threading.Event):
    """Set when it is over; asked, it looks at the clock and waits for no thread to set it."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        super().__init__()
        self._is_over = is_over

    def is_set(self) -> bool:
        return self._is_over() or super().is_set()

    def set_in_child(self) -> None:
        # A thread that is not there any more may have held the lock inside.
        super().__init__()
        self.set()


class Held:
    """Something held under a fencing token, until it is released or lost.

    Not guaranteed: that a holder which was frozen just after a check is still the holder when it
    goes on. That is what `token` is for: tokens strictly increase, so whatever the holder writes
    to can refuse a token below the highest it has seen (see `Coordinator.fenced`).

    Guaranteed: as long as `check` returns, nobody else has acquired it, provided that clocks run
    true within the `drift` of its terms and no operator broke it. It is renewed in the background.
    Its loss is told before anyone can take over, by this machine's own clock and also while no
    request is answered: `check` raises, `lost` is set, `on_lost` is called. It never comes back.

    Attributes:
        token: The fencing token.
        data: What it was acquired with, for others to see.
        lost: An event that is set when it is no longer held, for whichever reason.

    Example:
        >>> from persidict_sync.coordinator import Coordinator
        >>> fleet = Coordinator("memory:")
        >>> with fleet.lease("nightly").acquire() as held:
        ...     held.check()
        ...     held.token
        1
        >>> held.lost.is_set()
        True
    """

    def __init__(
        self,
        cell: Cell[Any],
        updated: Updated[Any],
        *,
        context: Context,
        terms: Terms,
        token: int,
        data: Any,
        renewed: Transition[Any],
        freed: Transition[Any],
        on_lost: Callable[[Held], object] | None = None,
    ) -> None:
        self.token: Final = token
        self.data: Final = data
        self.lost: Final = _Lost(self._is_over)
        self.context: Final = context
        self.known: Known[Any] = updated.known
        self._cell = cell
        self._terms = terms
        self._renewed = renewed
        self._freed = freed
        self._on_lost = on_lost
        self._make_locks()
        self._reason: Reason | None = None
        self._cause: Exception | None = None
        self._is_renewing = False
        self._is_in_doubt = False
        self.is_freed = False
        self._deadline = updated.sent + terms.tenure
        self._next_renewal = self._renewal_after(updated.sent)

    def begin(self) -> bool:
        """Have it renewed from now on; False if it is over already, and is given back."""
        current = self._renewed(self.known.state, self.known.generation)
        if isinstance(current, Refusal) or self._now() >= self._deadline:
            self._reason = "expired"
            self.lost.set()
            with suppress(LeaseLost):
                self._free()
            return False
        self.context.heartbeat.schedule(self)
        self._tell("acquired")
        return True

    def _make_locks(self) -> None:
        self._state_lock = threading.RLock()
        self._store_lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Held {self.name!r}, token {self.token}, {self._reason or 'held'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.release()
        except LeaseLost as loss:
            # Whoever is told of an error already, or has released it, needs not be told.
            if error is None and loss.reason != "released":
                raise

    @property
    def name(self) -> str:
        """The name of what is held."""
        return "/".join(self._cell.key.strings[1:])

    def remaining(self) -> float:
        """Seconds for which it is held even if no renewal succeeds any more; 0 once it is lost."""
        return 0.0 if self._is_over() else max(0.0, self._deadline - self._now())

    def check(self) -> None:
        """Return if it is held; no request.

        Raises:
            LeaseLost: It is not held any more; `reason` says why.
        """
        if self._is_over():
            raise self._loss() from self._cause

    def renew(self) -> None:
        """Renew it now, which happens in time by itself; one request.

        Raises:
            LeaseLost: It is not held any more.
            BackendError: The store has not confirmed it. It is held until `remaining` ends, and
                renewing goes on in the background.
            ConcurrencyConflictError: Others kept changing the record; otherwise as above.
        """
        self.check()
        with self._store_lock:
            self.check()
            self._renew()
        self.context.heartbeat.schedule(self)

    def release(self) -> bool:
        """Give it up, so that others can acquire it at once; one request.

        Returns:
            Whether the store has confirmed it. If not, it is not held any more all the same, and
            others can acquire it when its ttl has ended.

        Raises:
            LeaseLost: It was lost, or released, before.
        """
        if self._is_over() or not self._end("released"):
            raise self._loss() from self._cause
        # A renewal may be under way; if it hangs, it gives the lease back itself when it ends.
        if not self._store_lock.acquire(timeout=max(0.0, self._deadline - self._now())):
            return False
        try:
            return self._free()
        finally:
            self._store_lock.release()

    def next_due(self) -> float | None:
        """When the heartbeat is to attend to it."""
        if self._reason is not None:
            return None
        return self._deadline if self._is_renewing else min(self._deadline, self._next_renewal)

    def on_due(self) -> Action | None:
        """End it, or have it renewed."""
        if self._is_over() or self._is_renewing or self._now() < self._next_renewal:
            return None
        self._is_renewing = True
        return self._beat

    def on_fork(self) -> None:
        """A child holds nothing."""
        self._make_locks()
        if self._reason is None:
            self._reason = "forked"
        self.lost.set_in_child()

    def let_go(self) -> None:
        """Release it if it is held."""
        with suppress(Exception):
            self.release()

    def _beat(self) -> None:
        # Not held by a renewal that was asked for, which would be as good.
        if self._store_lock.acquire(blocking=False):
            try:
                self._renew()
            except Exception:  # noqa: BLE001 - whatever it is, it is tried again until the deadline
                self._next_renewal = self._retry()
            finally:
                self._store_lock.release()
        else:
            self._next_renewal = self._retry()
        self._is_renewing = False

    def _renew(self) -> None:
        """With the store's lock."""
        self._is_in_doubt = True
        try:
            outcome = self._cell.update(
                self._renewed,
                deadline=min(self._deadline, self.context.deadline()),
                base=self.known,
            )
        except RecordError as error:
            self._end("broken", error)
        except (BackendError, ConcurrencyConflictError) as error:
            self._cause = error
            self._tell("renewal-failed", error=type(error).__name__)
            self.check()
            raise
        else:
            self._settle(outcome)
        self.check()

    def _settle(self, outcome: Updated[Any] | Refused[Any]) -> None:
        self.known = outcome.known
        # Since it was applied, others may have changed what is known by now.
        now = self._renewed(outcome.known.state, outcome.known.generation)
        if isinstance(now, Refusal):
            self._end(cast("Reason", now.reason))
        elif not self._extend(cast("Updated[Any]", outcome).sent):
            # It has landed, and nobody holds it.
            self._is_over()
            self._free()
        else:
            self._tell("renewed", remaining=self.remaining())

    def _extend(self, sent: float) -> bool:
        with self._state_lock:
            if self._reason is not None or self._now() >= self._deadline:
                return False
            self._deadline = sent + self._terms.tenure
            self._next_renewal = self._renewal_after(sent)
            self._is_in_doubt, self._cause = False, None
            return True

    def _free(self) -> bool:
        """With the store's lock, once it is over."""
        if self.is_freed:
            return True
        left = self._deadline - self._now()
        try:
            outcome = self._cell.update(
                self._freed, deadline=self.context.deadline(left), base=self.known
            )
        except (BackendError, ConcurrencyConflictError, RecordError) as error:
            self._tell("release-failed", error=type(error).__name__)
            return False
        self.known = outcome.known
        if isinstance(outcome, Refused):
            self._reason = cast("Reason", outcome.reason)
            raise self._loss()
        self.is_freed = True
        self._tell("released")
        return True

    def _is_over(self) -> bool:
        if self._reason is None and self._now() >= self._deadline:
            reason: Reason = "unreachable" if self._is_in_doubt else "expired"
            self._end(reason, self._cause, not_before=self._deadline)
        return self._reason is not None

    def _end(
        self, reason: Reason, cause: Exception | None = None, *, not_before: float | None = None
    ) -> bool:
        """Whether this call has ended it; not if that deadline has been extended meanwhile."""
        with self._state_lock:
            if self._reason is not None or not_before not in (None, self._deadline):
                return False
            self._reason, self._cause = reason, cause
        self.lost.set()
        self.context.heartbeat.schedule(self)
        if reason != "released":
            self.context.heartbeat.tell(self._announce)
        return True

    def _announce(self) -> None:
        self._tell("lost", reason=self._reason)
        if self._on_lost is not None:
            self._on_lost(self)

    def _tell(self, name: str, **fields: Any) -> None:
        self.context.tell(name, self._cell, token=self.token, **fields)

    def _loss(self) -> LeaseLost:
        assert self._reason is not None
        return LeaseLost(self.name, self.token, self._reason)

    def _renewal_after(self, sent: float) -> float:
        return sent + self._terms.renew_every * self.context.clock.uniform(0.9, 1.0)

    def _retry(self) -> float:
        every = self._terms.renew_every
        pause = min(every * self.context.clock.uniform(0.1, 0.2), self.remaining() / 4)
        return self._now() + max(pause, every / 100)

    def _now(self) -> float:
        return self.context.clock.monotonic()
