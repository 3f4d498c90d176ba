"""No two valid holders at any true time, whatever clocks, pauses and slow answers do.

The real code, driven step by step: every member has a clock of its own, which runs up to 5% fast
or slow from a random beginning, and a wall clock that jumps by hours.
"""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from persidict import Memory, PersiDict
from persidict.memory_store import MemoryStore
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost
from tests.contract.places import DictOver
from tests.sync.around import Around

DRIFT = 0.05
TTL = 10.0


class World:
    """True time, and everyone's idea of it."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.clocks: list[Drifting] = []

    def advance(self, seconds: float) -> None:
        for clock in self.clocks:
            clock.run(seconds)


class Drifting(ManualClock):
    """A clock whose second is not quite one."""

    def __init__(self, world: World, *, rate: float, begin: float, seed: int) -> None:
        super().__init__(seed=seed)
        self._world = world
        self._rate = rate
        self._begin = begin
        self.jump = 0.0
        world.clocks.append(self)

    def monotonic(self) -> float:
        return self._begin + super().monotonic()

    def time(self) -> float:
        return super().time() + self.jump

    def run(self, seconds: float) -> None:
        super().advance(seconds * self._rate)

    def advance(self, seconds: float) -> None:
        # Whoever waits, lets true time go by for all.
        self._world.advance(seconds / self._rate)


class Slow(Around):
    """Time goes by on the way to the store, and on the way back."""

    def __init__(self, world: World) -> None:
        super().__init__(MemoryStore(world.memory, clock=ManualClock()))
        self._world = world
        self.there = self.back = 0.0

    def pass_on(self, verb: str, call: Any) -> Any:
        self._world.advance(self.there)
        answer = call()
        self._world.advance(self.back)
        return answer


class Member:
    """One process: a lease, and what it believes to hold."""

    def __init__(self, world: World, *, rate: float, number: int) -> None:
        self.clock = Drifting(world, rate=rate, begin=1e5 * number, seed=number)
        self.store = Slow(world)
        store: PersiDict[Any] = DictOver(
            store=self.store, clock=self.clock, serialization_format="json", operation_timeout=1e9
        )
        self.events: list[str] = []
        self.fleet = Coordinator(
            store,
            owner=f"member-{number}",
            clock=self.clock,
            timeout=1e9,
            listeners=[lambda event: self.events.append(event.name)],
        )
        self.lease = self.fleet.lease("nightly", ttl=TTL, drift=DRIFT)
        self.helds: list[Any] = []
        self.tokens: list[int] = []

    @property
    def valid(self) -> list[int]:
        # By what its own check would say, were it asked at this moment.
        return [held.token for held in self.helds if held.remaining() > 0]

    def act(self, step: str) -> None:
        held = self.helds[-1] if self.helds else None
        match step:
            case "try" | "new":
                if step == "new":
                    self.lease = self.fleet.lease("nightly", ttl=TTL, drift=DRIFT)
                acquired = self.lease.try_acquire()
                if acquired is not None:
                    self.helds.append(acquired)
                    self.tokens.append(acquired.token)
            case "beat":
                self.fleet.heartbeat.run_due()
            case "renew" | "release" if held is not None:
                try:
                    getattr(held, step)()
                except LeaseLost:
                    assert held.remaining() == 0
            case "crash":
                self.helds.clear()


RATES = st.floats(1 - DRIFT, 1 + DRIFT)
STEPS = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["try", "try", "try", "beat", "renew", "release", "new", "crash", "none"]),
    st.one_of(st.just(0.0), st.floats(0, 3.0), st.floats(8.0, 13.0), st.just(60.0)),
    st.one_of(st.just((0.0, 0.0)), st.tuples(st.floats(0, 6.0), st.floats(0, 6.0))),
    st.sampled_from([0.0, 3600.0, -3600.0]),
)


@given(rates=st.tuples(RATES, RATES, RATES), steps=st.lists(STEPS, max_size=30))
@example(
    # The slowest holder against the fastest contender, on the edge.
    rates=(1 - DRIFT, 1 + DRIFT, 1.0),
    steps=[(0, "try", 0.0, (0.0, 0.0), 0.0), (1, "try", 0.0, (0.0, 0.0), 0.0)]
    + [(1, "try", 0.1, (0.0, 0.0), 0.0)] * 120,
)
def test_never_two_valid_holders_at_any_true_time(rates, steps):
    world = World()
    members = [Member(world, rate=rate, number=number) for number, rate in enumerate(rates)]
    tokens: list[int] = []
    for who, step, pause, (there, back), jump in steps:
        world.advance(pause)
        member = members[who]
        member.store.there, member.store.back, member.clock.jump = there, back, jump
        before = len(member.tokens)
        member.act(step)
        tokens += member.tokens[before:]
        valid = [token for one in members for token in one.valid]
        assert len(valid) <= 1
        assert all(earlier < later for earlier, later in itertools.pairwise(tokens))


def test_the_test_above_would_notice_a_holder_that_believes_too_long():
    world = World()
    slow, fast = (Member(world, rate=rate, number=n) for n, rate in enumerate((0.9, 1.2)))
    slow.act("try")
    fast.act("try")
    while not fast.valid:
        world.advance(0.1)
        fast.act("try")
    assert slow.valid


def test_a_renewal_counts_from_before_it_was_sent():
    world = World()
    member = Member(world, rate=1.0, number=0)
    member.act("try")
    member.store.there = member.store.back = 2.0
    member.act("renew")
    assert member.helds[0].remaining() == 9.0 - 4.0


def test_an_acquisition_that_took_longer_than_its_ttl_is_given_back():
    world = World()
    slow, other = (Member(world, rate=1.0, number=number) for number in range(2))
    slow.store.back = TTL
    slow.act("try")
    assert slow.helds == []
    other.act("try")
    assert other.tokens == [3]


def test_a_renewal_that_lands_after_the_deadline_is_given_back():
    world = World()
    slow, other = (Member(world, rate=1.0, number=number) for number in range(2))
    slow.act("try")
    slow.store.there = TTL
    slow.act("renew")
    assert slow.valid == []
    assert slow.events == ["acquired", "lost", "released"]
    other.act("try")
    assert other.tokens == [4]
