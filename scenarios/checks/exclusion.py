"""Mutual exclusion and permits: never do more believe to hold something than may."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from math import inf, isfinite
from typing import Final

from scenarios.beliefs import Belief, Hold, Moment, beliefs_by_object, broken_in
from scenarios.checks.violation import Violation
from scenarios.history import History, Operation

MUTUAL_EXCLUSION: Final = "mutual exclusion"
PERMIT_BOUND: Final = "permit bound"


def check_mutual_exclusion(history: History) -> Sequence[Violation]:
    """Beliefs in a thing for one that overlap, and checks that passed after a successor acquired.

    Whoever is frozen believes until its deadline by its own clock, and no longer. Whom an operator
    has broken is not held to it.

    Args:
        history: What to check.
    """
    return [
        *_crowds(history, check=MUTUAL_EXCLUSION),
        *_come_back(history),
        *_passed_too_late(history),
    ]


def check_permit_bound(history: History) -> Sequence[Violation]:
    """Moments at which more believe to hold a permit of a semaphore than it has.

    Args:
        history: What to check.

    Raises:
        ValueError: It does not say how many permits a semaphore has.
    """
    return [*_crowds(history, check=PERMIT_BOUND)]


def permits_of(history: History) -> Mapping[str, int]:
    """How many may hold each thing that somebody believed to hold: 1, unless it is a semaphore.

    Raises:
        ValueError: The history does not say how many, or says different things.
    """
    return history.once(_permits)


def _permits(history: History) -> Mapping[str, int]:
    stated: dict[str, set[int]] = defaultdict(set)
    for name, permits in history.meta.get("permits", {}).items():
        stated[name].add(permits)
    acquired = [event for event in history if event.name == "acquired"]
    for event in acquired:
        if "permits" in event.fields:
            stated[event["object"]].add(event["permits"])
    for operation in history.operations:
        if operation.kind == "semaphore" and type(operation.value) is int:
            stated[operation.object].update(
                [operation.args["permits"]] if "permits" in operation.args else []
            )
    permits = {}
    believed = (event["object"] for event in history if event.name in ("acquired", "renewed"))
    for name in dict.fromkeys(believed):
        numbers = stated[name] or set() if name.startswith("semaphore/") else stated[name] or {1}
        if len(numbers) != 1:
            raise ValueError(f"{name}: its permits are stated as {sorted(numbers) or 'nothing'}")
        permits[name] = numbers.pop()
    return permits


def _crowds(history: History, *, check: str) -> Iterator[Violation]:
    permits = permits_of(history)
    for name, beliefs in beliefs_by_object(history).items():
        most = permits.get(name, 1)
        if (most == 1) is not (check == MUTUAL_EXCLUSION):
            continue
        holding: list[Belief] = []
        for belief in beliefs:
            holding = [each for each in holding if belief.begin < each.end]
            holding.append(belief)
            if len({(each.actor, each.token) for each in holding}) > most:
                yield _crowd(holding, check=check, most=most)


def _crowd(holding: Sequence[Belief], *, check: str, most: int) -> Violation:
    last = holding[-1]
    held = ", ".join(f"{each.actor} under token {each.token}" for each in holding)
    seconds = min(each.end.at for each in holding) - last.begin.at
    how_long = f"for {seconds:.3f} s" if isfinite(seconds) else "from then on"
    return Violation(
        check=check,
        object=last.object,
        text=f"at most {most} may hold it, and {len(holding)} believed to, {how_long}: {held}",
        at=last.begin.at,
        operations=tuple(
            each.acquired_by for each in reversed(holding) if each.acquired_by is not None
        ),
        tokens=tuple(each.token for each in reversed(holding)),
    )


def _come_back(history: History) -> Iterator[Violation]:
    """Beliefs that begin anew when a successor has come and gone."""
    permits = permits_of(history)
    for name, beliefs in beliefs_by_object(history).items():
        if permits[name] > 1:
            continue
        known: set[tuple[str, int]] = set()
        highest = beliefs[0]
        for belief in beliefs:
            who = (belief.actor, belief.token)
            # One that has not gone yet is a crowd, which is told of there.
            if who in known and highest.token > belief.token and highest.end <= belief.begin:
                yield _again(belief, highest)
            known.add(who)
            highest = _higher(highest, belief)


def _again(belief: Belief, successor: Belief) -> Violation:
    ids = (belief.acquired_by, successor.acquired_by)
    return Violation(
        check=MUTUAL_EXCLUSION,
        object=belief.object,
        text=f"{belief.actor} believed again that it holds it under token {belief.token}, after "
        f"{successor.actor} had held it under token {successor.token}",
        at=belief.begin.at,
        operations=tuple(each for each in ids if each is not None),
        tokens=(belief.token, successor.token),
    )


def _passed_too_late(history: History) -> Iterator[Violation]:
    broken: dict[Hold, int] = {}
    for place, hold in broken_in(history).items():
        broken.setdefault(hold, place)
    permits = permits_of(history)
    beliefs = beliefs_by_object(history)
    for name, operations in history.by_object.items():
        passed = [each for each in operations if each.op == "check" and each.value is True]
        if permits.get(name, 1) > 1 or name not in beliefs:
            continue
        begins = [each.begin for each in beliefs[name]]
        highest = [*accumulate(beliefs[name], _higher)]
        for check in passed:
            before = bisect_left(begins, Moment(check.called, check.begin))
            token = check.args["token"]
            is_overtaken = before > 0 and highest[before - 1].token > token
            if is_overtaken and not broken.get(Hold(name, token), inf) < (check.end or 0):
                yield _too_late(check, highest[before - 1])


def _higher(one: Belief, other: Belief) -> Belief:
    return one if one.token >= other.token else other


def _too_late(check: Operation, successor: Belief) -> Violation:
    token = check.args["token"]
    ids = (check.id, successor.acquired_by)
    return Violation(
        check=MUTUAL_EXCLUSION,
        object=check.object,
        text=f"{check.actor} was told that it still holds it under token {token}, after "
        f"{successor.actor} had acquired it under token {successor.token}",
        at=check.called,
        operations=tuple(each for each in ids if each is not None),
        tokens=(token, successor.token),
    )
