"""Who believed when to hold something, with what an audit of a lease asks of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scenarios import beliefs
from scenarios.history import History


@dataclass(frozen=True)
class Belief:
    """One worker's belief of holding under one token.

    Attributes:
        worker: Who believed it.
        token: The fencing token.
        begins: When it had acquired.
        ends: When it released or was told of its loss, or the deadline that it knew: a frozen
            one cannot say when, and a dead one's lease lasts as long, so nobody else may hold
            until then either.
        is_lost: Whether it ended otherwise than by release.
        renewals: How often it was renewed.
        data: What it told others of itself.
    """

    worker: str
    token: int
    begins: float
    ends: float
    is_lost: bool
    renewals: int = 0
    data: Any = None


def beliefs_in(history: History, *, name: str) -> Sequence[Belief]:
    """All beliefs of holding `name`, `kind/name`, in the order in which they began."""
    about = [event for event in history if event.fields.get("object") == name]
    renewals = Counter((event.actor, event["token"]) for event in about if event.name == "renewed")
    data = {
        (event.actor, event["token"]): event.fields.get("data")
        for event in about
        if event.name == "acquired"
    }
    return [
        Belief(
            found.actor,
            found.token,
            found.begin.at,
            found.end.at,
            is_lost=found.ended_by != "released",
            renewals=renewals[found.actor, found.token],
            data=data.get((found.actor, found.token)),
        )
        for found in beliefs.beliefs_by_object(history).get(name, ())
    ]
