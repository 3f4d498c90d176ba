"""Beliefs as they are drawn: with what is told of them, and where too many were held at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from scenarios.beliefs import beliefs_by_object
from scenarios.checks.exclusion import permits_of
from scenarios.history import History

RELEASED: Final = "released"
OPEN: Final = ""


@dataclass(frozen=True, eq=False)
class Belief:
    """One actor's belief of holding an object under one token.

    Attributes:
        actor: Who believed it.
        object: What, as kind and name.
        token: Under which token.
        begins: When it had acquired.
        ends: When it stopped believing, whether it noticed or not.
        ended_by: As of `scenarios.beliefs.Belief`.
        told: When it was told that it had lost it; None if it was not.
        reason: Why, as it was told.
        renewals: How often it was renewed.
    """

    actor: str
    object: str
    token: int
    begins: float
    ends: float
    ended_by: str = OPEN
    told: float | None = None
    reason: str = ""
    renewals: int = 0


class Crowd(NamedTuple):
    """A stretch in which more believed to hold than may.

    Attributes:
        begins: When it began.
        ends: When it was over.
        most: How many did at once at most.
        beliefs: All who did meanwhile.
    """

    begins: float
    ends: float
    most: int
    beliefs: tuple[Belief, ...]


def beliefs_in(history: History) -> Mapping[str, Sequence[Belief]]:
    """All beliefs about each object, in the order in which they began."""
    renewals: defaultdict[tuple[str, str, int], int] = defaultdict(int)
    losses: dict[tuple[str, str, int], tuple[float, str]] = {}
    for event in history:
        if event.name == "renewed":
            renewals[event.actor, event["object"], event["token"]] += 1
        elif event.name == "lost":
            losses[event.actor, event["object"], event["token"]] = (event.at, event["reason"])
    over = history.events[-1].at
    found: dict[str, Sequence[Belief]] = {}
    for name, beliefs in beliefs_by_object(history).items():
        keys = [(each.actor, name, each.token) for each in beliefs]
        found[name] = [
            Belief(
                *key,
                each.begin.at,
                min(over, each.end.at),
                OPEN if each.end.at > over else each.ended_by,
                losses[key][0] if key in losses else None,
                losses[key][1] if key in losses else "",
                renewals[key],
            )
            for key, each in zip(keys, beliefs, strict=True)
        ]
    return found


def permits_for(object_: str, *, history: History) -> int:
    """How many may hold an object at once; 1 where the history does not say."""
    try:
        return permits_of(history).get(object_, 1)
    except ValueError:
        return 1


def crowds(beliefs: Sequence[Belief], *, permits: int) -> Sequence[Crowd]:
    """Where more than may believed to hold at once, in order."""
    edges = sorted(
        edge
        for place, belief in enumerate(beliefs)
        for edge in ((belief.begins, 1, place), (belief.ends, 0, place))
        if belief.ends > belief.begins
    )
    found: list[Crowd] = []
    holding: dict[int, Belief] = {}
    seen: dict[int, Belief] = {}
    began, most = 0.0, 0
    for at, is_beginning, place in edges:
        was_crowded = len(holding) > permits
        if is_beginning:
            holding[place] = beliefs[place]
        else:
            del holding[place]
        if len(holding) > permits:
            began = began if was_crowded else at
            seen |= holding
            most = max(most, len(holding))
        elif was_crowded:
            found.append(Crowd(began, at, most, tuple(seen.values())))
            seen, most = {}, 0
    return found
