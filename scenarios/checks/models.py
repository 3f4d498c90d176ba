"""The sequential models of registers, counters, claims and fenced keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import ClassVar

from scenarios.checks.model import (
    IMPOSSIBLE,
    NOTHING,
    UNKNOWN,
    Action,
    Plain,
    arguments_of,
    text_of,
)
from scenarios.history import Operation, OperationId
from scenarios.words import shortened


@dataclass(frozen=True)
class Register(Plain):
    """A value; states are its JSON text."""

    initial: str = "null"

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation, its values as JSON text."""
        given = tuple(map(text_of, arguments_of(operation)))
        if operation.op == "update" and answer is UNKNOWN:
            return Action("write", given, UNKNOWN)
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

    def told(self, state: str) -> str:
        """The value."""
        return f"the value is {shortened(state)}"

    def overwrites(self, action: Action) -> bool:
        """Writes do."""
        return action.op == "write"

    def needs(self, action: Action) -> str | None:
        """What it has read, or what it has compared with and found."""
        if action.op == "cas":
            return None if action.answer is False else action.given[0]
        return NOTHING if action.op == "write" or action.answer is UNKNOWN else action.answer

    def leaves(self, action: Action) -> str | None:
        """What it writes."""
        return None if action.op == "read" else action.given[-1]


@dataclass(frozen=True)
class Counter(Plain):
    """A total.

    Args:
        never_falls: Whether no operation makes it smaller.
    """

    initial: int = 0
    never_falls: bool = False

    @classmethod
    def of(cls, operations: Sequence[Operation]) -> Counter:
        """The model for these operations."""
        return cls(
            never_falls=all(
                each.op == "value" or (each.op == "add" and each.args["n"] >= 0)
                for each in operations
            )
        )

    def step(self, state: int, action: Action) -> int | None:
        """The total after it."""
        match action.op:
            case "add":
                total = state + action.given[0]
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

    def told(self, state: int) -> str:
        """The total."""
        return f"the total is {state}"

    def overwrites(self, action: Action) -> bool:
        """Resets do."""
        return action.op == "reset"

    def needs(self, action: Action) -> int | str | None:
        """The total that its answer tells."""
        if action.op == "compare_and_set":
            return None if action.answer is False else action.given[0]
        if action.answer is UNKNOWN:
            return NOTHING
        if type(action.answer) is not int:
            return None
        return action.answer - (action.given[0] if action.op == "add" else 0)

    def leaves(self, action: Action) -> int | None:
        """What it sets."""
        return action.given[-1] if action.op in ("reset", "compare_and_set") else None

    def may_still(self, state: int, action: Action) -> bool:
        """A total that has passed what it must be will not come back if it never falls."""
        needed = self.needs(action)
        return not self.never_falls or type(needed) is not int or state <= needed


@dataclass(frozen=True)
class Claim(Plain):
    """A task that one actor claims, once; that actor completes it or fails, once.

    States: the owner, whether it was told so, whether it has ended it. Who was not told, and
    asks again, is told then; not yet while the call that has won it may itself be told.

    Args:
        beside: The refused calls during which their actor had another under way, which never was
            answered: as threads of one process have.
    """

    beside: frozenset[OperationId] = frozenset()
    initial: tuple[str, bool, bool] = ("", False, False)

    @classmethod
    def of(cls, operations: Sequence[Operation]) -> Claim:
        """The model for these operations."""
        claims = [each for each in operations if each.op == "claim"]
        lost = [each for each in claims if each.outcome == "unknown"]
        return cls(
            frozenset(
                each.id
                for each in claims
                if each.value is False
                and any(
                    other.actor == each.actor
                    and other.called <= (each.ended or 0.0)
                    and each.called <= _end(other)
                    for other in lost
                )
            )
        )

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation, its actor, and whether it may be refused what its actor has won."""
        is_beside = operation.id in self.beside
        given = (*arguments_of(operation), operation.actor, is_beside)
        return Action(operation.op, given, answer)

    def step(self, state: tuple[str, bool, bool], action: Action) -> tuple[str, bool, bool] | None:
        """Whose it is after it."""
        owner, is_told, is_done = state
        actor, is_beside = action.given
        if action.op != "claim":
            if action.answer is UNKNOWN and owner != actor:
                return state
            return (owner, is_told, True) if owner == actor and not is_done else IMPOSSIBLE
        is_won = owner == "" or (owner == actor and not is_told)
        if is_beside and owner != "":
            return state
        if not action.fits(is_won):
            return IMPOSSIBLE
        return (actor, action.answer is not UNKNOWN, False) if is_won else state

    def told(self, state: tuple[str, bool, bool]) -> str:
        """Whose it is."""
        owner, is_told, is_done = state
        if not owner:
            return "the task is nobody's"
        ended = ", who has ended it" if is_done else "" if is_told else ", who was not told so"
        return f"the task is {owner}'s{ended}"


def _end(lost: Operation) -> float:
    """When the actor gave up hope of being told."""
    return inf if lost.ended is None else lost.ended


@dataclass(frozen=True)
class Fenced(Plain):
    """A value under the highest token that has written it."""

    initial: tuple[int, str] = (0, "null")
    refusals: ClassVar[frozenset[str]] = frozenset({"StaleTokenError"})

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation; a refusal is the answer False."""
        given = arguments_of(operation)
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

    def told(self, state: tuple[int, str]) -> str:
        """Value and token."""
        token, value = state
        return f"the value is {shortened(value)}, under token {token}"
