"""Fencing: once a successor's write is accepted, no older one is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from scenarios.checks.violation import Violation
from scenarios.history import History, Operation

NAME: Final = "fenced writes"


def check_fencing(history: History) -> Sequence[Violation]:
    """Writes that were accepted although one under a higher token had been accepted before.

    Args:
        history: What to check.
    """
    return [
        violation
        for operations in history.by_object.values()
        if operations[0].kind == "fenced"
        for violation in _violations(operations)
    ]


def _violations(operations: Sequence[Operation]) -> Iterator[Violation]:
    accepted = [each for each in operations if each.op == "write" and each.outcome == "returned"]
    by_end = sorted(accepted, key=lambda each: each.end or 0)
    ended = 0
    highest: Operation | None = None
    for write in accepted:
        while by_end[ended].precedes(write):
            if highest is None or _token(by_end[ended]) > _token(highest):
                highest = by_end[ended]
            ended += 1
        if highest is not None and _token(write) < _token(highest):
            text = (
                f"{write.actor}'s write under token {_token(write)} was accepted after "
                f"{highest.actor}'s under token {_token(highest)}"
            )
            violation = Violation.between(write, highest, check=NAME, text=text)
            yield replace(violation, tokens=(_token(write), _token(highest)))


def _token(write: Operation) -> int:
    token: int = write.args["token"]
    return token
