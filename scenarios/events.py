"""Events: what happened to one actor at one time, as one line of JSON; see docs/history.md."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeAlias

_Types: TypeAlias = tuple[type, ...]

_ID: Final[_Types] = (int, str)
_INT: Final[_Types] = (int,)
_TEXT: Final[_Types] = (str,)
_FLAG: Final[_Types] = (bool,)
_NUMBER: Final[_Types] = (int, float)
_ANY: Final[_Types] = (object,)
_OBJECT: Final[_Types] = (dict,)


@dataclass(frozen=True)
class _Shape:
    """The fields of one kind of event, with their types; fields that it does not name are kept."""

    required: Mapping[str, _Types] = field(default_factory=dict)
    optional: Mapping[str, _Types] = field(default_factory=dict)


_HELD: Final = {"object": _TEXT, "token": _INT}

_SHAPES: Final[Mapping[str, _Shape]] = {
    "meta": _Shape(
        {"format": _INT, "source": _TEXT},
        {
            "scenario": _TEXT,
            "seed": _ID,
            "permits": _OBJECT,
            "drift": _NUMBER,
            "poll": _NUMBER,
            "allowance": _NUMBER,
        },
    ),
    "call": _Shape({"id": _ID, "object": _TEXT, "op": _TEXT, "args": _OBJECT}),
    "return": _Shape({"id": _ID, "value": _ANY}),
    "failed": _Shape({"id": _ID, "error": _TEXT}),
    "unknown": _Shape({"id": _ID, "error": _TEXT}),
    "acquired": _Shape(
        _HELD, {"ttl": _NUMBER, "until": _NUMBER, "remaining": _NUMBER, "permits": _INT}
    ),
    "renewed": _Shape(_HELD, {"until": _NUMBER, "remaining": _NUMBER}),
    "released": _Shape(_HELD),
    "lost": _Shape({**_HELD, "reason": _TEXT}),
    "broken": _Shape(_HELD),
    "began": _Shape({"object": _TEXT}),
    "paused": _Shape({}, {"seconds": _NUMBER}),
    "resumed": _Shape(),
    "crashed": _Shape(),
    "restarted": _Shape({}, {"as": _TEXT}),
    "clock-jumped": _Shape({"seconds": _NUMBER}),
    "fault": _Shape(
        {"kind": _TEXT}, {"verb": _TEXT, "key": _TEXT, "write": _FLAG, "until": _NUMBER}
    ),
    "observed": _Shape({"object": _TEXT}),
    "wrote": _Shape({**_HELD, "key": _TEXT, "value": _ANY}),
    "request": _Shape({"verb": _TEXT}),
    "dropped": _Shape(),
    "started": _Shape(),
    "finished": _Shape(),
    "note": _Shape(),
}

_RESERVED: Final = frozenset({"at", "actor", "event"})


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        actor: To whom, or by whom; a restarted process is another actor.
        name: What; docs/history.md lists the names.
        at: When, in seconds of true time: simulated, or this machine's monotonic clock.
        fields: What else is known of it; JSON.
    """

    actor: str
    name: str
    at: float = 0.0
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]


def line_of(event: Event) -> bytes:
    """The event as a line, names sorted: equal events give equal bytes.

    Raises:
        ValueError: A field is no JSON, or has a name of the line's own.
    """
    if not _RESERVED.isdisjoint(event.fields):
        raise ValueError(f"{event.name}: a field cannot be called at, actor or event")
    line = {"at": float(event.at), "actor": event.actor, "event": event.name, **event.fields}
    try:
        text = json.dumps(line, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except TypeError as error:
        raise ValueError(f"{event.name}: a field is no JSON ({error})") from error
    return text.encode() + b"\n"


def parse_line(line: bytes, *, actor: str | None = None) -> Event:
    """The event of a line.

    Args:
        line: The line.
        actor: Whose log it is from; None: the line says it.

    Raises:
        ValueError: It is no event; the text says why.
    """
    try:
        document = json.loads(
            line, object_pairs_hook=_without_doubles, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}, column {error.colno})") from None
    if type(document) is not dict:
        raise ValueError("no JSON object")
    at, name = document.pop("at", None), document.pop("event", None)
    actor = document.pop("actor", actor)
    if type(at) not in _NUMBER or not math.isfinite(at):
        raise ValueError(f"at must be seconds, not {at!r}")
    if type(name) is not str:
        raise ValueError(f"event must be a name, not {name!r}")
    if type(actor) is not str:
        raise ValueError(f"actor must be a name, not {actor!r}")
    return Event(actor, name, float(at), document)


def check_event(event: Event) -> None:
    """Refuse an event that is not of a history's format.

    Raises:
        ValueError: Its name is unknown, a field is missing or of the wrong type.
    """
    shape = _SHAPES.get(event.name)
    if shape is None:
        raise ValueError(f"there is no event {event.name!r}; to say more use 'note'")
    for name, types in shape.required.items():
        if name not in event.fields:
            raise ValueError(f"{event.name} without {name}")
        _check_type(event, name, types)
    for name, types in shape.optional.items():
        if name in event.fields:
            _check_type(event, name, types)
    if "object" in shape.required and not all(event["object"].partition("/")):
        raise ValueError(f"{event.name}: object must be kind/name, not {event['object']!r}")


def _check_type(event: Event, name: str, types: _Types) -> None:
    value = event.fields[name]
    if type(value) not in types and types is not _ANY:
        wanted = " or ".join(kind.__name__ for kind in types)
        raise ValueError(f"{event.name}: {name} must be {wanted}, not {value!r}")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return document


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
