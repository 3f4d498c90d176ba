"""One simulated process: its clock, its threads, its way to the store, and its coordinator."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, Final

from persidict_sync.coordinator import Coordinator
from scenarios.simulation.clock import HostClock
from scenarios.simulation.faults import Mix
from scenarios.simulation.network import Network, SimulatedDict
from scenarios.simulation.scheduler import Task

if TYPE_CHECKING:
    from scenarios.simulation.world import World


class Host:
    """A process with an identity of its own.

    Args:
        world: What all processes share.
        name: Its identity.
        seat: Whose place in the plan it takes.
        clock: Its clock.
        mix: What befalls its requests.
        seed: Of its background threads.

    Attributes:
        is_dead: Whether it has crashed.
        paused_until: Until when it is frozen, in true time.
        cut_until: Until when no request of it arrives anywhere.
        tasks: Its threads.
    """

    def __init__(
        self, world: World, name: str, *, seat: int, clock: HostClock, mix: Mix, seed: int
    ) -> None:
        self.name: Final = name
        self.seat: Final = seat
        self.clock: Final = clock
        self.world: Final = world
        self.is_dead = False
        self.paused_until = -inf
        self.cut_until = 0.0
        self.background_requests = 0
        self.tasks: list[Task] = []
        self._seed = seed
        times = world.plan.times
        self.dictionary: Final = SimulatedDict(
            store=Network(world, self, mix=mix),
            clock=clock,
            serialization_format="json",
            operation_timeout=times.settle,
        )
        self.fleet: Final = Coordinator(
            self.dictionary,
            owner=name,
            clock=clock,
            timeout=times.update,
            listeners=[world.beliefs.listener(self)],
        )
        self._objects: dict[str, Any] = {}
        self._values = 0

    def spawn(self, body: Callable[[], object]) -> Task:
        """Start a thread."""
        task = Task(self, body, scheduler=self.world.scheduler, seed=self._seed + len(self.tasks))
        self.tasks.append(task)
        self.world.scheduler.start(task)
        return task

    def crash(self) -> None:
        """Die: no thread of it does anything any more."""
        self.is_dead = True
        for task in self.tasks:
            self.world.scheduler.kill(task)

    def fresh(self) -> str:
        """A value that nobody else ever writes."""
        self._values += 1
        return f"{self.name}-{self._values}"

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """An object of this process that its threads share."""
        if name not in self._objects:
            self._objects[name] = make()
        return self._objects[name]
