"""Keys and names by which somebody tries to reach what is not his."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from persidict import SAFE_CHARS_SET, LocalDict, PersiDict
from persidict.object_store import (
    Answer,
    Entry,
    IfMatch,
    Name,
    NotModified,
    ObjectStore,
    Precondition,
    Snapshot,
)
from persidict.store_around import StoreAround
from persidict_sync.coordinator import Coordinator
from scenarios.figures.places import Bucket

PREFIX: Final = "mine/of-all"
NAME_BYTES: Final = 1024
_SAFE: Final = sorted(SAFE_CHARS_SET)
_FRAGMENTS: Final = (
    ".",
    "..",
    "...",
    "/",
    "//",
    "../",
    "..\\",
    "\\",
    "%2e%2e",
    "%2F",
    "%00",
    "\x00",
    "\n",
    "\r\nHost: elsewhere",
    "?versionId=1",
    "#",
    "&prefix=",
    "+",
    " ",
    "*",
    "~root",
    "|",
    "$(id)",
    "`id`",
    "'; DROP TABLE object; --",
    '"',
    "<Key>k</Key>",
    "&amp;",
    "\u2025",
    "\u2044",
    "\uff0e\uff0e",
    "\u202e",
    "\u0000".join("ab"),
    "\udcff",
    "e\u0301",
    "ключ",
    "日本",
    "😀",
    "other",
    "mine",
    ".record",
    ".json",
    ".pkl",
    "CON",
)
_STRANGERS: Final[tuple[Any, ...]] = (
    None,
    0,
    1.5,
    b"k",
    True,
    object(),
    {"k": 1},
    {"k"},
    (),
    [],
    "",
    [[]],
    ["", "k"],
)


class Names(StoreAround):
    """A store that keeps the names it is asked for, and by whom."""

    def __init__(self, inner: ObjectStore) -> None:
        super().__init__(inner)
        self.asked: set[str] = set()

    def within(self, seconds: float) -> ObjectStore:
        """This store: what it is around never hangs."""
        del seconds
        return self

    def pass_on(self, verb: str, request: Callable[[], Any]) -> Any:
        """The answer."""
        del verb
        return request()

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        """As the store does it."""
        self.asked.add(name)
        return super().head(name, certain=certain)

    def peek(self, name: Name) -> Snapshot | None:
        """As the store does it."""
        self.asked.add(name)
        return super().peek(name)

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        """As the store does it."""
        self.asked.add(name)
        return super().get(name, unless=unless)

    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,
        precondition: Precondition | None,
    ) -> Answer:
        """As the store does it."""
        self.asked.add(name)
        return super().put(
            name, body, write_id=write_id, content_type=content_type, precondition=precondition
        )

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        """As the store does it."""
        self.asked.add(name)
        return super().delete(name, precondition=precondition)

    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        """As the store does it."""
        self.asked.add(prefix)
        return super().list(prefix, after=after)

    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        """As the store does it."""
        self.asked.update(names)
        return super().delete_batch(names)


@dataclass
class Tried:
    """What became of the keys.

    Attributes:
        outcomes: How many were refused, how many used.
        violations: What left the prefix, and what was refused otherwise than documented.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def keys(count: int, *, seed: int) -> Iterator[Any]:
    """So many keys, none of them meant well."""
    rng = random.Random(seed)
    for _ in range(count):
        yield _key(rng)


def _key(rng: random.Random, depth: int = 0) -> Any:
    roll = rng.random()
    if roll < 0.03:
        return rng.choice(_STRANGERS)
    if roll < 0.4 and depth < 4:
        return [_key(rng, depth + 1) for _ in range(rng.randint(1, 4))]
    if roll < 0.6:
        return "".join(rng.choices(_SAFE, k=rng.choice((1, 3, 8, 253, 254, 400))))
    parts = [*_FRAGMENTS, *("".join(rng.choices(_SAFE, k=2)) for _ in range(20))]
    return "".join(rng.choices(parts, k=rng.randint(1, 4)))


def _uses(d: PersiDict[Any], fleet: Coordinator) -> Mapping[str, Callable[[Any], object]]:
    """Everything that takes a name from a user."""
    return {
        "d[k] = v": lambda key: d.__setitem__(key, 1),
        "setdefault": lambda key: d.setdefault(key, 1),
        "discard": d.discard,
        "get_subdict": lambda key: d.get_subdict(key).setdefault("k", 1),
        "get_subdict, clear": lambda key: [*d.get_subdict(key).subdicts()],
        "counter": lambda key: fleet.counter(key).add(),
        "value": lambda key: fleet.value(key).set(1),
        "lease": lambda key: fleet.lease(key).holder(),
        "claim": lambda key: fleet.claims("c").claim(key),
        "claims": lambda key: fleet.claims(key).get("k"),
        "semaphore": lambda key: fleet.semaphore(key, 2).holders(),
    }


def try_all(count: int, seed: int) -> Tried:
    """Use so many keys, one way each, over a store that keeps the names it is asked for."""
    tried = Tried()
    stores: list[Names] = []

    def around(store: ObjectStore) -> ObjectStore:
        stores.append(Names(store))
        return stores[-1]

    d: PersiDict[Any] = LocalDict(root_prefix=PREFIX).with_store(around)
    with Coordinator(d) as fleet:
        uses, rng = _uses(d, fleet), random.Random(f"uses of {seed}")
        for key in keys(count, seed=seed):
            _try(rng.choice([*uses]), key, uses=uses, tried=tried)
    asked = sorted(stores[0].asked)
    for name in asked:
        tried.violations += [f"{name!a}: {problem}" for problem in _problems(name)]
    tried.outcomes["names asked for"] = len(asked)
    return tried


def _try(use: str, key: Any, *, uses: Mapping[str, Callable[[Any], object]], tried: Tried) -> None:
    try:
        uses[use](key)
        tried.outcomes["used"] += 1
    except (ValueError, TypeError):
        tried.outcomes["refused"] += 1
    except Exception as error:  # noqa: BLE001 - nobody documents another
        tried.violations.append(f"{use} of {key!a}: {type(error).__name__}: {error}"[:300])


def _problems(name: str) -> Iterator[str]:
    """What is wrong with the name of an object, or of a prefix that is listed."""
    prefix = f"{PREFIX}/"
    if not name.startswith(prefix):
        yield "outside the prefix"
        return
    parts = name.removeprefix(prefix).split("/")
    if not set(name) <= {*SAFE_CHARS_SET, "/"}:
        yield "unsafe characters"
    if {".", ".."} & set(parts) or "" in parts[:-1]:
        yield "a part that a path would resolve"
    if len(name.encode(errors="surrogatepass")) > NAME_BYTES:
        yield "too long"


def try_over_http(place: Bucket, count: int, seed: int) -> Tried:
    """The same over HTTP, where a name becomes a path; the server's log has what was asked for."""
    tried = Tried()
    d = place.open(timeout=20.0, root_prefix=PREFIX)
    fleet = Coordinator(d)
    uses, rng = _uses(d, fleet), random.Random(f"uses of {seed}")
    for key in keys(count, seed=seed):
        _try(rng.choice([*uses]), key, uses=uses, tried=tried)
    fleet.close()
    return tried
