"""Tokens: each acquisition has one of its own, higher than those of all before it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.beliefs import ACQUIRE, Moment, deadline_of, is_held_in
from scenarios.checks.exclusion import permits_of
from scenarios.checks.violation import Violation
from scenarios.history import History, OperationId

NAME: Final = "rising tokens"


@dataclass(frozen=True, slots=True)
class _Acquisition:
    """A token, and between which places of the history it was drawn."""

    object: str
    actor: str
    token: int
    begin: int
    end: int
    at: float
    operation: OperationId | None


def check_tokens(history: History) -> Sequence[Violation]:
    """Tokens that were given twice, or were lower than one that had been given before.

    An acquisition that was called after another had ended has the higher token. Where the history
    has no operation for it, its token was drawn just before its belief began, or, of what many may
    hold, at any time before: several may hear of theirs in another order.

    Args:
        history: What to check.
    """
    return [
        violation
        for name, acquisitions in _acquisitions(history).items()
        for violation in _violations(name, acquisitions)
    ]


def _acquisitions(history: History) -> Mapping[str, Sequence[_Acquisition]]:
    found: dict[str, list[_Acquisition]] = defaultdict(list)
    for one in (*_returned(history), *_untold(history)):
        found[one.object].append(one)
    return found


def _returned(history: History) -> Iterator[_Acquisition]:
    for each in history.operations:
        if each.op not in ACQUIRE or type(each.value) is not int:
            continue
        if is_held_in(history, each.object) and each.end is not None and each.ended is not None:
            yield _Acquisition(
                each.object, each.actor, each.value, each.begin, each.end, each.ended, each.id
            )


def _untold(history: History) -> Iterator[_Acquisition]:
    """Those of which only the belief is known."""
    told = Counter((each.object, each.actor, each.token) for each in _returned(history))
    for place, event in enumerate(history):
        if event.name not in ("acquired", "renewed"):
            continue
        who = (event["object"], event.actor, event["token"])
        is_too_late = deadline_of(event) <= Moment(event.at, place)
        if is_too_late or (event.name == "renewed" and who in told):
            continue
        told[who] -= 1
        if told[who] < 0:
            begin = 0 if permits_of(history)[event["object"]] > 1 else place
            yield _Acquisition(*who, begin, place, event.at, None)


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
        elif highest is not None and each.token < highest.token:
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
