"""Sequential models: what an operation may answer in each state, and what it leaves behind.

States are hashable. Two rules bind every model, because the search relies on them:

- an operation of unknown outcome leaves one state, which depends on nothing but the state before;
- where an operation with an answer is possible both without and with an unknown one before it,
  the unknown one makes no difference to the state after it, or could as well come after it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from scenarios.history import Operation
from scenarios.signatures import names_of

State: TypeAlias = Hashable
Label: TypeAlias = Hashable
"""What tells some states of a model from others."""

IMPOSSIBLE: Final = None
"""No state."""

NOTHING: Final = "nothing"
"""What an operation needs that may be so answered in any state; no label is equal to it."""


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
        """The operation, with an answer or `UNKNOWN`."""

    def step(self, state: Any, action: Action) -> State | None:
        """The state after it, or `IMPOSSIBLE` if it cannot have been so answered here."""

    def told(self, state: Any) -> str:
        """A state in words."""

    def observes(self, action: Action) -> bool:
        """Whether it, so answered, changes nothing in any state; False where that is not known."""

    def overwrites(self, action: Action) -> bool:
        """Whether it leaves the same state in any state; False where that is not known."""

    def label(self, state: Any) -> Label:
        """The label of a state."""

    def needs(self, action: Action) -> Label | None:
        """The only label of states in which it is possible and does anything.

        `NOTHING` if it is possible in all; None where that is not known.
        """

    def leaves(self, action: Action) -> Label | None:
        """The only label of states that it leaves where it does anything; None if not known."""

    def may_still(self, state: Any, action: Action) -> bool:
        """Whether more unknown operations might make it possible; True where that is not known."""


@dataclass(frozen=True)
class Plain:
    """What most models have in common."""

    reads: ClassVar[frozenset[str]] = frozenset({"read", "value"})
    refusals: ClassVar[frozenset[str]] = frozenset()

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation, with an answer or `UNKNOWN`."""
        return Action(operation.op, arguments_of(operation), answer)

    def observes(self, action: Action) -> bool:
        """Reads do, and conditional writes and claims whose condition was not met."""
        return action.op in self.reads or action.answer is False

    def overwrites(self, action: Action) -> bool:  # noqa: ARG002 - others know more
        """Not known."""
        return False

    def label(self, state: Any) -> Label:
        """Each state has its own."""
        label: Label = state
        return label

    def needs(self, action: Action) -> Label | None:  # noqa: ARG002 - others know more
        """Not known."""
        return None

    def leaves(self, action: Action) -> Label | None:  # noqa: ARG002 - others know more
        """Not known."""
        return None

    def may_still(self, state: Any, action: Action) -> bool:  # noqa: ARG002 - others know more
        """Not known."""
        return True


def text_of(value: Any) -> str:
    """A JSON value as text; equal values have equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def arguments_of(operation: Operation) -> tuple[Any, ...]:
    """The arguments of an operation, in the order of its signature."""
    return tuple(operation.args[name] for name in names_of(operation.kind, operation.op))


ModelOf: TypeAlias = Callable[[Sequence[Operation]], Model]
