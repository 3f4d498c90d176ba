"""One process before and during a blackout: leases that it holds, calls that it makes."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from persidict import (
    ANY_ETAG,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    BackendError,
    ConcurrencyConflictError,
    PersiDict,
)
from persidict.clock import SYSTEM_CLOCK
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import AcquireTimeout, LeaseLost
from persidict_sync.held import Held
from persidict_sync.watch import Terms
from scenarios.figures.places import Bucket
from scenarios.figures.sent import Log, Witness

POLL: Final = 0.005
_DOCUMENTED: Final = (BackendError, ConcurrencyConflictError, AcquireTimeout, LeaseLost)


@dataclass(frozen=True)
class Call:
    """One call, and how long it took.

    Attributes:
        name: What was called.
        ratio: Of the seconds that it was given, so many it took.
        outcome: What it returned or raised.
    """

    name: str
    ratio: float
    outcome: str


@dataclass(frozen=True)
class Tenancy:
    """How one lease ended.

    Attributes:
        late: Seconds after its deadline until which a check still returned; 0 if none did.
        told: Seconds after its deadline until `on_lost` was called; negative: before.
    """

    late: float
    told: float


@dataclass
class Endured:
    """What a blackout has done to a process."""

    calls: list[Call] = field(default_factory=list)
    tenancies: list[Tenancy] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """What a process does.

    Args:
        seconds: What each call is given, and for how long leases last.
        leases: How many it holds.
        calls: How many it makes.
        seed: Which these are.
    """

    seconds: float
    leases: int
    calls: int
    seed: int


class _Moment:
    """When something happened."""

    def __init__(self) -> None:
        self._has_come = threading.Event()
        self._at = math.inf

    def is_now(self, _: object) -> None:
        self._at = SYSTEM_CLOCK.monotonic()
        self._has_come.set()

    def at(self, *, timeout: float) -> float:
        """On the monotonic scale; infinity if it has not come within so many seconds."""
        self._has_come.wait(timeout)
        return self._at


class Cast:
    """The process.

    Args:
        place: The bucket.
        prefix: This process's own.
        part: What it does.
    """

    def __init__(self, place: Bucket, prefix: str, *, part: Part) -> None:
        self._seconds = seconds = part.seconds
        self._log = Log()
        d: PersiDict[Any] = place.open(timeout=seconds, root_prefix=prefix)
        self._d = d.with_timeout(seconds)
        self._fleet = Coordinator(
            d.with_store(lambda store: Witness(store, self._log)), timeout=seconds
        )
        rng = random.Random(f"{prefix} in {part.seed}")
        self._d["k"] = 1
        self._told: dict[str, _Moment] = {}
        self._chosen = rng.choices([*_calls(self._d, self._fleet, seconds, None)], k=part.calls)
        self._spares = [
            self._hold(f"spare{number}") if name.startswith("held") else None
            for number, name in enumerate(self._chosen)
        ]
        self._fleet.counter("n").add()
        self._fleet.value("v").set(1)
        self._held = {
            f"lease{number}": self._hold(f"lease{number}") for number in range(part.leases)
        }

    def _hold(self, name: str) -> Held:
        self._told[name] = told = _Moment()
        return self._fleet.lease(name, ttl=self._seconds, on_lost=told.is_now).acquire()

    def endure(self) -> Endured:
        """Make the calls while nothing is answered, and watch the leases end."""
        endured = Endured()
        threads = [
            threading.Thread(target=self._call, args=(number, name, endured))
            for number, name in enumerate(self._chosen)
        ]
        for thread in threads:
            thread.start()
        last = self._watch()
        for thread in threads:
            thread.join()
        endured.tenancies = [self._tenancy(name, valid) for name, valid in last.items()]
        return endured

    def _tenancy(self, name: str, valid: float) -> Tenancy:
        # A lease's deadline is counted from the sending of the last write that landed.
        deadline = self._log.last(f"/{name}.") + Terms(self._seconds).tenure
        told = self._told[name].at(timeout=self._seconds)
        return Tenancy(max(0.0, valid - deadline), told - deadline)

    def _watch(self) -> Mapping[str, float]:
        """For each lease when a check began that was the last to return."""
        last: dict[str, float] = {}
        held = dict(self._held)
        while held:
            for name, one in [*held.items()]:
                asked = SYSTEM_CLOCK.monotonic()
                try:
                    one.check()
                    last[name] = asked
                except LeaseLost:
                    del held[name]
            SYSTEM_CLOCK.sleep(POLL)
        return last

    def _call(self, number: int, name: str, endured: Endured) -> None:
        calls = _calls(self._d, self._fleet, self._seconds, self._spares[number])
        began = SYSTEM_CLOCK.monotonic()
        try:
            calls[name]()
            outcome = "returned"
        except _DOCUMENTED as error:
            names = (each.__name__ for each in type(error).__mro__)
            outcome = next(name for name in names if not name.startswith("_"))
        except Exception as error:  # noqa: BLE001 - nobody documents another
            outcome = f"undocumented {type(error).__name__}"
        ratio = (SYSTEM_CLOCK.monotonic() - began) / self._seconds
        endured.calls.append(Call(name, ratio, outcome))


def _calls(
    d: PersiDict[Any], fleet: Coordinator, seconds: float, held: Held | None
) -> Mapping[str, Callable[[], object]]:
    same: dict[str, Any] = {"condition": ETAG_IS_THE_SAME, "expected_etag": ITEM_NOT_AVAILABLE}
    any_: dict[str, Any] = {"condition": ANY_ETAG, "expected_etag": ITEM_NOT_AVAILABLE}
    return {
        "d[k]": lambda: d["k"],
        "d[k] = v": lambda: d.__setitem__("k", 2),
        "in": lambda: "k" in d,
        "bool": lambda: bool(d),
        "setdefault_if": lambda: d.setdefault_if("new", default_value=1, **same),
        "set_item_if": lambda: d.set_item_if("k", value=3, **any_),
        "discard_if": lambda: d.discard_if("k", **any_),
        "transform_item": lambda: d.transform_item("k", transformer=lambda _: 4),
        "counter.add": fleet.counter("n").add,
        "counter.value": fleet.counter("n").value,
        "sequence.next": fleet.sequence("s").next,
        "value.set": lambda: fleet.value("v").set(2),
        "value.get": fleet.value("v").get,
        "claims.claim": lambda: fleet.claims("c").claim("task"),
        "lease.try_acquire": fleet.lease("other").try_acquire,
        "lease.acquire": lambda: fleet.lease("other").acquire(timeout=seconds),
        "lease.holder": fleet.lease("other").holder,
        "semaphore.acquire": lambda: fleet.semaphore("other", 2).acquire(timeout=seconds),
        "lock.acquire": lambda: fleet.lock("other").acquire(timeout=seconds),
        "election.campaign": lambda: fleet.election("other").campaign(timeout=seconds),
        "held.renew": lambda: _renewed(held),
        "held.release": lambda: _released(held),
    }


def _renewed(held: Held | None) -> None:
    assert held is not None
    held.renew()


def _released(held: Held | None) -> None:
    assert held is not None
    held.release()


_cast: Cast | None = None


def prepare(place: Bucket, prefix: str, part: Part) -> None:
    """Get this process ready, while all is well."""
    global _cast  # noqa: PLW0603 - a job of this process goes on where the one before has ended
    _cast = Cast(place, prefix, part=part)


def endure() -> Endured:
    """What a blackout that has begun does to this process."""
    assert _cast is not None
    return _cast.endure()
