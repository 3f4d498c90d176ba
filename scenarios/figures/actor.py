"""One process of a schedule: operations drawn by seed, written down as a history has them."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from persidict import (
    ALWAYS_RETRIEVE,
    ANY_ETAG,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    IF_ETAG_CHANGED,
    ITEM_NOT_AVAILABLE,
    NEVER_RETRIEVE,
    VALUE_NOT_RETRIEVED,
    BackendError,
    ConcurrencyConflictError,
    ConditionalOperationResult,
    ETagIfExists,
    PersiDict,
)
from persidict_sync.coordinator import Coordinator
from persidict_sync.value_watch import Version
from scenarios.events import Event
from scenarios.figures.places import Bucket
from scenarios.figures.schedule import GONE, PATIENCE, RECORDS, SAFE
from scenarios.operation import Operations

KEPT: Final = ("a", "b")
DELETED: Final = "c"
COUNTER: Final = "hits"
REGISTER: Final = "config"
_CONDITIONS: Final = {"same": ETAG_IS_THE_SAME, "changed": ETAG_HAS_CHANGED, "any": ANY_ETAG}
_RETRIEVALS: Final = (ALWAYS_RETRIEVE, IF_ETAG_CHANGED, NEVER_RETRIEVE)
_DOCUMENTED: Final = (BackendError, ConcurrencyConflictError)


@dataclass(frozen=True)
class Log:
    """What one process of a schedule did; if nothing is to be done it looks at everything."""

    events: Sequence[Event]
    crashes: Sequence[str] = ()


class _Memory:
    """The log of one actor, as events."""

    def __init__(self, actor: str) -> None:
        self._actor = actor
        self.events: list[Event] = []

    def log(self, name: str, /, **fields: Any) -> None:
        self.events.append(Event(self._actor, name, time.monotonic(), fields))


class Actor:
    """Draws operations and calls them.

    Args:
        d: Where the items are.
        fleet: The counter and the register.
        name: The actor's.
        rng: What is drawn from.
    """

    def __init__(
        self, d: PersiDict[Any], fleet: Coordinator, *, name: str, rng: random.Random
    ) -> None:
        self._name = name
        self._rng = rng
        self._memory = _Memory(name)
        self._operations = Operations(name, journal=self._memory)
        self._items = {key: d.get_subdict(SAFE) for key in KEPT} | {DELETED: d.get_subdict(GONE)}
        self._etags: dict[str, ETagIfExists] = dict.fromkeys(self._items, ITEM_NOT_AVAILABLE)
        self._counter = fleet.counter(COUNTER)
        self._total = 0
        self._register = fleet.value(REGISTER)
        self._version: Version | None = None
        self._written = 0
        self._acts: Mapping[Callable[[], None], int] = {
            self._get_item: 20,
            self._set_item: 20,
            self._default_item: 8,
            self._discard_item: 7,
            self._add: 12,
            self._total_now: 5,
            self._compare_and_set_total: 5,
            self._reset: 1,
            self._read: 6,
            self._write: 4,
            self._update: 6,
            self._swap: 6,
        }

    def run(self, times: int) -> Log:
        """So many operations, and what was logged of them."""
        crashes = []
        for act in self._rng.choices([*self._acts], [*self._acts.values()], k=times):
            try:
                act()
            except _DOCUMENTED:
                continue
            except Exception:  # noqa: BLE001 - whatever it is, nobody may have to expect it
                crashes.append(traceback.format_exc(limit=-3))
        return Log(self._memory.events, crashes)

    def look(self) -> Log:
        """Everything as it is."""
        for key in self._items:
            self._get(key, condition="any", retrieve=ALWAYS_RETRIEVE)
        self._total_now()
        self._read()
        return Log(self._memory.events)

    def _get_item(self) -> None:
        key, condition = self._rng.choice([*self._items]), self._condition()
        self._get(key, condition=condition, retrieve=self._rng.choice(_RETRIEVALS))

    def _get(self, key: str, *, condition: str, retrieve: Any) -> None:
        self._on_item(
            "get_item_if",
            key,
            condition,
            lambda d, terms: d.get_item_if(key, retrieve_value=retrieve, **terms),
        )

    def _set_item(self) -> None:
        value, key = self._new(), self._rng.choice([*self._items])
        retrieve = self._rng.choice(_RETRIEVALS)
        self._on_item(
            "set_item_if",
            key,
            self._condition(),
            lambda d, terms: d.set_item_if(key, value=value, retrieve_value=retrieve, **terms),
            value=value,
        )

    def _default_item(self) -> None:
        value, key = self._new(), self._rng.choice([*self._items, DELETED, DELETED])
        self._on_item(
            "setdefault_if",
            key,
            self._condition(),
            lambda d, terms: d.setdefault_if(key, default_value=value, **terms),
            value=value,
        )

    def _discard_item(self) -> None:
        self._on_item(
            "discard_if",
            DELETED,
            self._condition(),
            lambda d, terms: d.discard_if(DELETED, **terms),
        )

    def _on_item(
        self,
        op: str,
        key: str,
        condition: str,
        call: Callable[[PersiDict[Any], dict[str, Any]], ConditionalOperationResult[Any]],
        **args: Any,
    ) -> None:
        expected = self._expected(key)
        args |= {"condition": condition, "expected": _plain(expected)}
        terms = {"condition": _CONDITIONS[condition], "expected_etag": expected}
        with self._operations.begin(f"item/{key}", op, args) as operation:
            result = call(self._items[key], terms)
            operation.returns(_answer(result))
        self._etags[key] = result.resulting_etag

    def _expected(self, key: str) -> ETagIfExists:
        """What was seen last, as a rule."""
        return self._etags[key] if self._rng.random() < 0.85 else ITEM_NOT_AVAILABLE

    def _condition(self) -> str:
        return self._rng.choices(("same", "changed", "any"), (70, 15, 15))[0]

    def _new(self) -> str:
        """A value that nobody else writes."""
        self._written += 1
        return f"{self._name}.{self._written}"

    def _add(self) -> None:
        n = self._rng.randint(1, 3)
        with self._operations.begin(f"counter/{COUNTER}", "add", {"n": n}) as operation:
            self._total = self._counter.add(n)
            operation.returns(self._total)

    def _total_now(self) -> None:
        with self._operations.begin(f"counter/{COUNTER}", "value", {}) as operation:
            self._total = self._counter.value()
            operation.returns(self._total)

    def _compare_and_set_total(self) -> None:
        args = {"expected": self._total, "new": self._total + 100}
        name = f"counter/{COUNTER}"
        with self._operations.begin(name, "compare_and_set", args) as operation:
            operation.returns(self._counter.compare_and_set(**args))

    def _reset(self) -> None:
        with self._operations.begin(f"counter/{COUNTER}", "reset", {"to": 0}) as operation:
            operation.returns(self._counter.reset())

    def _read(self) -> None:
        with self._operations.begin(f"register/{REGISTER}", "read", {}) as operation:
            self._version = self._register.get()
            operation.returns(self._version.value)

    def _write(self) -> None:
        value = self._new()
        with self._operations.begin(f"register/{REGISTER}", "write", {"value": value}):
            self._version = self._register.set(value)

    def _update(self) -> None:
        value, before = self._new(), list[Any]()

        def change(now: Any) -> str:
            before.append(now)
            return value

        args = {"value": value}
        with self._operations.begin(f"register/{REGISTER}", "update", args) as operation:
            self._version = self._register.update(change)
            operation.returns(before[-1])

    def _swap(self) -> None:
        version = self._version
        if version is None:
            self._read()
            return
        # Every value is written once, so the generation is what it was if the value is.
        args = {"expected": version.value, "value": self._new()}
        with self._operations.begin(f"register/{REGISTER}", "cas", args) as operation:
            written = self._register.compare_and_set(version, args["value"])
            operation.returns(written is not None)
        self._version = written


def act(place: Bucket, schedule: str, name: str, seed: int, times: int) -> Log:
    """What one one process of a schedule; none of them: it only looks, once."""
    d = place.open(timeout=PATIENCE).get_subdict(schedule)
    fleet = Coordinator(d, prefix=(SAFE, RECORDS), owner=name, timeout=PATIENCE)
    rng = random.Random(f"{name} of {schedule} in {seed}")
    actor = Actor(d, fleet, name=name, rng=rng)
    return actor.run(times) if times else actor.look()


def _plain(etag: ETagIfExists) -> str | None:
    return None if etag is ITEM_NOT_AVAILABLE else str(etag)


def _answer(result: ConditionalOperationResult[Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "satisfied": result.condition_was_satisfied,
        "actual": _plain(result.actual_etag),
        "resulting": _plain(result.resulting_etag),
    }
    if result.new_value not in (ITEM_NOT_AVAILABLE, VALUE_NOT_RETRIEVED):
        answer["value"] = result.new_value
    return answer
