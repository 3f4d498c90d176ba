"""What a shared value's record keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from persidict_sync.state import State

HISTORY: Final = 16


@dataclass(frozen=True, kw_only=True)
class Change(State):
    """One generation of a value, for people.

    Attributes:
        generation: Which; each write of the value is one more.
        owner: Who wrote it, by the name that its coordinator goes by.
        written: When, by that machine's wall clock: ISO 8601.
    """

    generation: int
    owner: str
    written: str


@dataclass(frozen=True, kw_only=True)
class ValueState(State):
    """What a shared value's record keeps: the value and its last 16 changes, the newest last."""

    kind: ClassVar[str] = "value"

    value: Any
    history: tuple[Change, ...]


def changed(
    value: object, state: ValueState | None, *, generation: int, owner: str, written: str
) -> ValueState:
    """The state of the generation after `generation`."""
    change = Change(generation=generation + 1, owner=owner, written=written)
    history = () if state is None else state.history
    unknown = {} if state is None else state.unknown
    return ValueState(value=value, history=(*history, change)[-HISTORY:], unknown=unknown)
