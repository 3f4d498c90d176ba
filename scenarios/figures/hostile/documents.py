"""Documents by which a stranger who can write the bucket tries to have code run."""

from __future__ import annotations

import base64
import gzip
import json
import marshal
import os
import pickle
import random
from collections.abc import Iterator, Mapping
from typing import Any, Final

CANARY: Final = "persidict_canary"
"""No module of this name exists: whoever imports it has been had."""


class _Importing:
    def __reduce__(self) -> Any:
        return __import__, (CANARY,)


class _Calling:
    def __reduce__(self) -> Any:
        return os.system, (f": {CANARY}",)


_PICKLE: Final = base64.b64encode(pickle.dumps(_Importing())).decode()
_REDUCE: Final = {"py/reduce": [{"py/function": "builtins.__import__"}, {"py/tuple": [CANARY]}]}

PAYLOADS: Final[Mapping[str, Any]] = {
    "jsonpickle reduce": _REDUCE,
    "jsonpickle reduce, system": {
        "py/reduce": [{"py/function": "os.system"}, {"py/tuple": [f": {CANARY}"]}]
    },
    "jsonpickle object": {"py/object": f"{CANARY}.Thing", "x": 1},
    "jsonpickle object with arguments": {
        "py/object": "subprocess.Popen",
        "py/newargs": {"py/tuple": [[":", CANARY]]},
    },
    "jsonpickle function": {"py/function": f"{CANARY}.thing"},
    "jsonpickle type": {"py/type": f"{CANARY}.Thing"},
    "jsonpickle repr": {"py/repr": f"{CANARY}/{CANARY}.thing()"},
    "jsonpickle module": {"py/mod": CANARY},
    "jsonpickle in a list": [_REDUCE],
    "jsonpickle as a name": {json.dumps(_REDUCE): 1},
    "pickle in base64": {"py/b64": _PICKLE},
    "pickle in text": pickle.dumps(_Importing(), protocol=0).decode("latin-1"),
    "python": f"__import__('{CANARY}')",
    "python in braces": f"{{__import__('{CANARY}')}}",
    "yaml": f"!!python/object/apply:builtins.__import__ ['{CANARY}']",
    "template": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "lookup": "${jndi:ldap://127.0.0.1:9/a}",
    "class of another language": {"$type": "System.Diagnostics.Process", "__class__": CANARY},
    "pollution": {"__proto__": {"x": 1}, "__class__": {"__init__": CANARY}},
}


def documents(records: Mapping[str, bytes]) -> Iterator[tuple[str, str, bytes]]:
    """The kind of record that each pretends to be, what it tries, and its bytes.

    Args:
        records: A good record of each kind.
    """
    for kind, good in records.items():
        record = json.loads(good)
        for path in _paths(record):
            for name, payload in PAYLOADS.items():
                where = ".".join(map(str, path)) or "all of it"
                yield kind, f"{name} as {where}", _with(record, path, payload)
        for name, body in _raw(good):
            yield kind, name, body


def some(records: Mapping[str, bytes], count: int, *, seed: int) -> list[tuple[str, str, bytes]]:
    """So many of them, by seed; all if there are not so many."""
    every = [*documents(records)]
    return random.Random(seed).sample(every, min(count, len(every)))


def _raw(good: bytes) -> Iterator[tuple[str, bytes]]:
    for thing in (_Importing(), _Calling()):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            body = pickle.dumps(thing, protocol=protocol)
            name = f"{type(thing).__name__.strip('_')} pickle, protocol {protocol}"
            yield name, body
            yield f"{name}, after a record", good + body
            yield f"{name}, before a record", body + good
    yield "marshal", marshal.dumps(compile(f"import {CANARY}", CANARY, "exec"))
    yield "python", f"import {CANARY}".encode()
    yield "yaml", f"!!python/object/apply:builtins.__import__ ['{CANARY}']".encode()
    yield "xml", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'
    yield "gzip", gzip.compress(good, mtime=0)
    yield "brackets", b"[" * 60_000
    yield "digits", good.replace(b"1", b"9" * 5_000, 1)


def _paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, and one that its reader does not know."""
    yield at
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, (*at, name))
        yield (*at, "unheard-of")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*at, index))


def _with(record: Any, path: tuple[Any, ...], payload: Any) -> bytes:
    changed = json.loads(json.dumps(record))
    if not path:
        return json.dumps(payload).encode()
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = payload
    return json.dumps(changed).encode()
