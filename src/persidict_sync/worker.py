"""What shows that a worker is alive: its liveness lease."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from persidict import BackendError, ConcurrencyConflictError
from persidict.daemons import Action
from persidict_sync.context import Context
from persidict_sync.errors import LeaseLost, RecordError
from persidict_sync.held import Held
from persidict_sync.lease_state import LeaseState, freed, renewed, taken
from persidict_sync.outcome import Refusal, Updated
from persidict_sync.vigil import FOLDER
from persidict_sync.watch import Terms


class Life:
    """One liveness lease of this process, begun with its first claim, renewed while it has any.

    Nobody waits for it: the heartbeat acquires and renews it. It ends in silence once nothing is
    claimed, for nobody asks after it then.

    Args:
        context: What the coordinator's primitives share.
        terms: The times of the lease.

    Attributes:
        worker: Its identity, 24 hexadecimal digits; no other life ever has it.
        context: As given.
    """

    def __init__(self, context: Context, *, terms: Terms) -> None:
        self.worker: Final = context.clock.nonce().hex()
        self.context: Final = context
        self._terms = terms
        self._cell = context.cell(self.worker, LeaseState, folder=FOLDER)
        self._lock = threading.RLock()
        self._try_lock = threading.Lock()
        self._claims: set[str] = set()
        self._is_retired = False
        self._deadline: float | None = None
        self._next_try = 0.0
        self._is_trying = False
        self._pulse: _Pulse | None = None
        self._reason: str | None = None

    @property
    def reason(self) -> str | None:
        """Why it is over; None while it lasts."""
        if self._pulse is not None:
            return self._pulse.over_because()
        if self._reason is None and self._deadline is not None and self._now() >= self._deadline:
            self._reason = "unreachable"
        return self._reason

    def enter(self, claim: str) -> bool:
        """Last for a new claim, by its identity; False if it is over or retired.

        Raises:
            RuntimeError: No thread can be started to show that it lasts.
        """
        self.context.heartbeat.get_ready(self.context)
        return not self._is_retired and self.rejoin(claim)

    def rejoin(self, claim: str) -> bool:
        """Last for a claim that names it already; False if it is over."""
        with self._lock:
            if self.reason is not None:
                return False
            self._claims.add(claim)
            return True

    def settled(self, claim: str) -> None:
        """Last for this claim no longer, if it did."""
        with self._lock:
            self._claims.discard(claim)

    def retire(self) -> None:
        """Last for no new claim, so that it ends with those it has.

        As long as it lasts, all that name it count as run: also what was given up and stays open.
        """
        self._is_retired = True

    def begin(self, since: float) -> None:
        """Show from now on that it lasts; its first claim was sent at `since`."""
        with self._lock:
            if self._deadline is not None:
                return
            # Whoever sees the claim and no lease counts from its first look, which comes later.
            self._deadline = since + self._terms.tenure
            self._next_try = self._now()
        self.context.heartbeat.schedule(self)

    def next_due(self) -> float | None:
        """When the heartbeat is to attend to it; once there is a lease, to that."""
        if self._pulse is not None or self.reason is not None:
            return None
        return self._deadline if self._is_trying else self._next_try

    def on_due(self) -> Action | None:
        """Have the lease acquired."""
        if self._is_trying or self.next_due() is None:
            return None
        self._is_trying = True
        return self._try

    def on_fork(self) -> None:
        """A child's claims are its own."""
        self._lock = threading.RLock()
        self._try_lock = threading.Lock()
        self._reason = self._reason or "forked"

    def let_go(self) -> None:
        """End it, as others see at once: a lease given back says so, none at all would not."""
        if self._pulse is None:
            self._reason = self._reason or "released"
            if self._claims:
                self._try()
        if self._pulse is not None:
            self._pulse.let_go()

    def _try(self) -> None:
        with self._try_lock:
            if self._pulse is None:
                self._acquire()
            self._is_trying = False

    def _acquire(self) -> None:
        try:
            updated = self._cell.update(
                self._begun, deadline=self.context.deadline(), base=self._cell.absent()
            )
        except (BackendError, ConcurrencyConflictError, RecordError):
            self._next_try = self._now() + self._terms.renew_every * self._random()
            return
        if not isinstance(updated, Updated):
            self._reason = self._reason or "broken"
            return
        pulse = self._pulse_of(updated)
        # It never comes back: from its deadline on it was over, whoever has asked or not.
        if self.reason is None:
            self._pulse = pulse
            pulse.begin()
        else:
            pulse.let_go()

    def _pulse_of(self, updated: Updated[LeaseState]) -> _Pulse:
        return _Pulse(
            self._cell,
            updated,
            context=self.context,
            terms=self._terms,
            token=updated.state.token,
            data=None,
            renewed=partial(renewed, token=updated.state.token),
            freed=partial(freed, token=updated.state.token),
            end_if_idle=self._end_if_idle,
        )

    def _begun(self, state: LeaseState | None, generation: int) -> LeaseState | Refusal:
        # Only this life writes under its identity, so what is there is an attempt of its own.
        if state is not None:
            return renewed(state, generation, token=state.token)
        return taken(
            None,
            generation,
            owner=self.context.owner,
            ttl=self._terms.ttl,
            data=None,
            acquired="",
            over=None,
        )

    def _end_if_idle(self, end: Callable[[], object]) -> bool:
        with self._lock:
            if self._claims:
                return False
            end()
            return True

    def _random(self) -> float:
        return self.context.clock.uniform(0.1, 0.2)

    def _now(self) -> float:
        return self.context.clock.monotonic()


class _Pulse(Held):
    """A lease that is not renewed once nothing needs it."""

    def __init__(self, *args: Any, end_if_idle: Callable[[Action], bool], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._end_if_idle = end_if_idle

    def over_because(self) -> str | None:
        """Why it is lost; None while it is held."""
        try:
            self.check()
        except LeaseLost as loss:
            return loss.reason
        return None

    def on_due(self) -> Action | None:
        """End it, or have it renewed, or leave it to expire."""
        work = super().on_due()
        if work is None or not self._end_if_idle(lambda: self._tenure.end("released")):
            return work
        return None
