"""What a checker has to say against a history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from scenarios.history import History, Operation, OperationId


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One way in which a history breaks a guarantee.

    Attributes:
        check: The guarantee, as the report lists it.
        object: The object, as kind and name.
        text: What happened, for people.
        at: When it showed, in seconds.
        operations: The ids of the operations that contradict each other, the last first.
        tokens: The tokens of the beliefs that contradict each other.
    """

    check: str
    object: str
    text: str
    at: float
    operations: tuple[OperationId, ...] = ()
    tokens: tuple[int, ...] = ()

    @classmethod
    def between(cls, *operations: Operation, check: str, text: str) -> Violation:
        """Operations on one object that contradict each other; it showed at the first's end."""
        first = operations[0]
        return cls(
            check=check,
            object=first.object,
            text=text,
            at=first.called if first.ended is None else first.ended,
            operations=tuple(each.id for each in operations),
        )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, for reports and pictures."""
        return {
            "check": self.check,
            "object": self.object,
            "text": self.text,
            "at": self.at,
            "operations": list(self.operations),
            "tokens": list(self.tokens),
        }


Check: TypeAlias = Callable[[History], Sequence[Violation]]
