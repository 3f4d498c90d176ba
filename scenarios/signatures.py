"""Signatures: what operations take and return, by kind of object; see docs/history.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from scenarios.json_types import (
    ANY,
    COUNT,
    FLAG,
    TEXT_OR_NULL,
    WHOLE,
    WHOLE_OR_NULL,
    WHOLES,
    JsonType,
    one_of,
    with_fields,
)


@dataclass(frozen=True)
class Signature:
    """What an operation takes and returns; arguments that it does not name may be there, too.

    Attributes:
        args: What it must be given.
        value: What it returns.
        optional: What it may be given.
    """

    args: Mapping[str, JsonType] = field(default_factory=dict)
    value: JsonType = ANY
    optional: Mapping[str, JsonType] = field(default_factory=dict)


_HOLD: Final = {
    "acquire": Signature(value=WHOLE_OR_NULL, optional={"permits": COUNT}),
    "try_acquire": Signature(value=WHOLE_OR_NULL, optional={"permits": COUNT}),
    "check": Signature({"token": WHOLE}, FLAG),
    "renew": Signature({"token": WHOLE}),
    "release": Signature({"token": WHOLE}),
    "break": Signature({"token": WHOLE}),
    "holder": Signature(value=WHOLE_OR_NULL),
    "holders": Signature(value=WHOLES),
}

_CONDITION: Final = {
    "condition": one_of("same", "changed", "any"),
    "expected": TEXT_OR_NULL,
}
_SEEN: Final = with_fields(satisfied=FLAG, actual=TEXT_OR_NULL, resulting=TEXT_OR_NULL)

_SIGNATURES: Final[Mapping[str, Mapping[str, Signature]]] = {
    "register": {
        "read": Signature(),
        "write": Signature({"value": ANY}),
        "cas": Signature({"expected": ANY, "value": ANY}, FLAG),
        "update": Signature({"value": ANY}),
    },
    "counter": {
        "add": Signature({"n": WHOLE}, WHOLE),
        "value": Signature(value=WHOLE),
        "compare_and_set": Signature({"expected": WHOLE, "new": WHOLE}, FLAG),
        "reset": Signature({"to": WHOLE}, WHOLE),
    },
    "claim": {"claim": Signature(value=FLAG), "complete": Signature(), "fail": Signature()},
    "reclaim": {
        "claim": Signature(value=FLAG),
        "complete": Signature({"token": WHOLE}),
        "fail": Signature(),
        "check": Signature({"token": WHOLE}, FLAG),
    },
    "once": {"call": Signature()},
    "sequence": {"next": Signature(value=WHOLE)},
    "lease": _HOLD,
    "semaphore": _HOLD,
    "fenced": {"read": Signature(), "write": Signature({"token": WHOLE, "value": ANY})},
    "item": {
        "get_item_if": Signature(_CONDITION, _SEEN),
        "set_item_if": Signature({**_CONDITION, "value": ANY}, _SEEN),
        "setdefault_if": Signature({**_CONDITION, "value": ANY}, _SEEN),
        "discard_if": Signature(_CONDITION, _SEEN),
    },
}

_MODELLED: Final = ("register", "counter", "claim", "fenced", "item")
"""Kinds that have no other operations: what is known of the object would not account for them."""


def check_call(kind: str, op: str, args: Mapping[str, Any]) -> None:
    """Refuse a call that is stated otherwise than its signature says.

    Args:
        kind: The kind of the object; of other kinds anything may be called.
        op: What is called.
        args: With what.

    Raises:
        ValueError: There is no such operation, an argument is missing or of another type.
    """
    signature = _SIGNATURES.get(kind, {}).get(op)
    if signature is None:
        if kind in _MODELLED:
            raise ValueError(f"{kind} has no {op!r}")
        return
    for name, wanted in signature.args.items():
        if name not in args:
            raise ValueError(f"{op} without {name!r}")
        wanted.check(args[name], what=f"{op}: {name}")
    for name, wanted in signature.optional.items():
        if name in args:
            wanted.check(args[name], what=f"{op}: {name}")


def check_value(kind: str, op: str, value: object) -> None:
    """Refuse what an operation cannot have returned, by its signature.

    Args:
        kind: The kind of the object.
        op: What was called.
        value: What it returned.

    Raises:
        ValueError: It is of another type.
    """
    signature = _SIGNATURES.get(kind, {}).get(op)
    if signature is not None:
        signature.value.check(value, what=f"what {op} returned")


def names_of(kind: str, op: str) -> tuple[str, ...]:
    """The names of the arguments that an operation must be given."""
    return tuple(_SIGNATURES[kind][op].args)
