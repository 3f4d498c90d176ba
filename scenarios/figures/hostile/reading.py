"""Reads malicious records through every primitive, and watches what the interpreter does."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from persidict import Codec, LocalDict, PersiDict, SafeStrTuple
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import OwnerDied, RecordError, TaskFailedError
from persidict_sync.held import Held
from persidict_sync.record import RecordCodec
from scenarios.figures.hostile.documents import some

WATCHED: Final = frozenset(
    {
        "import",
        "exec",
        "compile",
        "pickle.find_class",
        "marshal.loads",
        "code.__new__",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "subprocess.Popen",
        "socket.connect",
        "open",
        "ctypes.dlopen",
    }
)
_LEAVES: Final = (str, int, float, bool, type(None))
_REFUSALS: Final = (RecordError, TaskFailedError, OwnerDied)
_NAME: Final = "c"


class _Raw(Codec):
    """The bytes under a record's name."""

    format = RecordCodec.format
    content_type = RecordCodec.content_type

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, body: bytes) -> bytes:
        return body


@dataclass
class Seen:
    """What became of the documents.

    Attributes:
        outcomes: How many were refused, and how many read as data.
        violations: What ran, what came back that is no plain data, what was overwritten.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class Watch:
    """Tells what the interpreter imports, runs and opens; it cannot be taken away again."""

    def __init__(self) -> None:
        self._is_watching = False
        self._events: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """What happens meanwhile."""
        self._events, self._is_watching = [], True
        try:
            yield self._events
        finally:
            self._is_watching = False

    def _hear(self, event: str, args: Any) -> None:
        if self._is_watching and event in WATCHED:
            self._events.append(f"{event} {args[:1]!r}"[:120])


def _uses(fleet: Coordinator) -> Mapping[str, Callable[[], Any]]:
    """For each kind something that reads its record, writes upon it, and tells what is in it."""
    counter, value, lease = fleet.counter(_NAME), fleet.value(_NAME), fleet.lease(_NAME)
    claims = fleet.claims(_NAME)
    return {
        "counter": lambda: (counter.value(), counter.add()),
        "sequence": lambda: fleet.sequence(_NAME).next(),
        "value": lambda: (value.get().value, value.set(1).value),
        "lease": lambda: (_told(lease.holder()), _freed(lease.try_acquire())),
        "lock": lambda: fleet.lock(_NAME).locked(),
        "election": lambda: _told(fleet.election(_NAME).leader()),
        "semaphore": lambda: _freed(fleet.semaphore(_NAME, 2).try_acquire()),
        "claim": lambda: (_told(claims.get(_NAME)), _told(claims.claim(_NAME))),
        "once": fleet.once(_NAME)(lambda: 1),
    }


def _told(found: Any) -> Any:
    """What a reader may see of something."""
    if found is None:
        return None
    return [getattr(found, name, None) for name in ("owner", "data", "result", "error")]


def _freed(held: Held | None) -> Any:
    if held is None:
        return None
    held.release()
    return held.data


def read_all(count: int, seed: int) -> Seen:
    """Put so many documents in the place of good records, and use what they pretend to be."""
    good = {kind: body for kind, (_, body) in _good().items()}
    for kind, body in good.items():
        for warm_up in (body, b"[]"):
            _use(kind, warm_up)
    seen, watch = Seen(), Watch()
    for kind, name, body in some(good, count, seed=seed):
        with watch.watching() as events:
            outcome, problems = _use(kind, body)
        seen.outcomes[outcome] += 1
        seen.violations += [f"{kind}, {name}: {text}" for text in (*problems, *events)]
    return seen


def _use(kind: str, body: bytes) -> tuple[str, list[str]]:
    """What becomes of a document, and what is wrong with that."""
    d: PersiDict[Any] = LocalDict()
    raw = d.get_subdict("coordination").with_codec(_Raw())
    key, _ = _good()[kind]
    raw[key] = body
    try:
        answer = _uses(Coordinator(d, timeout=2.0))[kind]()
    except _REFUSALS:
        return "refused", [] if raw[key] == body else ["refused, and overwritten"]
    except Exception as error:  # noqa: BLE001 - nobody documents another
        return "another error", [f"{type(error).__name__}: {error}"[:200]]
    return "read as data", [] if _is_plain(answer) else [f"was read as {answer!r}"[:200]]


def _is_plain(answer: Any) -> bool:
    if type(answer) is dict:
        return all(type(name) is str and _is_plain(inner) for name, inner in answer.items())
    if type(answer) in (list, tuple):
        return all(map(_is_plain, answer))
    return type(answer) in _LEAVES


@cache
def _good() -> Mapping[str, tuple[SafeStrTuple, bytes]]:
    """A good record of each kind, and its key."""
    d: PersiDict[Any] = LocalDict()
    with Coordinator(d) as fleet:
        for use in _uses(fleet).values():
            use()
        with fleet.election(_NAME).campaign({"at": [1, "x"]}), fleet.lock(_NAME):
            pass
        fleet.lease(_NAME).acquire(data={"host": ["a", 1]}).release()
        fleet.value(_NAME).set({"workers": [4, None, "x"]})
    raw = d.get_subdict("coordination").with_codec(_Raw())
    return {key[0]: (key, body) for key, body in raw.items() if key[0] in _uses(fleet)}
