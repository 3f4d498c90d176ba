"""Freed for good: what was released or broken is never held under that token again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from scenarios.beliefs import Hold, is_held_in
from scenarios.checks.violation import Violation
from scenarios.history import History, Operation, OperationId

NAME: Final = "freed for good"


def check_freed(history: History) -> Sequence[Violation]:
    """Tokens under which something is held after it was freed.

    It was freed when `release` or `break` of its token has returned true. Of what is called later,
    `holder` and `holders` do not name the token, and `renew`, `release` and `break` of it do not
    return true. Its holder may hear of one renewal that was under way; a second one was sent later.

    Args:
        history: What to check.
    """
    freed = freed_in(history)
    return sorted(
        [*_shown(history, freed), *_renewed(history, freed)], key=lambda violation: violation.at
    )


def freed_in(history: History) -> Mapping[Hold, Operation]:
    """What has certainly been freed, and by which operation."""
    return history.once(_freed)


def _freed(history: History) -> Mapping[Hold, Operation]:
    freed: dict[Hold, Operation] = {}
    for each in history.operations:
        if each.op not in ("release", "break") or each.value is not True:
            continue
        if is_held_in(history, each.object):
            hold = Hold(each.object, each.args["token"])
            before = freed.get(hold)
            if before is None or (each.end or 0) < (before.end or 0):
                freed[hold] = each
    return freed


def _shown(history: History, freed: Mapping[Hold, Operation]) -> Iterator[Violation]:
    for each in history.operations if freed else ():
        for token in _tokens_in(each):
            by = freed.get(Hold(each.object, token))
            if by is not None and by.precedes(each):
                text = f"{each.op}, called by {each.actor}, found it held"
                yield _violation(by, text, token=token, at=each.called, operations=(each.id, by.id))


def _tokens_in(operation: Operation) -> Collection[int]:
    """The tokens under which something was held at some time between its call and its end."""
    value = operation.value
    if operation.op == "holder" and type(value) is int:
        return [value]
    if operation.op == "holders" and type(value) is list:
        return value
    if operation.op in ("renew", "release", "break") and value is True:
        return [operation.args["token"]]
    return []


def _renewed(history: History, freed: Mapping[Hold, Operation]) -> Iterator[Violation]:
    heard: dict[Hold, int] = {}
    for place, event in enumerate(history.events if freed else ()):
        if event.name != "renewed":
            continue
        hold = Hold(event["object"], event["token"])
        by = freed.get(hold)
        if by is None or by.end is None or place < by.end:
            continue
        heard[hold] = heard.get(hold, 0) + 1
        if heard[hold] == 2:
            text = f"{event.actor} renewed it again"
            yield _violation(by, text, token=hold.token, at=event.at, operations=(by.id,))


def _violation(
    by: Operation, text: str, *, token: int, at: float, operations: tuple[OperationId, ...]
) -> Violation:
    return Violation(
        check=NAME,
        object=by.object,
        text=f"{text} under token {token}, after {by.op} by {by.actor} had freed it",
        at=at,
        operations=operations,
        tokens=(token,),
    )
