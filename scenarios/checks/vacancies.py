"""Vacancies: when something was free that had been held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from scenarios.beliefs import NEVER, Belief, Moment, broken_in
from scenarios.checks.exclusion import permits_of
from scenarios.checks.stretches import Stretch
from scenarios.history import History, Operation

DRIFT: Final = 0.05
ALLOWANCE: Final = 1.0
"""Seconds for requests and scheduling, where the history states nothing else."""


def vacancies(history: History, name: str, beliefs: Sequence[Belief]) -> Iterator[Stretch]:
    """When it was free after somebody had held it, and how long one may wait for it then.

    Whoever acquires interrupts it, for the others have looked in vain.

    Args:
        history: The history.
        name: Of what.
        beliefs: All in it.
    """
    most = permits_of(history).get(name, 1)
    held = [*beliefs, *_broken_unheard(history, name, beliefs)]
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
            yield Stretch(begin.at, min(end.at, end_of_all), longest_wait(history, ttl=ttl))


def _broken_unheard(history: History, name: str, beliefs: Sequence[Belief]) -> Iterator[Belief]:
    """What an operator ordered to be freed when its holder did not believe that it holds it.

    It has heard too late, that it got it or that it holds it still. Nobody is to believe in it, and
    yet it is held if the order failed.
    """
    broken: dict[int, int] = {}
    for place, hold in broken_in(history).items():
        if hold.object == name:
            broken.setdefault(hold.token, place)
    known = {each.token for each in beliefs if each.ended_by == "broken"}
    for place, event in enumerate(history.events if broken else ()):
        if event.name not in ("acquired", "renewed") or event["object"] != name:
            continue
        token = event["token"]
        if token not in known and broken.get(token, place) < place:
            known.add(token)
            heard = Moment(event.at, place)
            ttl = event.fields.get("ttl")
            yield Belief(event.actor, name, token, heard, heard, "broken", event.at, ttl)


def _certain_end(
    history: History, belief: Belief, beliefs: Sequence[Belief], *, most: int
) -> Moment:
    """When it was not held any more, whatever became of an operator's order to free it."""
    if belief.ended_by != "broken":
        return belief.end
    operations = history.by_object.get(belief.object, ())
    if not any(_is_of(each, "break", belief) for each in operations):
        return belief.end
    for each in operations:
        is_told = _is_of(each, "break", belief) and type(each.value) is bool
        is_freed = _is_of(each, "release", belief) and each.value is True
        if (is_told or is_freed) and each.ended is not None and each.end is not None:
            return max(belief.end, Moment(each.ended, each.end))
    # Of what one alone may hold, the next holder is the proof.
    later = (each.begin for each in beliefs if most == 1 and each.begin > belief.end)
    return next(later, NEVER)


def _is_of(operation: Operation, op: str, belief: Belief) -> bool:
    return operation.op == op and operation.args.get("token") == belief.token


def longest_wait(history: History, *, ttl: float) -> float:
    """How long one may wait for what is free, in seconds, as `check_takeover` states it."""
    meta: Mapping[str, float] = history.meta
    drift = meta.get("drift", DRIFT)
    poll = meta.get("poll", min(1.0, ttl / 4) * 1.5)
    return (ttl * (1 + 2 * drift) + poll) / (1 - drift) + meta.get("allowance", ALLOWANCE)
