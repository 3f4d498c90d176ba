"""A semaphore's record, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from persidict_sync.errors import RecordError
from persidict_sync.outcome import Refusal
from persidict_sync.record import digits_left
from persidict_sync.state import State
from persidict_sync.watch import Holding, Watch


@dataclass(frozen=True, kw_only=True)
class PermitState(State):
    """One permit that is held; only its holder renews it.

    Attributes:
        token: Its fencing token, which no other permit of the semaphore ever has.
        beat: How often its holder has renewed it.
        ttl: Seconds that it lasts without being renewed.
        owner: Who holds it, for people.
        data: What its holder says to others.
    """

    kind: ClassVar[str] = "permit"

    token: int
    beat: int
    ttl: float
    owner: str
    data: Any

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The state in a body."""
        state = super().parse(body)
        if state.token < 1 or state.beat < 0 or not state.ttl > 0:
            raise RecordError("a permit's token, beat or ttl is out of range")
        return state


@dataclass(frozen=True, kw_only=True)
class SemaphoreState(State):
    """A semaphore's record.

    Attributes:
        permits: How many may be held at once.
        token: The highest token ever handed out.
        held: The permits that are held, the oldest first.
    """

    kind: ClassVar[str] = "semaphore"

    permits: int
    token: int
    held: tuple[PermitState, ...]

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The state in a body."""
        state = super().parse(body)
        tokens = [permit.token for permit in state.held]
        if tokens != sorted(set(tokens)) or any(token > state.token for token in tokens):
            raise RecordError("the tokens of its permits are not distinct and in order")
        if state.permits < 1 or len(tokens) > state.permits:
            raise RecordError("it has more permits held than there are")
        return state

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """What is held, the oldest first."""
        return tuple(Holding(one.owner, one.token, one.beat, one.ttl) for one in self.held)


def taken(
    state: SemaphoreState | None,
    generation: int,
    *,
    permits: int,
    permit: PermitState,
    over: tuple[Watch, ...],
) -> SemaphoreState | Refusal:
    """Take a permit that is free, or one of those not renewed since `over`, whose time is up.

    `permit` is what is to be held; its token is drawn here. Room is left for every renewal of every
    holder, and for tokens that rise: what fits once fits as long as the semaphore is used.
    """
    if state is None:
        state = SemaphoreState(permits=permits, token=0, held=())
    if state.permits != permits:
        return Refusal("permits")
    held = list(state.held)
    if len(held) == permits:
        stale = next((one for one in held if any(shows(watch, one) for watch in over)), None)
        if stale is None:
            return Refusal("held")
        held.remove(stale)
    token = state.token + 1
    after = replace(state, token=token, held=(*held, replace(permit, token=token)))
    return replace(after, room=room_of(after, generation=generation + 1))


def room_of(state: SemaphoreState, *, generation: int) -> int:
    """Bytes by which the record may grow until all its numbers are as long as they can become."""
    rising = [number for one in state.held for number in (one.token, one.beat)]
    return sum(map(digits_left, (generation, state.token, *rising)))


def renewed(state: SemaphoreState | None, _: int, *, token: int) -> SemaphoreState | Refusal:
    """Renew the permit of this token; the others are left as they are."""
    found = permit_of(state, token)
    if isinstance(found, Refusal):
        return found
    assert state is not None
    held = (replace(one, beat=one.beat + 1) if one is found else one for one in state.held)
    return replace(state, held=tuple(held))


def freed(state: SemaphoreState | None, _: int, *, token: int) -> SemaphoreState | Refusal:
    """Give back the permit of this token; the others are left as they are."""
    found = permit_of(state, token)
    if isinstance(found, Refusal):
        return found
    assert state is not None
    return replace(state, held=tuple(one for one in state.held if one is not found))


def permit_of(state: SemaphoreState | None, token: int) -> PermitState | Refusal:
    """The permit of this token, or why there is none."""
    if state is None or state.token < token:
        return Refusal("broken")
    found = next((one for one in state.held if one.token == token), None)
    # A permit leaves the record only by its holder, by a contender, or by an operator.
    return found or Refusal("stolen")


def shows(watch: Watch, permit: PermitState) -> bool:
    """Whether the permit is still what was watched."""
    return watch.shows(permit.token, beat=permit.beat, ttl=permit.ttl)
