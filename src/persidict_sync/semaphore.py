"""A semaphore: as a lease, with k holders at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Unpack

from persidict_sync.contender import Contender, HoldingSettings
from persidict_sync.context import Context
from persidict_sync.outcome import Refusal, Transition
from persidict_sync.plain import MAX_VALUE_DEPTH
from persidict_sync.record import MAX_INT
from persidict_sync.semaphore_state import PermitState, SemaphoreState, freed, renewed, taken
from persidict_sync.watch import Holding, Watch

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts

MOST_PERMITS: Final = 200
"""So many fit into a record, each with an owner and data of a usual size."""


class Semaphore(Contender[SemaphoreState]):
    """A semaphore of one name: at most `permits` holders at once, each under a token of its own.

    Not guaranteed: that a holder which was frozen after its last check still holds; see `Held`.

    Guaranteed: of the permits whose `Held.check` returns there are never more than `permits`, as
    long as all clocks run true within `drift` and all who use the name agree on it. Tokens strictly
    increase for ever, over all permits. A permit whose holder died is taken over by one who
    watches within `ttl * (1 + 2 * drift)` and two polls, from its last renewal or the watcher's
    first look, whichever is later. Only its own holder keeps a permit alive: what others do to the
    record does not. What was acquired can be renewed for ever, however full the record is.

    Not fair: who waits longest is not first. Not reentrant: one holder may take several permits.
    `with semaphore` ends in the thread that has begun it, the last one that it has begun first;
    `with held` may end in any.

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
            each other, or `expiry` is not `"watch"`. And from whatever looks at the record, if the
            semaphore has another number of permits.
        TypeError: An argument is of the wrong type.

    Example:
        >>> from persidict_sync import Coordinator
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

    # A permit's data is in an object of its own, in a list.
    _most_depth: ClassVar = MAX_VALUE_DEPTH - 2

    def __init__(
        self,
        context: Context,
        name: KeyParts,
        permits: int,
        *,
        expiry: str = "watch",
        **settings: Unpack[HoldingSettings],
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
        self.permits: Final = permits
        cell = context.cell(name, SemaphoreState)
        super().__init__(context, cell, permits=permits, **settings)

    def __repr__(self) -> str:
        permits = "1 permit" if self.permits == 1 else f"{self.permits} permits"
        return f"<Semaphore {self.name!r}, {permits}, ttl {self.terms.ttl} s>"

    def holders(self) -> dict[int, str]:
        """Who holds the permits by the record, by their tokens; one request.

        Not guaranteed: that they are alive.
        """
        state = self._lookout.look().known.state
        return {} if state is None else {one.token: one.owner for one in state.held}

    def _holdings(self, state: SemaphoreState) -> tuple[Holding, ...]:
        if state.permits != self.permits:
            raise ValueError(
                f"The semaphore {self.name!r} has {state.permits} permits, and {self.permits} were "
                "asked for. All who use it must agree; for another number take another name."
            )
        return state.holdings

    def _taking(self, data: Any, *, over: tuple[Watch, ...]) -> Transition[SemaphoreState]:
        permit = PermitState(
            token=MAX_INT, beat=0, ttl=self.terms.ttl, owner=self._context.owner, data=data
        )
        return partial(taken, permits=self.permits, permit=permit, over=over)

    _renewed = staticmethod(renewed)

    def _freed(  # type: ignore[override] # it is only called on an object
        self, state: SemaphoreState | None, generation: int, /, *, token: int
    ) -> SemaphoreState | Refusal:
        after = freed(state, generation, token=token)
        if isinstance(after, SemaphoreState):
            # Before anything is written: who asks for another number of permits changes nothing.
            self._holdings(after)
        return after
