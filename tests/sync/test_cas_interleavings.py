"""Many updaters of one record, in random orders, over a store that loses, repeats and delays."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persidict import BackendError, ConcurrencyConflictError, Memory, OutcomeUnknownError
from persidict.object_store import NotApplied, Refused, TransientError, Unaccounted
from persidict_sync import record
from persidict_sync.coordinator import Coordinator
from tests.contract.places import DictOver
from tests.sync.virtual_time import Distant, VirtualTime

LATENCY = 0.03
RING = 16
"""So short, a ring is overrun in runs that do not take long."""


@pytest.fixture(scope="module", autouse=True)
def short_ring() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "RING", RING)
        yield


class Unreliable(Distant):
    """A distant store of which each request may fail: a read to come, a write in one of `KINDS`."""

    KINDS = ("lost", "dropped", "late", "both", "conflict", "twice")

    def __init__(
        self, memory: Memory, *, clock: VirtualTime, seed: int, faults: float, longest_delay: float
    ) -> None:
        super().__init__(memory, clock=clock, latency=LATENCY)
        self.is_remote = True
        self._dice = random.Random(seed)
        self._faults = faults
        self._longest_delay = longest_delay
        self._on_their_way: list[tuple[float, Callable[[], Any]]] = []
        self.fired: set[str] = set()
        self.landed_late = 0

    def pass_on(self, verb: str, call: Callable[[], Any]) -> Any:
        return super().pass_on(verb, lambda: self._spoil(verb, call))

    def land(self, *, until: float) -> None:
        """Apply what has been on its way until now."""
        due = [late for late in self._on_their_way if late[0] <= until]
        self._on_their_way = [late for late in self._on_their_way if late[0] > until]
        for _, call in sorted(due, key=lambda late: late[0]):
            self.landed_late += not isinstance(call(), Refused)

    def _spoil(self, verb: str, call: Callable[[], Any]) -> Any:
        self.land(until=self._clock.now)
        if self._dice.random() >= self._faults:
            return call()
        if verb != "put":
            self.fired.add("unreadable")
            raise TransientError("no answer")
        kind = self._dice.choice(self.KINDS)
        self.fired.add(kind)
        return getattr(self, f"_{kind}")(call)

    def _lost(self, call: Callable[[], Any]) -> Any:
        call()
        return Unaccounted(TimeoutError())

    def _dropped(self, call: Callable[[], Any]) -> Any:
        return Unaccounted(TimeoutError())

    def _late_by(self, call: Callable[[], Any]) -> None:
        delay = self._dice.uniform(0.0, self._longest_delay)
        self._on_their_way.append((self._clock.now + delay, call))

    def _late(self, call: Callable[[], Any]) -> Any:
        self._late_by(call)
        return Unaccounted(TimeoutError())

    def _twice(self, call: Callable[[], Any]) -> Any:
        call()
        return call()

    def _conflict(self, call: Callable[[], Any]) -> Any:
        return NotApplied(RuntimeError("409"), conflict=True)

    def _both(self, call: Callable[[], Any]) -> Any:
        self._late_by(call)
        return call()


class Doubled(Unreliable):
    """Every write that fails was doubled on the way, and the answer to its copy arrives.

    The refusal is plain to the dictionary, so that only the ring can find it out.
    """

    KINDS = ("twice",)


@dataclass
class Outcome:
    """What a run came to: what each caller was told, and what the record says."""

    acknowledged: list[int] = field(default_factory=list)
    unknown: int = 0
    refused: int = 0
    total: int = 0
    fired: set[str] = field(default_factory=set)
    landed_late: int = 0


def run(
    *,
    seed: int,
    faults: float,
    adders: int,
    adds: int,
    longest_delay: float = 1.0,
    timeout: float = 1_000.0,
    kind: type[Unreliable] = Unreliable,
) -> Outcome:
    """Let several coordinators of one store add 1, each so many times."""
    clock, outcome = VirtualTime(seed=seed), Outcome()
    store = kind(Memory(), clock=clock, seed=seed, faults=faults, longest_delay=longest_delay)

    def adder() -> None:
        d = DictOver(store=store, clock=clock, operation_timeout=2.0)
        counter = Coordinator(d, clock=clock, timeout=timeout).counter("n")
        done = 0
        while done < adds:
            try:
                outcome.acknowledged.append(counter.add())
            except OutcomeUnknownError:
                outcome.unknown += 1
            except (BackendError, ConcurrencyConflictError):
                # Certainly not applied: to repeat it is safe.
                outcome.refused += 1
                continue
            done += 1

    clock.run(*[adder] * adders)
    store.land(until=float("inf"))
    plain = Distant(store.inner.memory, clock=clock, latency=0.0).dictionary()
    clock.run(
        lambda: setattr(outcome, "total", Coordinator(plain, clock=clock).counter("n").value())
    )
    outcome.fired, outcome.landed_late = store.fired, store.landed_late
    return outcome


@given(
    seed=st.integers(0, 2**32),
    faults=st.sampled_from([0.0, 0.1, 0.3, 0.6]),
    adders=st.integers(2, 5),
)
def test_the_total_is_what_was_acknowledged(seed: int, faults: float, adders: int) -> None:
    # The others write so seldom that the ring, which holds our own write as well, reaches back.
    adds = (RING - 1) // (adders - 1)
    outcome = run(seed=seed, faults=faults, adders=adders, adds=adds)
    assert outcome.unknown == 0
    # Each addition saw a total of its own: none was applied twice, none between two others.
    assert sorted(outcome.acknowledged) == list(range(1, adders * adds + 1))
    assert outcome.total == adders * adds


def is_what_was_told(outcome: Outcome) -> bool:
    told = len(outcome.acknowledged)
    return (
        told <= outcome.total <= told + outcome.unknown and len(set(outcome.acknowledged)) == told
    )


@given(seed=st.integers(0, 2**32), timeout=st.sampled_from([0.5, 1_000.0]))
def test_what_cannot_be_settled_is_told(seed: int, timeout: float) -> None:
    # So many that the ring overflows: then nothing but an answer tells.
    assert is_what_was_told(
        run(seed=seed, faults=0.5, adders=6, adds=6, longest_delay=30.0, timeout=timeout)
    )


def test_a_refused_copy_of_what_others_have_buried_is_told() -> None:
    runs = [run(seed=seed, faults=0.5, adders=8, adds=8, kind=Doubled) for seed in range(100)]
    assert all(is_what_was_told(one) for one in runs)
    assert any(one.total > len(one.acknowledged) for one in runs)


def test_the_ring_does_overflow() -> None:
    runs = [run(seed=seed, faults=0.5, adders=8, adds=10, longest_delay=30.0) for seed in range(8)]
    assert sum(one.unknown for one in runs) > 0
    assert any(one.total > len(one.acknowledged) for one in runs)


def test_a_seed_repeats_its_run() -> None:
    first, again, other = (run(seed=seed, faults=0.4, adders=4, adds=6) for seed in (3, 3, 4))
    assert first == again != other


def test_every_fault_happens_and_some_land_late() -> None:
    runs = [run(seed=seed, faults=0.4, adders=4, adds=6) for seed in range(8)]
    assert set.union(*(one.fired for one in runs)) == {*Unreliable.KINDS, "unreadable"}
    assert sum(one.landed_late for one in runs) > 0
