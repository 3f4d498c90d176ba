"""Tokens: each acquisition has one of its own, higher than those of all before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.beliefs import beliefs_by_object
from scenarios.checks.violation import Violation
from scenarios.history import History, OperationId

NAME: Final = "rising tokens"


@dataclass(frozen=True, slots=True)
class _Acquisition:
    """A token, and between which places of the history it was drawn."""

    actor: str
    token: int
    begin: int
    end: int
    at: float
    operation: OperationId | None


def check_tokens(history: History) -> Sequence[Violation]:
    """Tokens that were given twice, or were lower than one that had been given before.

    An acquisition that was called after another had ended has the higher token; where the history
    has no operation for it, its token was drawn just before the belief began.

    Args:
        history: What to check.
    """
    return [
        violation
        for name, acquisitions in _acquisitions(history).items()
        for violation in _violations(name, acquisitions)
    ]


def _acquisitions(history: History) -> dict[str, list[_Acquisition]]:
    found: dict[str, list[_Acquisition]] = {}
    for name, operations in history.by_object.items():
        for each in operations:
            if each.op in ("acquire", "try_acquire") and type(each.value) is int:
                assert each.end is not None
                assert each.ended is not None
                one = _Acquisition(
                    each.actor, each.value, each.begin, each.end, each.ended, each.id
                )
                found.setdefault(name, []).append(one)
    for name, beliefs in beliefs_by_object(history).items():
        known = {(each.actor, each.token) for each in found.get(name, ())}
        for belief in beliefs:
            who = belief.actor, belief.token
            if who not in known:
                known.add(who)
                place = belief.begin.place
                one = _Acquisition(*who, place, place, belief.begin.at, None)
                found.setdefault(name, []).append(one)
    return found


def _violations(name: str, acquisitions: Sequence[_Acquisition]) -> Iterator[Violation]:
    by_end = sorted(acquisitions, key=lambda each: each.end)
    ended = 0
    highest: _Acquisition | None = None
    first: dict[int, _Acquisition] = {}
    for each in sorted(acquisitions, key=lambda each: each.begin):
        while by_end[ended].end < each.begin:
            if highest is None or by_end[ended].token > highest.token:
                highest = by_end[ended]
            ended += 1
        twin = first.setdefault(each.token, each)
        if twin is not each:
            yield _violation(name, each, twin, f"token {each.token} was given twice")
        elif highest is not None and each.token <= highest.token:
            yield _violation(
                name, each, highest, f"token {each.token} was given after token {highest.token}"
            )


def _violation(name: str, one: _Acquisition, other: _Acquisition, text: str) -> Violation:
    ids = (one.operation, other.operation)
    return Violation(
        check=NAME,
        object=name,
        text=f"{text}: to {one.actor} and {other.actor}",
        at=one.at,
        operations=tuple(each for each in ids if each is not None),
        tokens=(one.token, other.token),
    )
