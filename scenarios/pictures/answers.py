"""What operations came to, in the ways that the pictures tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from scenarios.history import Operation
from scenarios.pictures.chart import Key
from scenarios.pictures.markup import json_of, tag

Answer: TypeAlias = Literal["done", "refused", "failed", "unknown", "wrong"]

ANSWERS: Final[tuple[Answer, ...]] = ("wrong", "done", "refused", "failed", "unknown")

_DECIDING: Final = frozenset(
    {"claim", "cas", "compare_and_set", "acquire", "try_acquire", "check", "release"}
)
_REFUSALS: Final = frozenset({"StaleTokenError", "ConcurrencyConflictError", "AcquireTimeout"})
_STATUSES: Final[Mapping[str, Answer]] = {
    "returned": "done",
    "won": "done",
    "lost": "refused",
    "absent": "refused",
    "304": "refused",
    "404": "refused",
    "409": "refused",
    "412": "refused",
    "no answer": "unknown",
    "unknown": "unknown",
}


def answer_of(operation: Operation) -> Answer:
    """What an operation came to; to lose a race is to be refused, not to fail."""
    if operation.outcome == "unknown":
        return "unknown"
    if operation.outcome == "failed":
        return "refused" if operation.error in _REFUSALS else "failed"
    value = operation.value
    if isinstance(value, dict) and value.get("satisfied") is False:
        return "refused"
    is_refused = operation.op in _DECIDING and (value is None or value is False)
    return "refused" if is_refused else "done"


def answer_of_status(status: str) -> Answer:
    """The same of a request, by the status of its answer."""
    if status in _STATUSES:
        return _STATUSES[status]
    return "done" if status.startswith("2") else "failed"


def told(operation: Operation) -> str:
    """An operation in a line: when it was called with what, and what it was told."""
    given = ", ".join(
        f"{name}={json_of(value, length=40)}" for name, value in operation.args.items()
    )
    return f"{operation.op}({given}) → {told_back(operation)}"


def asked(operation: Operation, *, length: int = 30) -> str:
    """What was asked, in few words: with what only where that is short."""
    given = ", ".join(json_of(value, length=length) for value in operation.args.values())
    written = f"{operation.op}({given})"
    return written if given and len(written) <= length else operation.op


def told_back(operation: Operation, *, length: int = 60) -> str:
    """What an operation returned or raised."""
    if operation.outcome == "returned":
        return json_of(operation.value, length=length)
    return operation.error or "never answered"


def keys_of(answers: Mapping[Answer, str]) -> list[Key]:
    """A legend of answers, in the words given for each."""
    return [
        Key(tag("rect", y=1, width=22, height=12, class_=answer), text)
        for answer, text in answers.items()
    ]
