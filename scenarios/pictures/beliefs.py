"""Who believed when to hold what, and who did at the same time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scenarios.events import Event
from scenarios.history import History

RELEASED = "released"
RAN_OUT = "ran out"
CRASHED = "crashed"
OPEN = "open"


@dataclass(eq=False)
class Belief:
    """One actor's belief of holding an object under one token.

    Attributes:
        actor: Who believed it.
        object: What, as kind and name.
        token: Under which token.
        begins: When it had acquired.
        ends: When it stopped believing, whether it noticed or not.
        end: How: `released`, `lost` (it was told so), `broken`, `ran out` (by its own clock),
            `crashed`, or `open` when the history ends before.
        told: When it was told that it had lost, if it was.
        reason: Why, as it was told.
        renewals: How often it was renewed.
        holders: How many may hold at once, where the event says it.
    """

    actor: str
    object: str
    token: int
    begins: float
    ends: float
    end: str = OPEN
    told: float | None = None
    reason: str | None = None
    renewals: int = 0
    holders: int | None = None


class Crowd(NamedTuple):
    """A stretch in which more believed to hold than may."""

    begins: float
    ends: float
    beliefs: tuple[Belief, ...]


def beliefs_in(history: History) -> Mapping[str, Sequence[Belief]]:
    """All beliefs about each object, in the order in which they began."""
    reader = _Reader(history.events[-1].at)
    for event in history:
        reader.read(event)
    return reader.beliefs()


def permits_of(object_: str, beliefs: Sequence[Belief], *, history: History) -> int:
    """How many may hold an object at once."""
    stated = history.meta.get("permits", {}).get(object_)
    told = (belief.holders for belief in beliefs if belief.holders is not None)
    return stated if isinstance(stated, int) else next(told, 1)


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
    for number, (at, is_beginning, place) in enumerate(edges):
        if is_beginning:
            holding[place] = beliefs[place]
        else:
            holding.pop(place)
        until = edges[number + 1][0] if number + 1 < len(edges) else at
        if len(holding) > permits and until > at:
            found.append(Crowd(at, until, tuple(holding.values())))
    return found


class _Reader:
    """Reads a history's events into beliefs."""

    def __init__(self, over: float) -> None:
        self._over = over
        self._found: defaultdict[str, list[Belief]] = defaultdict(list)
        self._until: dict[int, float] = {}
        self._current: dict[tuple[str, str, int], Belief] = {}

    def read(self, event: Event) -> None:
        """Take the next event."""
        if event.name == "acquired":
            self._begin(event)
        elif event.name == "crashed":
            for belief in self._of(event.actor):
                self._end(belief, event.at, CRASHED)
        elif event.name in ("renewed", "released", "lost", "broken"):
            self._change(event, token=event["token"])
        elif event.name == "call" and event["op"] == "release":
            self._change(event, token=event["args"].get("token"))

    def beliefs(self) -> Mapping[str, Sequence[Belief]]:
        """All that was found."""
        for beliefs in self._found.values():
            for belief in beliefs:
                until = self._until.get(id(belief), self._over)
                if belief.end == OPEN and until < self._over:
                    belief.ends, belief.end = until, RAN_OUT
        return dict(self._found)

    def _begin(self, event: Event) -> None:
        permits = event.fields.get("permits")
        belief = Belief(
            event.actor, event["object"], event["token"], event.at, self._over, holders=permits
        )
        self._found[belief.object].append(belief)
        self._current[event.actor, belief.object, belief.token] = belief
        self._note_until(belief, event)

    def _change(self, event: Event, *, token: object) -> None:
        belief = self._current.get((event.actor, event["object"], token))  # type: ignore[arg-type]
        if belief is None:
            return
        if event.name == "renewed":
            belief.renewals += 1
            self._note_until(belief, event)
        elif event.name == "lost":
            belief.told, belief.reason = event.at, event["reason"]
            self._end(belief, event.at, "lost")
        else:
            self._end(belief, event.at, RELEASED if event.name == "call" else event.name)

    def _note_until(self, belief: Belief, event: Event) -> None:
        if "until" in event.fields:
            self._until[id(belief)] = max(self._until.get(id(belief), 0.0), event["until"])

    def _end(self, belief: Belief, at: float, how: str) -> None:
        if belief.end == OPEN:
            until = self._until.get(id(belief), at)
            belief.ends, belief.end = (until, RAN_OUT) if until < at else (at, how)

    def _of(self, actor: str) -> Iterator[Belief]:
        return (belief for belief in self._current.values() if belief.actor == actor)
