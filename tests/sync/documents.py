"""Documents that are no record, each a different way for a stranger to try it."""

from __future__ import annotations

import gzip
import json
import pickle
from typing import Any

from persidict_sync.record import RING

OPS = [f"{number:024x}" for number in range(1, RING + 2)]


def ring(*ops: str) -> str:
    """The identities of writes as a record keeps them."""
    return "".join(ops)


def envelope(**changes: Any) -> dict[str, Any]:
    """A record of a counter that has been written twice, but for the changes."""
    return {
        "format": [1, 0],
        "kind": "counter",
        "generation": 2,
        "op": OPS[1],
        "ops": ring(*OPS[:2]),
        "written": "2026-01-02T03:04:05+00:00",
        "body": {"total": 5},
        **changes,
    }


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def _without(name: str) -> bytes:
    return _json({key: value for key, value in envelope().items() if key != name})


def _nested(depth: int, *, kind: str) -> bytes:
    open_, close = {"list": ("[", "]"), "object": ('{"a":', "}")}[kind]
    inner = open_ * depth + "1" + close * depth
    return _json(envelope(extra="@")).replace(b'"@"', inner.encode())


def _raw(old: str, new: str) -> bytes:
    document = json.dumps(envelope())
    assert old in document
    return document.replace(old, new).encode()


class Canary:
    """Calls `persidict_canary.sing` if it is ever unpickled."""

    def __reduce__(self) -> Any:
        return __import__, ("this",)


_CODE = '{"py/reduce": [{"py/function": "builtins.__import__"}, {"py/tuple": ["this"]}]}'

MALICIOUS: dict[str, bytes] = {
    **{
        f"pickle, protocol {number}": pickle.dumps(Canary(), protocol=number) for number in range(6)
    },
    "jsonpickle reduce": _CODE.encode(),
    "jsonpickle reduce as a body": _json(envelope(body="@")).replace(b'"@"', _CODE.encode()),
    "jsonpickle reduce as a total": _raw('"total": 5', f'"total": {_CODE}'),
    "jsonpickle object": b'{"py/object": "this.Zen", "x": 1}',
    "jsonpickle type as a kind": _raw('"counter"', '{"py/type": "this.Zen"}'),
    "python": b"__import__('this')",
    "yaml": b"!!python/object/apply:builtins.__import__ ['this']",
    "xml entities": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
    "gzip": gzip.compress(_json(envelope()), mtime=0),
}
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "whitespace": b" \n",
    "zeros": bytes(64),
    "half": _json(envelope())[:60],
    "more after it": _json(envelope()) + b"{}",
    "not UTF-8": _json(envelope()).replace(b"counter", b"count\xffr"),
    "UTF-16": json.dumps(envelope()).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + _json(envelope()),
    "comment": b"// hello\n" + _json(envelope()),
    "single quotes": str(envelope()).encode(),
    "trailing comma": _raw('"total": 5', '"total": 5,'),
    "NaN": _raw('"total": 5', '"total": NaN'),
    "Infinity": _raw('"total": 5', '"total": -Infinity'),
    "too large a float": _raw('"total": 5', '"total": 1e999'),
    "a whole number that overflows": _raw('"total": 5', '"total": 5, "x": -' + "9" * 309),
    "a number of 5,000 digits": _raw('"total": 5', '"total": ' + "9" * 5_000),
    "a field twice": _raw('"generation": 2', '"generation": 2, "generation": 9'),
    "a field of the body twice": _raw('"total": 5', '"total": 5, "total": 6'),
    "half a surrogate pair": _json(envelope(note="\ud800")),
    "half a surrogate pair as a name": _json(envelope(**{"\udfff": 1})),
    "null": b"null",
    "a list": b"[]",
    "a string": b'"record"',
    "an empty object": b"{}",
    **{f"no {name}": _without(name) for name in envelope()},
    "format is a string": _json(envelope(format="1.0")),
    "format of one number": _json(envelope(format=[1])),
    "format of three": _json(envelope(format=[1, 0, 0])),
    "format of booleans": _json(envelope(format=[True, False])),
    "format of floats": _json(envelope(format=[1.0, 0.0])),
    "negative minor": _json(envelope(format=[1, -1])),
    "huge major": _json(envelope(format=[10**30, 0])),
    "kind is empty": _json(envelope(kind="")),
    "kind is a path": _json(envelope(kind="../lease")),
    "kind with a line break": _json(envelope(kind="counter\nFAKE LOG LINE")),
    "kind is long": _json(envelope(kind="c" * 10_000)),
    "kind is null": _json(envelope(kind=None)),
    "generation 0": _json(envelope(generation=0, ops="", op="")),
    "negative generation": _json(envelope(generation=-2)),
    "generation beyond 2**53": _json(
        envelope(generation=2**53, ops=ring(*OPS[:RING]), op=OPS[RING - 1])
    ),
    "generation is a float": _json(envelope(generation=2.0)),
    "generation is a boolean": _json(envelope(generation=True, ops=OPS[0], op=OPS[0])),
    "generation is a string": _json(envelope(generation="2")),
    "op is not the last": _json(envelope(op=OPS[0])),
    "op is short": _json(envelope(op="0" * 23, ops=ring(OPS[0], "0" * 23))),
    "op in capitals": _json(envelope(op="A" * 24, ops=ring(OPS[0], "A" * 24))),
    "op with a line break": _json(envelope(op="a" * 23 + "\n", ops=ring(OPS[0], "a" * 23 + "\n"))),
    "op and a line break": _json(envelope(op="a" * 24 + "\n", ops=ring(OPS[0], "a" * 24 + "\n"))),
    "op with digits of another script": _json(
        envelope(op="\u0661" * 24, ops=ring(OPS[0], "\u0661" * 24))
    ),
    "op is two": _json(envelope(op=ring(*OPS[:2]))),
    "op is a number": _json(envelope(op=5)),
    "ops is empty": _json(envelope(ops="")),
    "ops is an object": _json(envelope(ops={})),
    "ops is a list": _json(envelope(ops=OPS[:2])),
    "ops is a number": _json(envelope(ops=int(OPS[1]))),
    "ops with a separator": _json(envelope(ops=",".join(OPS[:2]))),
    "ops lacks a digit": _json(envelope(ops=ring(*OPS[:2])[1:])),
    "ops is too short": _json(envelope(generation=9)),
    "ops is too long": _json(envelope(generation=1)),
    "one more than the ring": _json(
        envelope(generation=RING + 1, ops=ring(*OPS[: RING + 1]), op=OPS[RING])
    ),
    "written is a number": _json(envelope(written=5)),
    "body is a list": _json(envelope(body=[])),
    "body is null": _json(envelope(body=None)),
    "body lacks its field": _json(envelope(body={})),
    "total is a string": _json(envelope(body={"total": "5"})),
    "total is a boolean": _json(envelope(body={"total": True})),
    "total is a float": _json(envelope(body={"total": 5.0})),
    "total is null": _json(envelope(body={"total": None})),
    "total beyond 2**53": _json(envelope(body={"total": 2**53})),
}
OVERSIZED: dict[str, bytes] = {
    "65,537 bytes": _json(envelope()) + b" " * (64 * 1024 + 1 - len(_json(envelope()))),
    "a megabyte": _json(envelope(note="x" * 2**20)),
    "lists 17 deep": _nested(16, kind="list"),
    "objects 17 deep": _nested(16, kind="object"),
    "lists 10,000 deep": _nested(10_000, kind="list"),
    "nothing but brackets": b"[" * 65_000,
    "objects 9,000 deep": _nested(9_000, kind="object"),
}
FOREIGN: dict[str, bytes] = {
    "another kind": _json(envelope(kind="lease")),
    "a format of its own": b'{"version": 3, "total": 5}',
    "newer major": _json(envelope(format=[2, 0])),
    "newer major of another shape": b'{"format": [2, 0], "total": 5}',
    "older major": _json(envelope(format=[0, 9])),
}
ALL: dict[str, bytes] = {**MALICIOUS, **MALFORMED, **OVERSIZED, **FOREIGN}
