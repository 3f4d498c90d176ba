"""What a shared value's record keeps, and what a value may be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from persidict_sync.plain import plain
from persidict_sync.state import State

MAX_VALUE_BYTES: Final = 48 * 1024
"""What a value may take of a record, as UTF-8 JSON; the rest is for its history."""
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


def checked(value: object) -> Any:
    """A copy of a value that is JSON and fits into a record.

    Raises:
        TypeError: It, or a part of it, is no JSON.
        ValueError: It is too large, too deeply nested, or a number or string has no JSON.
    """
    document = plain(value, what="the value")
    try:
        size = len(json.dumps(document, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise ValueError(
            "a string in the value is no Unicode text: half a surrogate pair"
        ) from None
    if size > MAX_VALUE_BYTES:
        raise ValueError(f"the value has {size} bytes as JSON, and {MAX_VALUE_BYTES} is the most")
    return document
