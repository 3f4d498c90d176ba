"""Who believed when to hold a lease, put together from the workers' logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.journal import Event


@dataclass
class Belief:
    """One worker's belief of holding under one token.

    It ends when the worker says that it releases, when it is told of the loss, or at the deadline
    that it knew by its own clock: a frozen one cannot say when. A dead one's lease lasts as long,
    so nobody else may hold until then either.

    Attributes:
        worker: Who believed it.
        token: The fencing token.
        begins: When it had acquired.
        deadline: Until when the last renewal that it knew of lasted.
        released: When it began to release; None if it did not.
        lost: When it was told of the loss; None if it was not.
        renewals: How often it was renewed.
        data: What it told others of itself.
    """

    worker: str
    token: int
    begins: float
    deadline: float
    released: float | None = None
    lost: float | None = None
    renewals: int = 0
    data: Any = None

    @property
    def ends(self) -> float:
        """When it ended."""
        told = (at for at in (self.released, self.lost) if at is not None)
        return min([self.deadline, *told])

    @property
    def is_lost(self) -> bool:
        """Whether it ended otherwise than by release."""
        return self.released is None or self.released > self.ends


def beliefs_in(
    logs: Mapping[str, Iterable[Event]],
    *,
    name: str,
    frozen: str | None = None,
    frozen_at: float | None = None,
) -> Sequence[Belief]:
    """All beliefs of holding a lease, in the order in which they began.

    Args:
        logs: Every worker's own log.
        name: The lease, `kind/name`.
        frozen: Who was frozen.
        frozen_at: When it had stopped.
    """
    beliefs = [
        belief
        for worker, events in logs.items()
        for belief in _of_one(events, name=name, frozen_at=frozen_at if worker == frozen else None)
    ]
    return sorted(beliefs, key=lambda belief: belief.begins)


def _of_one(events: Iterable[Event], *, name: str, frozen_at: float | None) -> Sequence[Belief]:
    beliefs: list[Belief] = []
    by_token: dict[int, Belief] = {}
    # Threads of one worker write to its log, so lines may be a little out of order.
    for event in sorted(events, key=lambda event: event.at):
        if event.fields.get("object") != name:
            continue
        if event.name == "acquired":
            deadline = event.at + event["remaining"]
            data = event.fields.get("data")
            belief = Belief(event.actor, event["token"], event.at, deadline, data=data)
            beliefs.append(belief)
            by_token[belief.token] = belief
        elif event.fields.get("token") in by_token:
            _note(event, by_token[event["token"]], frozen_at=frozen_at)
    return beliefs


def _note(event: Event, belief: Belief, *, frozen_at: float | None) -> None:
    if event.name == "renewed":
        belief.renewals += 1
        # Looked at before the worker froze, and logged when it went on: the time between is gone.
        is_late = frozen_at is not None and belief.begins <= frozen_at < event.at
        looked = frozen_at if frozen_at is not None and is_late else event.at
        belief.deadline = max(belief.deadline, looked + event["remaining"])
    elif event.name == "released":
        belief.released = event.at
    elif event.name == "lost":
        belief.lost = event.at
