"""The protocol of a lease: its record, and what may follow which; no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from persidict_sync.errors import RecordError
from persidict_sync.outcome import Refusal
from persidict_sync.state import State
from persidict_sync.watch import Holding, Watch


@dataclass(frozen=True, kw_only=True)
class LeaseState(State):
    """A lease's record; it stays when the lease is free, for its token is the next one's past.

    Attributes:
        token: The highest ever handed out.
        holder: Who holds it, for people; None if it is free.
        beat: How often its holder has renewed it.
        ttl: Seconds that it lasts without being renewed.
        data: What its holder says to others.
        acquired: When, by the holder's wall clock, for people: ISO 8601.
    """

    kind: ClassVar[str] = "lease"

    token: int
    holder: str | None
    beat: int
    ttl: float
    data: Any
    acquired: str

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The state in a body."""
        state = super().parse(body)
        if state.token < 1 or state.beat < 0 or not state.ttl > 0:
            raise RecordError("its token, beat or ttl is out of range")
        return state

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """What is held: nothing, or one."""
        if self.holder is None:
            return ()
        return (Holding(self.holder, self.token, self.beat, self.ttl),)


def taken(
    state: LeaseState | None,
    generation: int,
    *,
    owner: str,
    ttl: float,
    data: Any,
    acquired: str,
    over: Watch | None,
) -> LeaseState | Refusal:
    """Acquire what is free, or what has not been renewed since `over`, whose time has run out."""
    past = 0 if state is None else state.token
    if (
        state is not None
        and state.holder is not None
        and not (over is not None and over.shows(state.token, beat=state.beat, ttl=state.ttl))
    ):
        return Refusal("held")
    return LeaseState(
        token=max(generation, past) + 1,
        holder=owner,
        beat=0,
        ttl=ttl,
        data=data,
        acquired=acquired,
        unknown={} if state is None else state.unknown,
    )


def renewed(
    state: LeaseState | None,
    generation: int,  # noqa: ARG001 - every transition takes it
    *,
    token: int,
) -> LeaseState | Refusal:
    """Renew under a token that still holds."""
    held = _held_under(token, state)
    return held if isinstance(held, Refusal) else replace(held, beat=held.beat + 1)


def freed(
    state: LeaseState | None,
    generation: int,  # noqa: ARG001 - every transition takes it
    *,
    token: int,
) -> LeaseState | Refusal:
    """Free what is held under a token that still holds."""
    held = _held_under(token, state)
    return held if isinstance(held, Refusal) else replace(held, holder=None, data=None)


def _held_under(token: int, state: LeaseState | None) -> LeaseState | Refusal:
    if state is None or state.token < token or (state.token == token and state.holder is None):
        return Refusal("broken")
    return Refusal("stolen") if state.token > token else state
