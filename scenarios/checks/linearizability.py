"""Linearizability: operations on an object take effect one after the other, each in its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scenarios.checks.item_model import Item
from scenarios.checks.model import Model, ModelOf, State, text_of
from scenarios.checks.models import Claim, Counter, Fenced, Register
from scenarios.checks.search import Placed, Search
from scenarios.checks.unknowns import UndecidedError, budget_for
from scenarios.checks.violation import Violation
from scenarios.history import History, Operation
from scenarios.words import many, shortened

NAME: Final = "linearizable"

MODELS: Final[Mapping[str, ModelOf]] = {
    "register": lambda _: Register(),
    "counter": Counter.of,
    "claim": Claim.of,
    "fenced": lambda _: Fenced(),
    "item": Item.of,
}
"""The sequential model of each kind of object that has one."""


@dataclass(frozen=True)
class Blocked:
    """Where a history stops being linearizable.

    Attributes:
        prefix: An order that explains everything that was known just before that one ended.
        by: The operation that cannot have been answered as it was.
    """

    prefix: Sequence[Placed]
    by: Operation


def check_linearizability(history: History, *, budget: int | None = None) -> Sequence[Violation]:
    """The objects whose operations cannot have taken effect one after the other.

    Each operation must have taken effect between its call and its end, one of unknown outcome at
    any time after its call, or never. An object that cannot be decided within the budget is a
    violation as well, which says so.

    Args:
        history: What to check.
        budget: Configurations to search for each object; None: by the number of its operations.
    """
    found = []
    for name, operations in history.by_object.items():
        model_of = MODELS.get(operations[0].kind)
        if model_of is not None:
            violation = _check(name, operations, model_of(operations), budget=budget)
            found += [violation] if violation else []
    return found


def blocked(
    operations: Sequence[Operation], model: Model, *, budget: int | None = None
) -> Blocked | None:
    """What blocks the operations on one object; None if they are linearizable.

    Raises:
        UndecidedError: The budget has been spent.
    """
    if Search(operations, model, budget=budget).order() is not None:
        return None
    ends = {each.end: each for each in operations if each.end is not None}
    places = sorted(ends)
    # What is linearizable stays so when its end is cut off: so halving finds the first cut that
    # is not.
    prefix: Sequence[Placed] = []
    good, bad = 0, len(places)
    while bad - good > 1:
        middle = (good + bad) // 2
        cut = Search(operations, model, before=places[middle - 1] + 1, budget=budget)
        try:
            order = cut.order()
        except UndecidedError:
            break
        if order is None:
            bad = middle
        else:
            good, prefix = middle, order
    return Blocked(prefix, ends[places[bad - 1]])


def _check(
    name: str, operations: Sequence[Operation], model: Model, *, budget: int | None
) -> Violation | None:
    if budget is None:
        budget = budget_for(len(operations))
    try:
        found = blocked(operations, model, budget=budget)
    except UndecidedError:
        return Violation(
            check=NAME,
            object=name,
            text=f"not decided: in {budget:,} steps neither an order of its "
            f"{many(len(operations), 'operation')} was found nor that there is none",
            at=operations[-1].called,
        )
    if found is None:
        return None
    state, changed_by = _last_change(found.prefix, initial=model.initial)
    others = [each for each in changed_by if each is not found.by]
    text = (
        f"{_shown(found.by)}, and no order explains it: in one that explains all answers "
        f"before it, {model.told(state)}"
    )
    return Violation.between(found.by, *others, check=NAME, text=text)


def _last_change(prefix: Sequence[Placed], *, initial: State) -> tuple[State, Sequence[Operation]]:
    """The state at the end, and the operation that left it, unless it is the first state."""
    state, changed_by = initial, list[Operation]()
    for placed in prefix:
        if placed.state != state:
            state, changed_by = placed.state, [placed.operation]
    return state, changed_by


def _shown(operation: Operation) -> str:
    given = ", ".join(f"{name}={_short(value)}" for name, value in operation.args.items())
    answer = operation.error if operation.outcome == "failed" else _short(operation.value)
    return f"{operation.actor}'s {operation.op}({given}) was answered {answer}"


def _short(value: Any) -> str:
    return shortened(text_of(value))
