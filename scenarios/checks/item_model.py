"""The sequential model of one key of the conditional dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

from scenarios.checks.model import IMPOSSIBLE, NOTHING, UNKNOWN, Action, Label, text_of
from scenarios.history import Operation, OperationId
from scenarios.words import shortened


@dataclass(frozen=True, slots=True)
class Unseen:
    """The etag of a write whose outcome is unknown, as long as nobody has seen it."""

    write: OperationId


Etag: TypeAlias = "str | Unseen | None"
ItemState: TypeAlias = tuple[Etag, str]
"""Etag and JSON text; None and an empty text where the item is absent."""

ABSENT: Final[ItemState] = (None, "")

_ABSENT: Final = ("absent",)
_UNSEEN: Final = ("unseen",)
"""Any etag that no acknowledged write was given."""


@dataclass(frozen=True)
class Item:
    """An etag and a value, which conditional operations change.

    Args:
        issued: The etags that acknowledged writes were given; an unseen one is none of them.
    """

    issued: frozenset[str] = frozenset()
    initial: ItemState = ABSENT
    reads: ClassVar[frozenset[str]] = frozenset({"get_item_if"})
    refusals: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def of(cls, operations: Sequence[Operation]) -> Item:
        """The model for these operations."""
        written = (_written_etag(operation.value) for operation in operations)
        return cls(frozenset(etag for etag in written if etag is not None))

    def action(self, operation: Operation, answer: object) -> Action:
        """The operation, its value as JSON text, its answer as it is."""
        op, args = operation.op, operation.args
        value = text_of(args["value"]) if op in ("set_item_if", "setdefault_if") else ""
        # Cut off before its answer, an operation's outcome is unknown, but not its etag.
        written = _written_etag(operation.value) or Unseen(operation.id)
        given = (written, args["condition"], args["expected"], value)
        return Action(op, given, answer if answer is UNKNOWN else _Answer.of(answer))

    def step(self, state: ItemState, action: Action) -> ItemState | None:
        """Etag and value after it."""
        etag, current = state
        answer = action.answer
        if isinstance(etag, Unseen):
            etag = self._recognised(etag, by=action)
        if answer is not UNKNOWN and answer.actual != etag:
            return IMPOSSIBLE
        change = _Change.of(action, before=etag, value=current)
        if answer is not UNKNOWN and not change.agrees_with(answer):
            return IMPOSSIBLE
        return change.after

    def told(self, state: ItemState) -> str:
        """Etag and value."""
        etag, value = state
        if etag is None:
            return "it is absent"
        shown = f"etag {etag}" if isinstance(etag, str) else "an etag that nobody was told"
        return f"it has {shown} and the value {shortened(value)}"

    def _recognised(self, etag: Unseen, *, by: Action) -> Etag:
        """The etag if this operation names it, which only one that was issued to nobody can be."""
        if by.answer is not UNKNOWN:
            named = by.answer.actual
        else:
            _, condition, expected, _ = by.given
            named = expected if condition == "same" else None
        return named if isinstance(named, str) and named not in self.issued else etag

    def observes(self, action: Action) -> bool:
        """Reads do, and writes whose condition was not met."""
        return action.op in self.reads or (
            action.answer is not UNKNOWN and action.answer.satisfied is False
        )

    def overwrites(self, action: Action) -> bool:
        """What is written or discarded whatever is there."""
        return action.op in ("set_item_if", "discard_if") and action.given[1] == "any"

    def label(self, state: ItemState) -> Label:
        """Its etag, as far as it was issued."""
        return self._label(state[0])

    def needs(self, action: Action) -> Label | None:
        """The etag that it was told, or that it was to find."""
        if action.answer is not UNKNOWN:
            return self._label(action.answer.actual)
        _, condition, expected, _ = action.given
        if action.op == "setdefault_if":
            return _ABSENT
        if condition == "any":
            return NOTHING
        return self._label(expected) if condition == "same" else None

    def leaves(self, action: Action) -> Label | None:
        """The etag that it gives, if it is known."""
        if action.op == "get_item_if":
            return None
        return _ABSENT if action.op == "discard_if" else self._label(action.given[0])

    def _label(self, etag: Etag) -> Label:
        if etag is None:
            return _ABSENT
        return etag if etag in self.issued else _UNSEEN

    def may_still(self, state: ItemState, action: Action) -> bool:  # noqa: ARG002 - unknown here
        """Not known."""
        return True


def _written_etag(answer: Any) -> str | None:
    """The etag that a write was given, by its answer."""
    if not isinstance(answer, Mapping) or answer.get("resulting") == answer.get("actual"):
        return None
    etag = answer.get("resulting")
    return etag if isinstance(etag, str) else None


@dataclass(frozen=True, slots=True)
class _Answer:
    """A result: was the condition satisfied, the etags before and after, and a value, if any."""

    satisfied: bool
    actual: str | None
    resulting: str | None
    value: str | None

    @classmethod
    def of(cls, answer: Any) -> _Answer:
        value = text_of(answer["value"]) if "value" in answer else None
        return cls(answer["satisfied"], answer["actual"], answer["resulting"], value)


@dataclass(frozen=True, slots=True)
class _Change:
    """What an operation makes of an item."""

    is_met: bool
    is_written: bool
    before: Etag
    after: ItemState

    @classmethod
    def of(cls, action: Action, *, before: Etag, value: str) -> _Change:
        written, condition, expected, new = action.given
        is_met = condition == "any" or (expected == before) is (condition == "same")
        is_written = is_met and (
            action.op == "set_item_if" or (action.op == "setdefault_if" and before is None)
        )
        after: ItemState = (before, value)
        if is_written:
            after = (written if action.answer is UNKNOWN else action.answer.resulting, new)
        elif is_met and action.op == "discard_if":
            after = ABSENT
        return cls(is_met, is_written, before, after)

    def agrees_with(self, answer: _Answer) -> bool:
        etag, value = self.after
        if answer.satisfied is not self.is_met or answer.resulting != etag:
            return False
        if self.is_written and (etag is None or etag == self.before):
            return False
        return answer.value is None or answer.value == value
