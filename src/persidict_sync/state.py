"""Between a record's body and the frozen dataclass that a primitive decides on.

A state declares its fields with exact types, among `int`, `float`, `str`, `bool`, `None`, unions of
these, `Any` (any JSON), and tuples of other states. What a newer minor version added is kept.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

from persidict_sync.errors import RecordError
from persidict_sync.record import MAX_INT


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """What a primitive keeps in the body of its record."""

    kind: ClassVar[str]

    unknown: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The state in a body.

        Raises:
            RecordError: A field is missing or of the wrong type.
        """
        if not isinstance(body, Mapping):
            raise RecordError(f"a part of it is no {cls.__name__}")
        hints = _hints(cls)
        missing = [name for name in hints if name not in body]
        if missing:
            raise RecordError(f"its body has no {missing[0]}")
        values = {name: _checked(body[name], hint, name) for name, hint in hints.items()}
        unknown = {name: value for name, value in body.items() if name not in hints}
        return cls(**values, unknown=unknown)

    def body(self) -> dict[str, Any]:
        """The body that says this state."""
        known = {
            # What is any JSON is a user's, whose tuples must not come back as lists.
            name: getattr(self, name) if hint is Any else _plain(getattr(self, name))
            for name, hint in _hints(type(self)).items()
        }
        return {**known, **self.unknown}


StateT = TypeVar("StateT", bound=State)

_cache: dict[type, dict[str, Any]] = {}


def _hints(cls: type[State]) -> dict[str, Any]:
    if cls not in _cache:
        hints = typing.get_type_hints(cls)
        names = [one.name for one in dataclasses.fields(cls) if one.name != "unknown"]
        _cache[cls] = {name: hints[name] for name in names}
    return _cache[cls]


def _plain(value: Any) -> Any:
    if isinstance(value, State):
        return value.body()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _checked(value: Any, hint: Any, name: str) -> Any:
    if hint is Any:
        return value
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise RecordError(f"its {name} is no list")
        (inner, _) = typing.get_args(hint)
        return tuple(_checked(one, inner, name) for one in value)
    if isinstance(hint, type) and issubclass(hint, State):
        return hint.parse(value)
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if type(value) in allowed and not (type(value) is int and abs(value) > MAX_INT):
        return value
    if float in allowed and type(value) is int and abs(value) <= MAX_INT:
        return float(value)
    raise RecordError(f"its {name} is of the wrong type or out of range")
