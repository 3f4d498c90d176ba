"""The envelope of every stored record, and its one encoding: strict JSON.

A record says what it is (`format`, `kind`), which write made it (`generation`, `op`), which
writes came before (`ops`) and what the primitive keeps in it (`body`). `written` is there for
people to read; nothing decides by it. The wire format is documented in docs/wire-format.md.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar

from persidict import Codec
from persidict_sync.errors import RecordError, RecordTooLargeError

FORMAT: Final = (1, 0)
RING: Final = 128
"""How many writes a record remembers: so many may go by while the answer to one is under way."""
OP_LENGTH: Final = 24
MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 16
MAX_INT: Final = 2**53 - 1
"""The largest whole number that every reader of JSON keeps."""

_MOST_DIGITS: Final = len(str(MAX_INT))
_OP: Final = re.compile(rf"[0-9a-f]{{{OP_LENGTH}}}")
_DIGITS_OF_ANY_FLOAT: Final = sys.float_info.max_10_exp
_HEX: Final = b"0123456789abcdef"
_KIND: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_FIELDS: Final = frozenset({"format", "kind", "generation", "op", "ops", "written", "body"})


@dataclass(frozen=True, slots=True)
class Record:
    """One version of one record.

    Attributes:
        kind: Which primitive it belongs to.
        generation: 1 for the first write, one more with each; it never falls.
        op: The identity of the write that made this version: 24 hexadecimal digits.
        ops: The ring: the identities of the last 128 writes, the newest, `op`, last.
        written: When, by the writer's wall clock, for people: ISO 8601.
        body: What the primitive keeps.
        format: Major and minor version of the format.
        unknown: Fields of a newer minor version, kept as they are.
        room: Bytes that must be left beside it, so that what is kept in it may grow; not stored.
    """

    kind: str
    generation: int
    op: str
    ops: str
    written: str
    body: Mapping[str, Any]
    format: tuple[int, int] = FORMAT
    unknown: Mapping[str, Any] = field(default_factory=dict)
    room: int = field(default=0, compare=False, repr=False)

    def next(self, *, body: Mapping[str, Any], op: str, written: str, room: int = 0) -> Record:
        """The version that a write of `body` makes of this one."""
        return Record(
            kind=self.kind,
            generation=self.generation + 1,
            op=op,
            ops=(self.ops + op)[-RING * OP_LENGTH :],
            written=written,
            body=body,
            format=self.format,
            unknown=self.unknown,
            room=room,
        )

    def tells_of(self, generation: int) -> bool:
        """Whether the ring reaches back to the write that made `generation`."""
        return self.generation - len(self.ops) // OP_LENGTH < generation

    def op_of(self, generation: int) -> str:
        """The identity of the write that made `generation`, empty if the ring does not tell."""
        end = len(self.ops) - (self.generation - generation) * OP_LENGTH
        return self.ops[max(0, end - OP_LENGTH) : max(0, end)]

    def stems_from(self, version: Record) -> bool:
        """Whether the ring shows that this is `version`, or was made of it."""
        return self.op_of(version.generation) == version.op


def first(*, kind: str, body: Mapping[str, Any], op: str, written: str, room: int = 0) -> Record:
    """The first version of a record."""
    return Record(kind, generation=1, op=op, ops=op, written=written, body=body, room=room)


def digits_left(number: int) -> int:
    """By how many digits a whole number from 0 on may still grow."""
    return _MOST_DIGITS - len(str(number))


class RecordCodec(Codec):
    """Records as strict JSON: never a pickle, nothing executed, nothing imported.

    Raises:
        RecordError: When reading: the bytes are no record, are too large or too deeply nested,
            or of a newer major version. When writing: it would be no JSON.
        RecordTooLargeError: When writing: the record would be too large.

    Example:
        >>> record = first(kind="counter", body={"total": 1}, op="0" * 24, written="")
        >>> RecordCodec().decode(RecordCodec().encode(record)) == record
        True
    """

    # Not `json`: a dictionary of that format over the same prefix must not take records for items.
    format = "record"
    content_type = "application/json"
    # Every record has an op of its own, so the bytes of no two are the same.
    stamps = True

    def encode(self, value: Any) -> bytes:
        """Write a record."""
        if not isinstance(value, Record):
            raise TypeError(f"only records can be stored here, not a {type(value).__name__}")
        head = {
            "format": list(value.format),
            "kind": value.kind,
            "generation": value.generation,
            "op": value.op,
        }
        tail = {"written": value.written, "body": value.body, **value.unknown}
        try:
            # A search for what to escape in the ring would take longer than all else.
            document = (
                f'{_to_json(head)[:-1]}, "ops": "{value.ops}", {_to_json(tail)[1:]}'
            ).encode()
        except (ValueError, RecursionError) as error:
            raise RecordError(f"it would be no JSON ({type(error).__name__})") from None
        # A record that fits must go on fitting when the ring has grown to its length.
        size = len(document) - len(value.ops) + RING * OP_LENGTH + value.room
        if size > MAX_BYTES:
            raise RecordTooLargeError(
                f"it would have {size} bytes, and {MAX_BYTES} is the most. Store what is "
                "large under a key of a dictionary, and here only the key"
            )
        # Nobody could ever change a record again that nobody can read.
        if self.decode(document) != value:
            raise TypeError("a record holds objects, lists, strings, numbers, booleans and nulls")
        return document

    def decode(self, body: bytes) -> Record:
        """Read a record, trusting nothing about it."""
        if len(body) > MAX_BYTES:
            raise RecordError(f"it has {len(body)} bytes, and {MAX_BYTES} is the most")
        return parsed(_json(body))


def parsed(document: Any) -> Record:
    """The record that a JSON document is.

    Raises:
        RecordError: It is none, or one of a newer major version.
    """
    if not isinstance(document, dict):
        raise RecordError("it is no JSON object")
    version = document.get("format")
    if not (isinstance(version, list) and _is_list_of(version, int) and len(version) == 2):
        raise RecordError("it has no format version, so it is no record of this package")
    if min(version) < 0 or max(version) > MAX_INT:
        raise RecordError("its format version is out of range")
    if version[0] != FORMAT[0]:
        raise RecordError(f"it is of format {version[0]}, and this version reads {FORMAT[0]}")
    kind = _field(document, "kind", str)
    if not _KIND.fullmatch(kind):
        raise RecordError("its kind is no name of one")
    generation = _field(document, "generation", int)
    op = _field(document, "op", str)
    ops = _field(document, "ops", str)
    if not 1 <= generation <= MAX_INT:
        raise RecordError("its generation is not between 1 and 2**53 - 1")
    check_ring(ops, generation=generation)
    if op != ops[-OP_LENGTH:]:
        raise RecordError("its op is not the last of its ops")
    return Record(
        kind=kind,
        generation=generation,
        op=op,
        ops=ops,
        written=_field(document, "written", str),
        body=_field(document, "body", dict),
        format=(version[0], version[1]),
        unknown=_unknown(document) if len(document) > len(_FIELDS) else {},
    )


def _unknown(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _FIELDS}


FieldT = TypeVar("FieldT")


def _field(document: dict[str, Any], name: str, kind: type[FieldT]) -> FieldT:
    value = document.get(name)
    # Exactly: a bool is an int to Python, and none to the format.
    if type(value) is not kind:
        raise RecordError(f"its {name} is missing or no {kind.__name__}")
    return value


def is_op(value: object) -> bool:
    """Whether it is an identity, as a write, a claim and a worker have: 96 random bits."""
    return type(value) is str and _OP.fullmatch(value) is not None


def check_ring(ops: str, *, generation: int) -> None:
    """Raise unless these are the identities that a record of this generation keeps.

    Raises:
        RecordError: They are not.
    """
    if not ops.isascii() or ops.encode().translate(None, _HEX):
        raise RecordError("its ops are not all of 0-9a-f")
    if len(ops) != min(generation, RING) * OP_LENGTH:
        raise RecordError("its ops and generation contradict each other")


def _is_list_of(value: list[Any], kind: type) -> bool:
    return set(map(type, value)) == {kind}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RecordError("it names a field twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise RecordError(f"it contains {constant}, which is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RecordError("it contains a number that overflows a 64-bit float")
    return number


def _whole(text: str) -> int:
    # Readers whose only numbers are floats would make infinity of it, or fail.
    if len(text) > _DIGITS_OF_ANY_FLOAT:
        _finite(text)
    return int(text)


_from_json: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite, parse_int=_whole
).decode
_to_json: Final = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode


def _json(body: bytes) -> Any:
    try:
        document = _from_json(body.decode())
        if b"\\" in body and b"\\u" in body:
            # Half of a pair of surrogates can be escaped, and never be written again.
            _to_json(document).encode()
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecordError(f"it is no JSON ({type(error).__name__})") from None
    # What has no more brackets than that is no deeper.
    brackets = len(body) - len(body.translate(None, b"[{"))
    if brackets > MAX_DEPTH and _depth(document) > MAX_DEPTH:
        raise RecordError(f"it is nested more than {MAX_DEPTH} deep")
    return document


def _depth(document: Any) -> int:
    """How many objects and lists are inside one another, as far as one more than is allowed."""
    level, depth = [document], 0
    while depth <= MAX_DEPTH and (level := [one for one in level if isinstance(one, dict | list)]):
        depth += 1
        level = [
            inner for one in level for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth
