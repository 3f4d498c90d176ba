"""Etags: no two writes of a key leave the same one, and one etag means one value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scenarios.checks.models import text_of
from scenarios.checks.violation import Violation
from scenarios.history import History, Operation

NAME: Final = "unique etags"


def check_etags(history: History) -> Sequence[Violation]:
    """Etags that were given to two writes, or were seen with two values.

    Args:
        history: What to check.
    """
    return [
        violation
        for operations in history.by_object.values()
        if operations[0].kind == "item"
        for violation in _violations(operations)
    ]


def _violations(operations: Sequence[Operation]) -> Iterator[Violation]:
    writers: dict[str, Operation] = {}
    values: dict[str, tuple[str, Operation]] = {}
    for each in operations:
        if each.outcome != "returned":
            continue
        etag = each.value["resulting"]
        if etag is None:
            continue
        if etag != each.value["actual"]:
            writer = writers.setdefault(etag, each)
            if writer is not each:
                text = f"etag {etag} was given to {writer.actor}'s write and to {each.actor}'s"
                yield Violation.between(each, writer, check=NAME, text=text)
        if "value" in each.value:
            value = text_of(each.value["value"])
            seen, by = values.setdefault(etag, (value, each))
            if seen != value:
                text = f"etag {etag} meant {seen} to {by.actor} and {value} to {each.actor}"
                yield Violation.between(each, by, check=NAME, text=text)
