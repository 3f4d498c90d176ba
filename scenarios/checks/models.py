"""Sequential models: what each operation may answer in each state, and what it leaves behind.

States are hashable. Two rules bind every model, because the search relies on them:

- an operation of unknown outcome leaves one state, which depends on nothing but the state before;
- where an operation with an answer is possible both without and with an unknown one before it,
  the unknown one makes no difference to the state after it, or could as well come after it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from scenarios.history import Operation

State: TypeAlias = Hashable
IMPOSSIBLE: Final = None
"""No state."""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""The answer of an operation of unknown outcome."""


@dataclass(frozen=True, slots=True)
class Action:
    """An operation as a model sees it; equal ones do the same.

    Attributes:
        op: What.
        given: With what.
        answer: What it was answered, or `UNKNOWN`.
    """

    op: str
    given: tuple[Any, ...]
    answer: Any

    def fits(self, actual: object) -> bool:
        """Whether it may have been answered this."""
        return self.answer is UNKNOWN or (
            type(self.answer) is type(actual) and self.answer == actual
        )


class Model(Protocol):
    """A sequential model of one object."""

    @property
    def initial(self) -> State:
        """The state in which an object begins."""

    @property
    def reads(self) -> frozenset[str]:
        """Operations that change nothing."""

    @property
    def refusals(self) -> frozenset[str]:
        """Errors of failed operations that are answers."""

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation, with an answer or `UNKNOWN`.

        Raises:
            ValueError: The model knows no such operation.
        """

    def step(self, state: Any, action: Action) -> State | None:
        """The state after it, or `IMPOSSIBLE` if it cannot have been so answered here."""

    def observes(self, action: Action) -> bool:
        """Whether it, so answered, changes nothing in any state; False where that is not known."""

    def needs(self, action: Action) -> State | None:
        """The only state in which it does anything; None if there may be others."""

    def leaves(self, action: Action) -> State | None:
        """The only state that it leaves, if it does anything; None if there may be others.

        What needs no state and leaves only one, leaves that in every state.
        """

    def may_still(self, state: Any, action: Action) -> bool:
        """Whether more unknown operations might make it possible; True where that is not known."""


@dataclass(frozen=True)
class _Plain:
    """What most models have in common."""

    reads: ClassVar[frozenset[str]] = frozenset({"read", "value"})
    refusals: ClassVar[frozenset[str]] = frozenset()
    arguments: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation, with an answer or `UNKNOWN`."""
        return Action(operation.op, _given(operation, self.arguments), answer)

    def observes(self, action: Action) -> bool:
        """Reads do, and conditional writes and claims whose condition was not met."""
        return action.op in self.reads or action.answer is False

    def needs(self, action: Action) -> State | None:  # noqa: ARG002 - others know more
        """Not known."""
        return None

    def leaves(self, action: Action) -> State | None:  # noqa: ARG002 - others know more
        """Not known."""
        return None

    def may_still(self, state: Any, action: Action) -> bool:  # noqa: ARG002 - others know more
        """Not known."""
        return True


@dataclass(frozen=True)
class Register(_Plain):
    """A value; states are its JSON text."""

    initial: str = "null"
    arguments: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "read": (),
        "write": ("value",),
        "cas": ("expected", "value"),
        "update": ("value",),
    }

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation, its values as JSON text."""
        given = tuple(map(text_of, _given(operation, self.arguments)))
        is_value = operation.op in ("read", "update") and answer is not UNKNOWN
        return Action(operation.op, given, text_of(answer) if is_value else answer)

    def step(self, state: str, action: Action) -> str | None:
        """The value after it."""
        match action.op:
            case "read":
                return state if action.fits(state) else IMPOSSIBLE
            case "write":
                return str(action.given[0])
            case "update":
                return str(action.given[0]) if action.fits(state) else IMPOSSIBLE
            case _:
                expected, value = action.given
                is_expected = state == expected
                if not action.fits(is_expected):
                    return IMPOSSIBLE
                return str(value) if is_expected else state

    def needs(self, action: Action) -> str | None:
        """What it has read, or what it has compared with and found."""
        if action.op == "cas":
            return None if action.answer is False else action.given[0]
        return None if action.op == "write" or action.answer is UNKNOWN else action.answer

    def leaves(self, action: Action) -> str | None:
        """What it writes."""
        return None if action.op == "read" else action.given[-1]


@dataclass(frozen=True)
class Counter(_Plain):
    """A total.

    Args:
        never_falls: Whether no operation of unknown outcome makes it smaller.
    """

    initial: int = 0
    never_falls: bool = False
    arguments: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "add": ("n",),
        "value": (),
        "compare_and_set": ("expected", "new"),
        "reset": ("to",),
    }

    @classmethod
    def of(cls, operations: Sequence[Operation]) -> Counter:
        """The model for these operations."""
        unknown = [each for each in operations if each.outcome == "unknown"]
        return cls(
            never_falls=all(
                each.op == "value" or (each.op == "add" and each.args.get("n", 0) >= 0)
                for each in unknown
            )
        )

    def step(self, state: int, action: Action) -> int | None:
        """The total after it."""
        match action.op:
            case "add":
                total = state + int(action.given[0])
                return total if action.fits(total) else IMPOSSIBLE
            case "value":
                return state if action.fits(state) else IMPOSSIBLE
            case "reset":
                return int(action.given[0]) if action.fits(state) else IMPOSSIBLE
            case _:
                expected, new = action.given
                is_expected = state == expected
                if not action.fits(is_expected):
                    return IMPOSSIBLE
                return int(new) if is_expected else state

    def needs(self, action: Action) -> int | None:
        """The total that its answer tells."""
        if action.op == "compare_and_set":
            return None if action.answer is False else action.given[0]
        if type(action.answer) is not int:
            return None
        return action.answer - (action.given[0] if action.op == "add" else 0)

    def leaves(self, action: Action) -> int | None:
        """What it sets."""
        return action.given[-1] if action.op in ("reset", "compare_and_set") else None

    def may_still(self, state: int, action: Action) -> bool:
        """A total that has passed what it must be will not come back if it never falls."""
        needed = self.needs(action)
        return not self.never_falls or needed is None or state <= needed


@dataclass(frozen=True)
class Claim(_Plain):
    """A task that one actor claims, once; that actor completes it or fails, once.

    States: the owner, whether it was told so, whether it has ended it. Who was not told, and
    asks again, may be told then.
    """

    initial: tuple[str, bool, bool] = ("", False, False)
    arguments: ClassVar[Mapping[str, tuple[str, ...]]] = {"claim": (), "complete": (), "fail": ()}

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation and its actor."""
        return Action(operation.op, (*_given(operation, self.arguments), operation.actor), answer)

    def step(self, state: tuple[str, bool, bool], action: Action) -> tuple[str, bool, bool] | None:
        """Whose it is after it."""
        owner, is_told, is_done = state
        (actor,) = action.given
        if action.op != "claim":
            if action.answer is UNKNOWN and owner != actor:
                return state
            return (owner, is_told, True) if owner == actor and not is_done else IMPOSSIBLE
        is_won = owner == "" or (owner == actor and not is_told)
        if not action.fits(is_won):
            return IMPOSSIBLE
        return (actor, action.answer is not UNKNOWN, False) if is_won else state


@dataclass(frozen=True)
class Fenced(_Plain):
    """A value under the highest token that has written it."""

    initial: tuple[int, str] = (0, "null")
    refusals: ClassVar[frozenset[str]] = frozenset({"StaleTokenError"})
    arguments: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "read": (),
        "write": ("token", "value"),
    }

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation; a refusal is the answer False."""
        given = _given(operation, self.arguments)
        if operation.op == "read":
            return Action("read", (), answer if answer is UNKNOWN else text_of(answer))
        token, value = given
        if operation.outcome == "failed" and answer is not UNKNOWN:
            answer = False
        return Action("write", (token, text_of(value)), answer)

    def step(self, state: tuple[int, str], action: Action) -> tuple[int, str] | None:
        """Token and value after it."""
        highest, value = state
        if action.op == "read":
            return state if action.fits(value) else IMPOSSIBLE
        token, written = action.given
        if not action.fits(token >= highest):
            return IMPOSSIBLE
        return (token, written) if token >= highest else state


def text_of(value: Any) -> str:
    """A JSON value as text; equal values have equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _given(operation: Operation, arguments: Mapping[str, tuple[str, ...]]) -> tuple[Any, ...]:
    names = arguments.get(operation.op)
    if names is None:
        raise ValueError(f"operation {operation.id!r}: {operation.kind} has no {operation.op!r}")
    try:
        return tuple(operation.args[name] for name in names)
    except KeyError as error:
        raise ValueError(f"operation {operation.id!r}: {operation.op} without {error}") from None


ModelOf: TypeAlias = Callable[[Sequence[Operation]], Model]
