"""Takeover: what nobody holds any more goes to one who waits for it, in time."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from scenarios.beliefs import NEVER, Belief, Moment, beliefs_by_object
from scenarios.checks.exclusion import permits_of
from scenarios.checks.violation import Violation
from scenarios.history import Event, History, Operation

NAME: Final = "takeover in time"

DRIFT: Final = 0.05
ALLOWANCE: Final = 1.0
"""Seconds for requests and scheduling, where the history states nothing else."""

_DISTURBANCES: Final = frozenset({"paused", "resumed", "crashed", "restarted"})


@dataclass(frozen=True, slots=True)
class Takeover:
    """A lease of a dead holder, and who had it next.

    Attributes:
        object: What was held.
        token: The dead holder's.
        died: When it died, in seconds.
        seconds: From there, or from when the first waited for it if that was later, to the next
            belief in it; infinite if there was none.
        allowed: How long it may take one who waits undisturbed.
    """

    object: str
    token: int
    died: float
    seconds: float
    allowed: float


@dataclass(frozen=True)
class _Stretch:
    """A time without interruption, and how long it may be."""

    begin: float
    end: float
    allowed: float = math.inf

    @property
    def is_late(self) -> bool:
        return self.end - self.begin > self.allowed


def check_takeover(history: History) -> Sequence[Violation]:
    """Times in which something was free, and one who waited undisturbed did not get it.

    Something is free when fewer believe to hold it than may: its holder has died, lost it or
    released it. One waits from the call of operation `acquire` to its end. It is disturbed by a
    pause of its own, by any actor's crash, pause or coming back, and by a fault that strikes anyone
    who ever used the object, if its key contains the object's name or there is none that does: for
    a request may be under way. From each the time begins anew. What an operator breaks is free when
    that is certain: once he has been told, or another has what one alone may hold. It may take

        (ttl * (1 + 2 * drift) + poll) / (1 - drift) + allowance

    seconds: the clock of one who waits may be slow by `drift`. `ttl` is the largest that a belief
    in it has stated; `drift`, `poll` and `allowance` are those of `meta`, by default 0.05, once and
    a half the lesser of 1 s and a quarter of `ttl`, and 1 s.

    Args:
        history: What to check.
    """
    return [
        violation
        for name, beliefs in beliefs_by_object(history).items()
        for violation in _violations(history, name, beliefs)
    ]


def takeovers(history: History) -> Sequence[Takeover]:
    """How long each takeover from a dead holder took, for which somebody waited.

    Args:
        history: What to look at.
    """
    return [
        takeover
        for name, beliefs in beliefs_by_object(history).items()
        for belief in beliefs
        if belief.ended_by == "crashed"
        for takeover in _after(history, belief, beliefs, waiting=_waiting(history, name))
    ]


def _violations(history: History, name: str, beliefs: Sequence[Belief]) -> Iterator[Violation]:
    interruptions = sorted(_interruptions(history, name))
    too_long = [
        _Stretch(begin, end, vacancy.allowed)
        for vacancy in _vacancies(history, name, beliefs)
        for begin, end in pairwise(_cut(vacancy, interruptions))
        if end - begin > vacancy.allowed
    ]
    for waiting in _waiting(history, name) if too_long else ():
        undisturbed = _undisturbed(history, waiting)
        late = next((each for each in _common(too_long, undisturbed) if each.is_late), None)
        if late is not None:
            yield _late(waiting, late)


def _after(
    history: History, dead: Belief, beliefs: Sequence[Belief], *, waiting: Sequence[Operation]
) -> Iterator[Takeover]:
    died = dead.end
    later = (each.begin for each in beliefs if each.begin > died)
    next_begins = next(later, None)
    until = math.inf if next_begins is None else next_begins.at
    waited = [
        max(died.at, each.called)
        for each in waiting
        if each.called < until and (each.ended is None or each.ended >= died.at)
    ]
    if waited:
        allowed = _allowed(history, ttl=dead.ttl or 0.0)
        yield Takeover(dead.object, dead.token, died.at, until - min(waited), allowed)


def _waiting(history: History, name: str) -> Sequence[Operation]:
    return [each for each in history.by_object.get(name, ()) if each.op == "acquire"]


def _vacancies(history: History, name: str, beliefs: Sequence[Belief]) -> Iterator[_Stretch]:
    """When it was free after somebody had held it.

    Whoever acquires interrupts it, for the others have looked in vain.
    """
    most = permits_of(history).get(name, 1)
    held = [*beliefs, *_broken_unheard(history, name)]
    ends = [(_certain_end(history, each, beliefs, most=most), -1, each) for each in held]
    changes = sorted(
        [*((each.begin, 1, each) for each in held), *(each for each in ends if each[0] < NEVER)],
        key=lambda change: change[:2],
    )
    end_of_all = history[-1].at
    holding, ttl = 0, None
    for (begin, change, belief), (end, *_) in pairwise([*changes, (NEVER, 0, beliefs[-1])]):
        holding += change
        if change < 0 and belief.ttl is not None:
            ttl = max(ttl or 0.0, belief.ttl)
        if holding < most and ttl is not None and begin.at < end_of_all:
            yield _Stretch(begin.at, min(end.at, end_of_all), _allowed(history, ttl=ttl))


def _broken_unheard(history: History, name: str) -> Iterator[Belief]:
    """What an operator ordered to be freed before its holder had heard that it got it.

    The reply was slow or lost. Nobody is to believe in it, and yet it is held if the order failed.
    """
    broken: set[int] = set()
    for place, event in enumerate(history):
        if event.name not in ("broken", "acquired") or event["object"] != name:
            continue
        token = event["token"]
        if event.name == "broken":
            broken.add(token)
        elif token in broken:
            heard = Moment(event.at, place)
            ttl = event.fields.get("ttl")
            yield Belief(event.actor, name, token, heard, heard, "broken", event.at, ttl)


def _certain_end(
    history: History, belief: Belief, beliefs: Sequence[Belief], *, most: int
) -> Moment:
    """When it was not held any more, whatever became of an operator's order to free it."""
    if belief.ended_by != "broken":
        return belief.end
    orders = [
        each
        for each in history.by_object.get(belief.object, ())
        if each.op == "break" and each.args.get("token") == belief.token
    ]
    if not orders:
        return belief.end
    for each in orders:
        if type(each.value) is bool and each.ended is not None and each.end is not None:
            return max(belief.end, Moment(each.ended, each.end))
    # Of what one alone may hold, the next holder is the proof.
    later = (each.begin for each in beliefs if most == 1 and each.begin > belief.end)
    return next(later, NEVER)


def _allowed(history: History, *, ttl: float) -> float:
    meta: Mapping[str, float] = history.meta
    drift = meta.get("drift", DRIFT)
    poll = meta.get("poll", min(1.0, ttl / 4) * 1.5)
    return (ttl * (1 + 2 * drift) + poll) / (1 - drift) + meta.get("allowance", ALLOWANCE)


def _undisturbed(history: History, waiting: Operation) -> Sequence[_Stretch]:
    """When it was waiting, alive and awake."""
    end = history[-1].at if waiting.ended is None else waiting.ended
    stretches = []
    begin: float | None = waiting.called
    for event in history.events[waiting.begin :]:
        if event.at >= end:
            break
        if event.actor != waiting.actor or event.name not in _DISTURBANCES:
            continue
        if begin is not None:
            stretches.append(_Stretch(begin, event.at))
        begin = event.at if event.name == "resumed" else None
    return stretches if begin is None else [*stretches, _Stretch(begin, end)]


def _interruptions(history: History, name: str) -> Iterator[float]:
    for event in history:
        if event.name in _DISTURBANCES:
            yield event.at
    for fault in _faults(history, name):
        yield fault.at
        if "until" in fault.fields:
            yield fault["until"]


def _faults(history: History, name: str) -> Sequence[Event]:
    """Those of its users that may concern it."""
    users = {each.actor for each in history.by_object.get(name, ())}
    faults = [event for event in history if event.name == "fault" and event.actor in users]
    named = [fault for fault in faults if name in fault.fields.get("key", "")]
    if not named:
        # Perhaps its key is not called as it is.
        return faults
    return [*named, *(fault for fault in faults if "key" not in fault.fields)]


def _cut(stretch: _Stretch, at: Sequence[float]) -> Sequence[float]:
    first, last = bisect_right(at, stretch.begin), bisect_left(at, stretch.end)
    return [stretch.begin, *at[first:last], stretch.end]


def _common(ones: Sequence[_Stretch], others: Sequence[_Stretch]) -> Iterator[_Stretch]:
    for one in ones:
        for other in others:
            begin, end = max(one.begin, other.begin), min(one.end, other.end)
            if begin < end:
                yield replace(one, begin=begin, end=end)


def _late(waiting: Operation, late: _Stretch) -> Violation:
    seconds = late.end - late.begin
    return Violation(
        check=NAME,
        object=waiting.object,
        text=f"{waiting.actor} waited undisturbed for {seconds:.3f} s for what nobody held; "
        f"{late.allowed:.3f} s are allowed",
        at=late.begin + late.allowed,
        operations=(waiting.id,),
    )
