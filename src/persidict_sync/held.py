"""What is held: until when, whether still, and how it ends."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, cast

from persidict import BackendError, ConcurrencyConflictError
from persidict.daemons import Action
from persidict_sync.cell import Cell
from persidict_sync.context import Context
from persidict_sync.errors import LeaseLost, RecordError, RecordTooLargeError
from persidict_sync.outcome import Known, Refusal, Refused, Transition, Updated
from persidict_sync.resident import Resident
from persidict_sync.tenure import Reason, Tenure
from persidict_sync.watch import Terms


class Held(Resident):
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
        data: A copy of what it was acquired with, for others to see.
        lost: An event that is set when it is no longer held, for whichever reason.

    Example:
        >>> from persidict_sync import Coordinator
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
        # What is written at each renewal is not the caller's to change.
        self.data: Final = copy.deepcopy(data)
        self.context: Final = context
        self.known: Known[Any] = updated.known
        self._cell = cell
        self._tenure = Tenure(terms, clock=context.clock, sent=updated.sent, on_end=self._on_end)
        self.lost: Final = self._tenure.lost
        self._renewed = renewed
        self._freed = freed
        self._on_lost = on_lost
        self._store_lock = threading.Lock()
        self._is_renewing = False
        self._is_freed = False

    def begin(self) -> bool:
        """Have it renewed from now on; False if it is over already, and is given back."""
        current = self._renewed(self.known.state, self.known.generation)
        if isinstance(current, Refusal) or not self._tenure.left():
            self._tenure.stop("expired")
            with suppress(LeaseLost):
                self._free()
            return False
        self.context.heartbeat.schedule(self)
        self._tell("acquired")
        return True

    def abandon(self) -> None:
        """Have it renewed no more, and no request: others can acquire it when its ttl has ended."""
        self._tenure.end("released")

    def __repr__(self) -> str:
        return f"<Held {self.name!r}, token {self.token}, {self._tenure.reason or 'held'}>"

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
        return self._tenure.remaining()

    def check(self) -> None:
        """Return if it is held; no request.

        Raises:
            LeaseLost: It is not held any more; `reason` says why.
        """
        if self._tenure.is_over():
            raise self._loss() from self._tenure.cause

    def renew(self) -> None:
        """Renew it now, which happens in time by itself; one request.

        Raises:
            LeaseLost: It is not held any more.
            BackendError: The store has not confirmed it. It is held until `remaining` ends, and
                renewing goes on in the background.
            ConcurrencyConflictError: Others kept changing the record; otherwise as above.
            RecordTooLargeError: Others have filled the record; otherwise as above.
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
        if self._tenure.is_over() or not self._tenure.end("released"):
            raise self._loss() from self._tenure.cause
        # A renewal may be under way; if it hangs, it gives the lease back itself when it ends.
        if not self._store_lock.acquire(timeout=self._tenure.left()):
            return False
        try:
            return self._free()
        finally:
            self._store_lock.release()

    def next_due(self) -> float | None:
        """When the heartbeat is to attend to it."""
        tenure = self._tenure
        if tenure.reason is not None:
            return None
        return tenure.deadline if self._is_renewing else min(tenure.deadline, tenure.next_renewal)

    def on_due(self) -> Action | None:
        """End it, or have it renewed."""
        tenure = self._tenure
        if tenure.is_over() or self._is_renewing or self._now() < tenure.next_renewal:
            return None
        self._is_renewing = True
        return self._beat

    def on_fork(self) -> None:
        """A child holds nothing."""
        self._store_lock = threading.Lock()
        self._tenure.on_fork()

    def let_go(self) -> None:
        """Release it if it is held."""
        with suppress(Exception):
            self.release()

    def _beat(self) -> None:
        try:
            # Not held by a renewal that was asked for, which would be as good.
            if self._store_lock.acquire(blocking=False):
                try:
                    self._renew()
                finally:
                    self._store_lock.release()
            else:
                self._tenure.put_off()
        except Exception:  # noqa: BLE001 - whatever it is, it is tried again until the deadline
            self._tenure.put_off()
        finally:
            self._is_renewing = False

    def _renew(self) -> None:
        """With the store's lock."""
        self._tenure.is_in_doubt = True
        try:
            outcome = self._cell.update(
                self._renewed,
                deadline=min(self._tenure.deadline, self.context.deadline()),
                base=self.known,
            )
        except RecordTooLargeError as error:
            # Others have filled the record, and may leave it again. Nothing was sent.
            self._tenure.is_in_doubt = False
            self._failed(error)
            raise
        except RecordError as error:
            self._tenure.end("broken", error)
        except Exception as error:
            self._failed(error)
            raise
        else:
            self._settle(outcome)
        self.check()

    def _failed(self, error: Exception) -> None:
        self._tenure.cause = error
        self._tell("renewal-failed", error=type(error).__name__)
        self.check()

    def _settle(self, outcome: Updated[Any] | Refused[Any]) -> None:
        self.known = outcome.known
        # Since it was applied, others may have changed what is known by now.
        now = self._renewed(outcome.known.state, outcome.known.generation)
        if isinstance(now, Refusal):
            self._tenure.end(cast("Reason", now.reason))
        elif not self._tenure.extend(cast("Updated[Any]", outcome).sent):
            # It has landed, and nobody holds it.
            self._tenure.is_over()
            self._free()
        else:
            self._tell("renewed", remaining=self.remaining())

    def _free(self) -> bool:
        """With the store's lock, once it is over."""
        if self._is_freed:
            return True
        deadline = self.context.deadline(self._tenure.left())
        try:
            outcome = self._cell.update(self._freed, deadline=deadline, base=self.known)
        except (BackendError, ConcurrencyConflictError, RecordError) as error:
            self._tell("release-failed", error=type(error).__name__)
            return False
        self.known = outcome.known
        if isinstance(outcome, Refused):
            self._tenure.stop(cast("Reason", outcome.reason))
            raise self._loss()
        self._is_freed = True
        self._tell("released")
        return True

    def _on_end(self, reason: Reason) -> None:
        self.context.heartbeat.schedule(self)
        if reason != "released":
            self.context.heartbeat.tell(self._announce)

    def _announce(self) -> None:
        self._tell("lost", reason=self._tenure.reason)
        if self._on_lost is not None:
            self._on_lost(self)

    def _tell(self, name: str, **fields: Any) -> None:
        self.context.tell(name, self._cell, token=self.token, **fields)

    def _loss(self) -> LeaseLost:
        reason = self._tenure.reason
        assert reason is not None
        return LeaseLost(self.name, self.token, reason)

    def _now(self) -> float:
        return self.context.clock.monotonic()
