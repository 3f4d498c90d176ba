"""Beliefs: who thought from when until when that it held what, under which token."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from scenarios.history import Event, History, Operation, OperationId

ACQUIRE: Final = ("acquire", "try_acquire")
"""The operations that return a token."""

_ENDS = ("released", "lost", "broken")


class Moment(NamedTuple):
    """A time, and the place in the history among the events of that time."""

    at: float
    place: int


NEVER = Moment(math.inf, 0)


class Hold(NamedTuple):
    """What is held, and under which token."""

    object: str
    token: int


@dataclass(frozen=True, slots=True)
class Belief:
    """One stretch of one actor's belief.

    Attributes:
        actor: Whose.
        object: In what, as kind and name.
        token: Under which token.
        begin: From when.
        end: Until when; `NEVER` if the history ends first. It does not include that moment.
        ended_by: `"released"`, `"lost"`, `"broken"`, `"crashed"`; `"deadline"` if it ran out; empty
            if it has not ended.
        renewed: When it was last renewed or acquired.
        ttl: What was stated at its beginning, in seconds; None if nothing was.
        acquired_by: The id of the operation that returned the token, if there is one.
    """

    actor: str
    object: str
    token: int
    begin: Moment
    end: Moment
    ended_by: str
    renewed: float
    ttl: float | None = None
    acquired_by: OperationId | None = None


def beliefs_in(history: History) -> Sequence[Belief]:
    """All beliefs of a history, in the order of their beginnings.

    A belief begins with `acquired`, or with `renewed` where it had ended, and ends with `released`,
    `lost` or `broken`, with the call of operation `release`, with the crash of its actor, or at its
    deadline, whichever comes first. What was broken is not believed any more, whatever is heard of
    it later: its holder may not know yet. An order that has certainly failed has broken nothing.
    """
    return history.once(_all_beliefs)


def beliefs_by_object(history: History) -> Mapping[str, Sequence[Belief]]:
    """The beliefs in each object, in the order of their beginnings."""
    return history.once(_grouped)


def is_held_in(history: History, name: str) -> bool:
    """Whether an object is held: a lease, a semaphore, or what somebody believes to hold."""
    return name.startswith(("lease/", "semaphore/")) or name in beliefs_by_object(history)


def broken_in(history: History) -> Mapping[int, Hold]:
    """What operators have broken, unless their order certainly failed; by place in the history."""
    return history.once(_broken)


def _broken(history: History) -> Mapping[int, Hold]:
    orders: dict[tuple[str, Hold], deque[Operation]] = defaultdict(deque)
    for each in history.operations:
        if each.op == "break":
            orders[each.actor, Hold(each.object, each.args["token"])].append(each)
    broken = {}
    for place, event in enumerate(history):
        if event.name == "broken":
            hold = Hold(event["object"], event["token"])
            own = orders[event.actor, hold]
            # It is said before the order is given.
            order = own.popleft() if own and own[0].begin > place else None
            if order is None or order.outcome != "failed":
                broken[place] = hold
    return broken


def _all_beliefs(history: History) -> Sequence[Belief]:
    return sorted(_Gathering(history).beliefs(), key=lambda belief: belief.begin)


def _grouped(history: History) -> Mapping[str, Sequence[Belief]]:
    grouped: dict[str, list[Belief]] = defaultdict(list)
    for belief in beliefs_in(history):
        grouped[belief.object].append(belief)
    return dict(grouped)


class _Key(NamedTuple):
    actor: str
    object: str
    token: int


class _Gathering:
    def __init__(self, history: History) -> None:
        self._history = history
        self._open: dict[_Key, Belief] = {}
        self._ttls: dict[_Key, float | None] = {}
        self._orders = broken_in(history)
        self._broken: set[Hold] = set()
        self._acquired_by: dict[_Key, OperationId] = {
            _Key(each.actor, each.object, each.value): each.id
            for each in history.operations
            if each.op in ACQUIRE and type(each.value) is int
        }

    def beliefs(self) -> Iterator[Belief]:
        for place, event in enumerate(self._history):
            now = Moment(event.at, place)
            if event.name in ("acquired", "renewed"):
                yield from self._begin(event, now)
            elif event.name in _ENDS or event.name == "crashed":
                for key in self._ended_by(event, now):
                    yield from self._end(key, now, ended_by=event.name)
            elif event.name == "call" and event["op"] == "release":
                key = _Key(event.actor, event["object"], event["args"].get("token"))
                yield from self._end(key, now, ended_by="released")
        yield from self._open.values()

    def _begin(self, event: Event, now: Moment) -> Iterator[Belief]:
        key = _Key(event.actor, event["object"], event["token"])
        if Hold(key.object, key.token) in self._broken:
            return
        if event.name == "acquired":
            self._ttls[key] = event.fields.get("ttl")
        end = deadline_of(event)
        current = self._open.get(key)
        if current is not None and now < current.end:
            begin = current.begin
        else:
            begin = now
            yield from self._end(key, now, ended_by="")
        if now < end:
            self._open[key] = Belief(
                *key,
                begin=begin,
                end=end,
                ended_by="" if end == NEVER else "deadline",
                renewed=event.at,
                ttl=self._ttls.get(key),
                acquired_by=self._acquired_by.get(key),
            )

    def _ended_by(self, event: Event, now: Moment) -> Sequence[_Key]:
        if event.name == "crashed":
            return [key for key in self._open if key.actor == event.actor]
        if event.name == "broken":
            broken = self._orders.get(now.place)
            if broken is None:
                return []
            self._broken.add(broken)
            return [key for key in self._open if Hold(key.object, key.token) == broken]
        return [_Key(event.actor, event["object"], event["token"])]

    def _end(self, key: _Key, now: Moment, *, ended_by: str) -> Iterator[Belief]:
        belief = self._open.pop(key, None)
        if belief is not None:
            yield replace(belief, end=now, ended_by=ended_by) if now < belief.end else belief


def deadline_of(event: Event) -> Moment:
    """The end that `acquired` or `renewed` gives a belief; it precedes all events of its time."""
    if "until" in event.fields:
        return Moment(event["until"], -1)
    if "remaining" in event.fields:
        return Moment(event.at + event["remaining"], -1)
    return NEVER
