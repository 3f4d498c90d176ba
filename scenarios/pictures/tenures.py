"""What the record of a lease or semaphore says: whose token it shows, and in which place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.pictures.beliefs import RELEASED, Belief


@dataclass(frozen=True)
class Tenure:
    """A belief as the record shows it.

    Attributes:
        belief: Whose.
        place: Which of the permits; those beyond the number of permits should not be.
        is_over: When nobody believed it any more.
        is_replaced: When the record showed the next one; as `is_over` where it was given up.
    """

    belief: Belief
    place: int
    is_over: float
    is_replaced: float


def tenures_of(beliefs: Sequence[Belief], *, permits: int, over: float) -> Sequence[Tenure]:
    """Put each belief into the first place that is free when it begins.

    Args:
        beliefs: In the order in which they began.
        permits: How many may hold at once. Of one lease the record shows the last holder until the
            next one; of several permits it is not known whose was taken over.
        over: When the history ends.
    """
    free_at: list[float] = []
    found = []
    for number, belief in enumerate(beliefs):
        place = next(
            (place for place, free in enumerate(free_at) if free <= belief.begins), len(free_at)
        )
        if place == len(free_at):
            free_at.append(0.0)
        free_at[place] = belief.ends
        is_replaced = belief.ends
        if permits == 1 and belief.ended_by != RELEASED:
            later = beliefs[number + 1].begins if number + 1 < len(beliefs) else over
            is_replaced = max(belief.ends, later)
        found.append(Tenure(belief, place, belief.ends, is_replaced))
    return found
