"""Between a record's body and the frozen dataclass that a primitive decides on.

A state declares its fields with exact types, among `int`, `float`, `str`, `bool`, `None`, unions of
these, `Any` (any JSON), and tuples of other states. What a newer minor version added is kept.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple, Self, TypeAlias, TypeGuard, TypeVar

from persidict_sync.errors import RecordError
from persidict_sync.record import MAX_INT


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """What a primitive keeps in the body of its record.

    Attributes:
        unknown: Fields of a newer minor version, kept as they are.
        room: Bytes that the write of it must leave in the record for what follows; not stored.
    """

    kind: ClassVar[str]

    unknown: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    room: int = dataclasses.field(default=0, compare=False, repr=False)

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The state in a body.

        Raises:
            RecordError: A field is missing or of the wrong type.
        """
        if not isinstance(body, Mapping):
            raise RecordError(f"a part of it is no {cls.__name__}")
        checks = _form(cls).checks
        for name in checks:
            if name not in body:
                raise RecordError(f"its body has no {name}")
        values = {name: check(body[name], name) for name, check in checks.items()}
        if len(body) > len(checks):
            values["unknown"] = {name: body[name] for name in body if name not in checks}
        return cls(**values)

    def body(self) -> dict[str, Any]:
        """The body that says this state."""
        form = _form(type(self))
        body = {name: getattr(self, name) for name in form.checks}
        for name in form.nested:
            body[name] = _plain(body[name])
        if self.unknown:
            body.update(self.unknown)
        return body


StateT = TypeVar("StateT", bound=State)

Check: TypeAlias = Callable[[Any, str], Any]
"""From a value of a body and its name to the value of the field; raises `RecordError`."""


class _Form(NamedTuple):
    """The fields of one kind of state, and those among them in which other states may be."""

    checks: dict[str, Check]
    nested: tuple[str, ...]


_forms: dict[type, _Form] = {}

_NO_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(State))


def _form(cls: type[State]) -> _Form:
    if cls not in _forms:
        hints = typing.get_type_hints(cls)
        names = [one.name for one in dataclasses.fields(cls) if one.name not in _NO_FIELDS]
        _forms[cls] = _Form(
            {name: _check_of(hints[name]) for name in names},
            tuple(name for name in names if _is_nested(hints[name])),
        )
    return _forms[cls]


def _is_nested(hint: Any) -> bool:
    # Not `Any`, which is any JSON of a user's, whose tuples must not come back as lists.
    return typing.get_origin(hint) is tuple or _is_state(hint)


def _is_state(hint: Any) -> TypeGuard[type[State]]:
    return isinstance(hint, type) and issubclass(hint, State)


def _plain(value: Any) -> Any:
    if isinstance(value, State):
        return value.body()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _check_of(hint: Any) -> Check:
    if hint is Any:
        return _any_json
    if typing.get_origin(hint) is tuple:
        (inner, _) = typing.get_args(hint)
        return _tuple_of(_check_of(inner))
    if _is_state(hint):
        parse = hint.parse
        return lambda value, _: parse(value)
    return _one_of(typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,))


def _any_json(value: Any, _: str) -> Any:
    return value


def _tuple_of(inner: Check) -> Check:
    def check(value: Any, name: str) -> Any:
        if not isinstance(value, list):
            raise RecordError(f"its {name} is no list")
        return tuple([inner(one, name) for one in value])

    return check


def _one_of(allowed: tuple[type, ...]) -> Check:
    def check(value: Any, name: str) -> Any:
        kind = type(value)
        if kind is not int or abs(value) <= MAX_INT:
            if kind in allowed:
                return value
            if kind is int and float in allowed:
                return float(value)
        raise RecordError(f"its {name} is of the wrong type or out of range")

    return check
