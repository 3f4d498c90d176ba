"""Sequences: no number is handed out twice, and each actor's numbers rise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scenarios.checks.violation import Violation
from scenarios.history import History, Operation

NAME: Final = "unique numbers"


def check_sequences(history: History) -> Sequence[Violation]:
    """Numbers that were handed out twice, or that fell for one actor.

    Args:
        history: What to check.
    """
    return [
        violation
        for operations in history.by_object.values()
        if operations[0].kind == "sequence"
        for violation in _violations(operations)
    ]


def _violations(operations: Sequence[Operation]) -> Iterator[Violation]:
    returned = [each for each in operations if each.op == "next" and each.outcome == "returned"]
    first: dict[int, Operation] = {}
    by_end = sorted(returned, key=lambda each: each.end or 0)
    ended = 0
    highest: dict[str, Operation] = {}
    for each in returned:
        while by_end[ended].precedes(each):
            before = by_end[ended]
            ended += 1
            if before.actor not in highest or before.value > highest[before.actor].value:
                highest[before.actor] = before
        twin = first.setdefault(each.value, each)
        if twin is not each:
            text = f"{each.value!r} was handed to {twin.actor} and to {each.actor}"
            yield Violation.between(each, twin, check=NAME, text=text)
        elif each.actor in highest and each.value < highest[each.actor].value:
            before = highest[each.actor]
            text = f"{each.actor} was handed {each.value!r} after {before.value!r}"
            yield Violation.between(each, before, check=NAME, text=text)
