"""Lost updates: what was acknowledged is in the total, and in the value that follows it.

Linearizability says more, of smaller histories; these checks take time that grows with the length
of a history and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from scenarios.checks.model import text_of
from scenarios.checks.violation import Violation
from scenarios.history import History, Operation, OperationId
from scenarios.words import many

NAME: Final = "no lost update"

_LARGEST: Final = 10_000_000
"""Up to this sum of unknown additions it is asked whether some of them make up a difference."""


def check_lost_updates(history: History) -> Sequence[Violation]:
    """Totals that do not add up, totals told twice, and values that two updates replaced.

    - A counter that was only added to: what is read after all additions have ended is the sum of
      those that were acknowledged, and of some of those whose outcome is unknown. A read is an
      operation `value`, or an event `observed` with `value` (what an audit found).
    - The same, with no addition of 0 or less: no two additions were told the same total.
    - A register: no two updates replaced the same value, if it was written once.

    Args:
        history: What to check.
    """
    found: list[Violation] = []
    observed = _observed(history)
    for name, operations in history.by_object.items():
        if operations[0].kind == "counter":
            found += _counter(name, operations, observed.get(name, ()))
        elif operations[0].kind == "register":
            found += _register(operations)
    return found


_Read = tuple[int, float, Any, "OperationId | None"]
"""Place, time, value, and the operation that read it, if it was one."""


def _observed(history: History) -> dict[str, list[_Read]]:
    reads: dict[str, list[_Read]] = {}
    for place, event in enumerate(history):
        if event.name == "observed" and "value" in event.fields:
            read = (place, event.at, event["value"], None)
            reads.setdefault(event["object"], []).append(read)
    return reads


def _counter(
    name: str, operations: Sequence[Operation], observed: Sequence[_Read]
) -> Iterator[Violation]:
    changes = [each for each in operations if each.op != "value" and each.outcome != "failed"]
    if any(each.op != "add" for each in changes):
        return
    acknowledged = [each for each in changes if each.outcome == "returned"]
    unknown = [each for each in changes if each.outcome == "unknown"]
    last = max([0, *(each.end or 0 for each in acknowledged), *(each.begin for each in unknown)])
    reads = [*observed, *_value_reads(operations)]
    total = sum(each.args["n"] for each in acknowledged)
    missing = [each.args["n"] for each in unknown]
    for place, at, value, operation in reads:
        if place > last and not _is_sum(value - total, of=missing):
            yield Violation(
                check=NAME,
                object=name,
                text=f"the total is {value}, but what was acknowledged adds up to {total} "
                f"({many(len(acknowledged), 'addition')}), and no choice of "
                f"{many(len(unknown), 'unknown addition')} makes up for the difference",
                at=at,
                operations=() if operation is None else (operation,),
            )
    if all(each.args["n"] > 0 for each in changes):
        yield from _told_twice(acknowledged)


def _value_reads(operations: Sequence[Operation]) -> Iterator[_Read]:
    for each in operations:
        if each.op == "value" and each.outcome == "returned":
            yield each.begin, each.called, each.value, each.id


def _is_sum(difference: int, *, of: Sequence[int]) -> bool:
    """Whether some of these numbers make up the difference."""
    lowest = sum(number for number in of if number < 0)
    highest = sum(number for number in of if number > 0)
    if not lowest <= difference <= highest:
        return False
    if highest - lowest > _LARGEST:
        return True
    # A bit for each sum; to leave out a negative number adds its amount to the lowest sum.
    sums = 1
    for number in of:
        sums |= sums << abs(number)
    return bool(sums >> (difference - lowest) & 1)


def _told_twice(additions: Sequence[Operation]) -> Iterator[Violation]:
    first: dict[Any, Operation] = {}
    for each in additions:
        twin = first.setdefault(each.value, each)
        if twin is not each:
            text = (
                f"{twin.actor}'s addition and {each.actor}'s were both told the total "
                f"{each.value!r}, though each raises it"
            )
            yield Violation.between(each, twin, check=NAME, text=text)


def _register(operations: Sequence[Operation]) -> Iterator[Violation]:
    written = Counter(
        text_of(each.args["value"])
        for each in operations
        if each.op != "read" and each.outcome != "failed"
    )
    written["null"] += 1
    first: dict[str, Operation] = {}
    for each in operations:
        replaced = _replaced(each)
        if replaced is None or written[replaced] != 1:
            continue
        twin = first.setdefault(replaced, each)
        if twin is not each:
            text = f"{twin.actor} and {each.actor} both replaced {replaced}, which was there once"
            yield Violation.between(each, twin, check=NAME, text=text)


def _replaced(operation: Operation) -> str | None:
    """The value that an acknowledged update has replaced, as JSON text."""
    if operation.op == "update" and operation.outcome == "returned":
        return text_of(operation.value)
    if operation.op == "cas" and operation.value is True:
        return text_of(operation.args["expected"])
    return None
