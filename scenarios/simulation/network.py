"""The five verbs as one simulated process sees them: through a network that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from greenlet import GreenletExit

from persidict import PersiDict
from persidict.bounded_store import request_limit
from persidict.object_store import (
    NOT_MODIFIED,
    Answer,
    Applied,
    Entry,
    IfMatch,
    Name,
    NotModified,
    ObjectStore,
    Precondition,
    Snapshot,
)
from persidict_sync.record import RING
from scenarios.simulation.exchange import Exchange
from scenarios.simulation.faults import CUT, READ_FAULTS, WRITE_FAULTS
from scenarios.simulation.limits import is_beyond

if TYPE_CHECKING:
    from scenarios.simulation.faults import Mix
    from scenarios.simulation.host import Host
    from scenarios.simulation.scheduler import Task
    from scenarios.simulation.world import World

STALLED: Final = 0.5
"""The share of requests of one who is cut off that arrive afterwards."""
STALL: Final = 10.0
"""Up to so many timeouts afterwards."""


FROZEN: Final = 2.5
"""For how long a process is frozen at most, in ttls."""


class Network(ObjectStore):
    """One process's way to the bucket.

    Args:
        world: What all processes share.
        host: The process.
        mix: What befalls its requests.
    """

    backend = "simulated"

    def __init__(self, world: World, host: Host, *, mix: Mix) -> None:
        self._world = world
        self._host = host
        self._bucket = world.bucket
        self._scheduler = world.scheduler
        self._mix = mix
        self._spared = world.plan.spared
        self._heard: dict[tuple[Name, str | None], float] = {}
        self.request_timeout = world.plan.times.request

    def within(self, seconds: float) -> ObjectStore:
        """The same way, whose requests end early enough for a call of so many seconds."""
        limit = request_limit(seconds)
        if limit >= self.request_timeout:
            return self
        hasty = object.__new__(Network)
        hasty.__dict__.update(self.__dict__, request_timeout=limit)
        return hasty

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:  # noqa: ARG002
        seen: Snapshot | None = self._read("head", name, lambda: self._bucket.head(name))
        return seen

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        seen = self._read("get", name, lambda: self._bucket.get(name))
        return NOT_MODIFIED if seen is not None and seen.etag == unless else seen

    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,  # noqa: ARG002
        precondition: Precondition | None,
    ) -> Answer:
        bucket, world = self._bucket, self._world

        def act() -> Answer:
            world.stalls.overtake(name, now=world.scheduler.now)
            return bucket.put(name, body, write_id=write_id, precondition=precondition)

        base = precondition.etag if isinstance(precondition, IfMatch) else None
        answer = self._write("put", name, act, base=base)
        if isinstance(answer, Applied):
            self._hear(name, answer.etag)
        return answer

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        bucket = self._bucket
        return self._write("delete", name, lambda: bucket.delete(name, precondition=precondition))

    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        page: tuple[Sequence[Entry], str | None] = self._read(
            "list", prefix, lambda: self._bucket.list(prefix, after=after)
        )
        return page

    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        raise NotImplementedError("no program of the simulation clears a dictionary")

    def _read(self, verb: str, name: Name, act: Callable[[], Any]) -> Any:
        it, kind = self._struck(verb, name, act, is_write=False)
        seen = it.succeeds() if kind is None else READ_FAULTS[kind](it)
        if verb != "list":
            self._hear(name, None if seen is None else seen.etag)
        return seen

    def _write(
        self, verb: str, name: Name, act: Callable[[], Answer], *, base: str | None = None
    ) -> Answer:
        it, kind = self._struck(verb, name, act, is_write=True)
        if self._world.plan.ring < RING:
            it.crossing = self._known_for(name, base)
        answer: Answer = it.succeeds() if kind is None else WRITE_FAULTS[kind](it)
        return answer

    def _hear(self, name: Name, etag: str | None) -> None:
        self._heard.setdefault((name, etag), self._scheduler.now)

    def _known_for(self, name: Name, etag: str | None) -> float:
        """For how many seconds the process has known that this is there."""
        now = self._scheduler.now
        return now - self._heard.get((name, etag), now)

    def _struck(
        self, verb: str, name: Name, act: Callable[[], Any], *, is_write: bool
    ) -> tuple[Exchange, str | None]:
        task = self._scheduler.current
        if self._host.is_dead:
            raise GreenletExit
        it = Exchange(
            self._world,
            name,
            act,
            is_write=is_write,
            clock=self._host.clock,
            random=task.random,
            timeout=self.request_timeout,
        )
        self._world.requests += 1
        kind = self._mix.draw(task.random, is_write=is_write)
        freezes = task.random.random() < self._mix.freezing
        spot = self._spot(task)
        if spot in self._spared:
            kind, freezes = None, False
        if kind is not None and (
            is_beyond(kind, verb, name) or self._world.plan.is_calm(self._scheduler.now)
        ):
            kind = None
        if freezes or kind is not None:
            self._world.struck.append(spot)
        if freezes:
            # In the midst of it, for the request goes on its way.
            self._world.pause(
                self._host, task.random.random() * FROZEN * self._world.plan.times.ttl
            )
        if self._scheduler.now < self._host.cut_until:
            kind = self._cut(it, verb, name, is_write=is_write)
        elif kind is not None:
            it.told = self._world.strike(self._host, kind, verb, name, is_write=is_write)
        return it, kind

    def _cut(self, it: Exchange, verb: str, name: Name, *, is_write: bool) -> str:
        """Nothing arrives; what was sent may when the way is open again."""
        it.told = self._world.strike(self._host, CUT, verb, name, is_write=is_write)
        if it.random.random() < STALLED and not is_beyond("late", verb, name):
            opens = self._host.cut_until - self._scheduler.now + it.there
            queued = STALL * self.request_timeout * it.random.random() ** 2
            it.lingers(at_least=opens, at_most=opens + queued)
        return "request-lost"

    def _spot(self, task: Task) -> str:
        """Which request this is, by which a plan can spare it."""
        if task.step is None:
            self._host.background_requests += 1
            return f"{self._host.name} background {self._host.background_requests}"
        task.requests += 1
        return f"{self._host.seat + 1}.{task.step}.{task.requests}"


class SimulatedDict(PersiDict[Any]):
    """A dictionary over the network of one process."""

    def __init__(self, *, store: ObjectStore, **settings: Any) -> None:
        super().__init__(**settings)
        self._store = store
        self._attach(store)

    def _params(self) -> dict[str, Any]:
        return {**super()._params(), "store": self._store}
