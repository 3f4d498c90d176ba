"""What a program's step works with: a process, its numbers, and the history of what it does."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict_sync.errors import (
    AcquireTimeout,
    LeaseLost,
    OwnerDied,
    StaleTokenError,
    TaskFailedError,
)

if TYPE_CHECKING:
    from persidict_sync.coordinator import Coordinator
    from scenarios.simulation.host import Host

CERTAIN: Final = (
    BackendError,
    ConcurrencyConflictError,
    AcquireTimeout,
    LeaseLost,
    OwnerDied,
    StaleTokenError,
    TaskFailedError,
    TimeoutError,
)
"""Errors that say that nothing was done; others are a violation by themselves."""


class Undone:
    """What became of an operation that did not return."""

    def __repr__(self) -> str:
        return "UNDONE"


UNDONE: Final = Undone()


class Worker:
    """One thread of one process.

    Attributes:
        host: The process.
        random: What the step draws from.
    """

    def __init__(self, host: Host, random: Random) -> None:
        self.host: Final = host
        self.random: Final = random

    @property
    def ttl(self) -> float:
        """How long leases last."""
        return self.host.world.plan.times.ttl

    @property
    def times(self) -> dict[str, Any]:
        """The times of leases."""
        times = self.host.world.plan.times
        return {"ttl": times.ttl, "poll": times.poll}

    @property
    def fleet(self) -> Coordinator:
        """Its coordinator."""
        return self.host.fleet

    def sleep(self, seconds: float) -> None:
        """Do something that takes so long."""
        self.host.clock.sleep(seconds)

    def log(self, event: str, /, **fields: Any) -> None:
        """Write down an event."""
        self.host.world.chronicle.log(self.host.name, event, **fields)

    def fresh(self) -> str:
        """A value that nobody else ever writes."""
        return self.host.fresh()

    def perform(
        self,
        object: str,  # noqa: A002
        op: str,
        args: dict[str, Any],
        act: Callable[[], Any],
        *,
        shown: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Do something and write down what becomes of it; `UNDONE` if it raises.

        Args:
            object: What it is done to, as kind and name.
            op: What is done.
            args: With what.
            act: Does it.
            shown: From what that returns to what is written down.
        """
        world, name = self.host.world, self.host.name
        world.objects.add(object)
        chronicle = world.chronicle
        world.operations[self.host.seat] += 1
        call = chronicle.call(name, object, op, args)
        try:
            result = act()
        except OutcomeUnknownError as error:
            chronicle.log(name, "unknown", id=call, error=type(error).__name__)
            return UNDONE
        except CERTAIN as error:
            chronicle.log(name, "failed", id=call, error=type(error).__name__)
            return UNDONE
        chronicle.log(name, "return", id=call, value=shown(result) if shown else result)
        return result


class Observer(Worker):
    """Who looks once more when all others have gone, at what they have used."""

    def perform(self, object: str, *args: Any, **settings: Any) -> Any:  # noqa: A002
        """As every worker does, where there is something to see."""
        if object in self.host.world.objects:
            return super().perform(object, *args, **settings)
        return UNDONE
