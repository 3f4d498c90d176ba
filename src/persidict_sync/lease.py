"""Leases: one holder at a time, under a token that only rises."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack

from persidict_sync.contender import Contender, HoldingSettings
from persidict_sync.context import Context
from persidict_sync.lease_state import LeaseState, freed, renewed, taken
from persidict_sync.outcome import Transition
from persidict_sync.watch import Holding, Watch

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


class LeaseSettings(HoldingSettings, total=False):
    """What may be said of any lease; see `Lease`."""

    expiry: Literal["watch", "server"]


class Lease(Contender[LeaseState]):
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

    Not reentrant: one who holds it does not acquire it a second time. `with lease` ends in the
    thread that has begun it; `with held` may end in any.

    Args:
        context: Where records are, whose they are, and by which clock.
        name: One or more safe strings.
        ttl: Seconds that it lasts without being renewed. A renewal is given a third of what is
            left of it, so that others can follow one that is not answered; with a ttl of a few
            seconds that is not much more than a slow answer of S3 takes.
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
        >>> from persidict_sync import Coordinator
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
        expiry: Literal["watch", "server"] = "watch",
        folder: str = LeaseState.kind,
        **settings: Unpack[HoldingSettings],
    ) -> None:
        if expiry not in ("watch", "server"):
            raise ValueError(f'expiry must be "watch" or "server", not {expiry!r}')
        cell = context.cell(name, LeaseState, folder=folder)
        super().__init__(context, cell, asks_server=expiry == "server", **settings)

    def __repr__(self) -> str:
        return f"<Lease {self.name!r}, ttl {self.terms.ttl} s>"

    def holder(self) -> Holder | None:
        """Who holds it by its record, or None if it is free; one request.

        Not guaranteed: that the holder is alive; see `Holder.seen`.
        """
        seen = self._lookout.look()
        state = seen.known.state
        if state is None or state.holder is None:
            return None
        (watch,) = seen.watches
        unchanged = self._context.clock.monotonic() - watch.since
        return Holder(state.holder, state.token, copy.deepcopy(state.data), unchanged)

    def _holdings(self, state: LeaseState) -> tuple[Holding, ...]:
        return state.holdings

    def _taking(self, data: Any, *, over: tuple[Watch, ...]) -> Transition[LeaseState]:
        now = datetime.fromtimestamp(self._context.clock.time(), UTC)
        return partial(
            taken,
            owner=self._context.owner,
            ttl=self.terms.ttl,
            data=data,
            acquired=now.isoformat(timespec="seconds"),
            over=next(iter(over), None),
        )

    _renewed = staticmethod(renewed)
    _freed = staticmethod(freed)
