"""Events: what happened to one actor at one time, as one line of JSON; see docs/history.md."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from scenarios.json_types import (
    ANY,
    COUNT,
    COUNTS,
    FLAG,
    ID,
    NUMBER,
    OBJECT,
    SECONDS,
    SHARE,
    TEXT,
    WHOLE,
    JsonType,
)


@dataclass(frozen=True)
class _Shape:
    """The fields of one kind of event, with their types; fields that it does not name are kept."""

    required: Mapping[str, JsonType] = field(default_factory=dict)
    optional: Mapping[str, JsonType] = field(default_factory=dict)


_HELD: Final = {"object": TEXT, "token": WHOLE}

_SHAPES: Final[Mapping[str, _Shape]] = {
    "meta": _Shape(
        {"format": WHOLE, "source": TEXT},
        {
            "scenario": TEXT,
            "seed": ID,
            "permits": COUNTS,
            "drift": SHARE,
            "poll": SECONDS,
            "allowance": SECONDS,
        },
    ),
    "call": _Shape({"id": ID, "object": TEXT, "op": TEXT, "args": OBJECT}),
    "return": _Shape({"id": ID, "value": ANY}),
    "failed": _Shape({"id": ID, "error": TEXT}),
    "unknown": _Shape({"id": ID, "error": TEXT}),
    "acquired": _Shape(
        _HELD, {"ttl": SECONDS, "until": NUMBER, "remaining": NUMBER, "permits": COUNT}
    ),
    "renewed": _Shape(_HELD, {"until": NUMBER, "remaining": NUMBER}),
    "released": _Shape(_HELD),
    "lost": _Shape({**_HELD, "reason": TEXT}),
    "broken": _Shape(_HELD),
    "began": _Shape({"object": TEXT}),
    "paused": _Shape({}, {"seconds": NUMBER}),
    "resumed": _Shape(),
    "crashed": _Shape(),
    "restarted": _Shape({}, {"as": TEXT}),
    "clock-jumped": _Shape({"seconds": NUMBER}),
    "fault": _Shape({"kind": TEXT}, {"verb": TEXT, "key": TEXT, "write": FLAG, "until": NUMBER}),
    "observed": _Shape({"object": TEXT}),
    "wrote": _Shape({**_HELD, "key": TEXT, "value": ANY}),
    "request": _Shape({"verb": TEXT}),
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
            line,
            object_pairs_hook=_without_doubles,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}, column {error.colno})") from None
    if type(document) is not dict:
        raise ValueError("no JSON object")
    at, name = document.pop("at", None), document.pop("event", None)
    actor = document.pop("actor", actor)
    NUMBER.check(at, what="at")
    TEXT.check(name, what="event")
    TEXT.check(actor, what="actor")
    return Event(actor, name, float(at), document)


def check_event(event: Event) -> None:
    """Refuse an event that is not of a history's format.

    Raises:
        ValueError: Its name is unknown, a field is missing or of the wrong type.
    """
    shape = _SHAPES.get(event.name)
    if shape is None:
        raise ValueError(f"there is no event {event.name!r}; to say more use 'note'")
    for name, wanted in shape.required.items():
        if name not in event.fields:
            raise ValueError(f"{event.name} without {name}")
        wanted.check(event.fields[name], what=f"{event.name}: {name}")
    for name, wanted in shape.optional.items():
        if name in event.fields:
            wanted.check(event.fields[name], what=f"{event.name}: {name}")
    if "object" in shape.required and not all(event["object"].partition("/")):
        raise ValueError(f"{event.name}: object must be kind/name, not {event['object']!r}")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return document


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is beyond all numbers")
    return value
