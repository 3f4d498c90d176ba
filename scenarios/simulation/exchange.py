"""One request and its answer on a network that delays, loses and doubles them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from persidict.object_store import TransientError, Unaccounted
from scenarios.simulation.clock import HostClock
from scenarios.simulation.stalls import Stalled

if TYPE_CHECKING:
    from scenarios.simulation.world import World


class Reply:
    """The answer to one copy of a request, once that has arrived, which it does once."""

    __slots__ = ("_act", "answer", "has_come")

    answer: Any

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act
        self.has_come = False

    def come(self) -> None:
        """Let the copy arrive."""
        if not self.has_come:
            self.has_come = True
            self.answer = self._act()


class Exchange:
    """A request of a task, from the sending to the answer.

    Attributes:
        there: Seconds that the request takes.
        back: Seconds that the answer takes.
        crossing: Seconds that are at least between two copies of which the second is answered.
        latency: What they are usually.
        timeout: Seconds after which the client gives it up.
        random: The task's.
        told: What is written down of the fault that strikes it: `until` there is when its last
            effect is over.
    """

    __slots__ = (
        "_act",
        "_clock",
        "_is_write",
        "_name",
        "_scheduler",
        "_world",
        "back",
        "crossing",
        "latency",
        "random",
        "there",
        "timeout",
        "told",
    )

    def __init__(
        self,
        world: World,
        name: str,
        act: Callable[[], Any],
        *,
        is_write: bool,
        clock: HostClock,
        random: Random,
        timeout: float,
    ) -> None:
        self._world = world
        self._name = name
        self._act = act
        self._is_write = is_write
        self._clock = clock
        self._scheduler = world.scheduler
        self.random = random
        self.told: dict[str, Any] | None = None
        self.crossing = 0.0
        self.latency = latency = world.plan.times.latency
        self.timeout = timeout
        self.there = latency * (0.2 + random.random())
        self.back = latency * (0.2 + random.random())

    def succeeds(self) -> Any:
        """It arrives and is answered."""
        return self.answered(self.arrives(after=self.there), after=self.there + self.back)

    def arrives(self, *, after: float) -> Reply:
        """Have a copy of the request arrive, whatever becomes of its sender."""
        reply = Reply(self._act)
        when = self._scheduler.now + after
        self._scheduler.at(when, reply.come)
        self._last_until(when)
        return reply

    def waits(self, seconds: float) -> None:
        """Let the client wait for so long."""
        self._sleep_until(self._scheduler.now + seconds)

    def lingers(self, *, at_least: float, at_most: float) -> None:
        """Have a copy arrive on its own: in the end, or before just that just before another write.

        Reads come and go without anybody noticing.
        """
        reply = self.arrives(after=at_most)
        if self._is_write:
            now = self._scheduler.now
            self._world.stalls.add(
                self._name,
                Stalled(
                    reply.come,
                    not_before=now + at_least,
                    not_after=now + at_most,
                    spared=self.random.randrange(3),
                ),
            )

    def answered(self, reply: Reply, *, after: float) -> Any:
        """The answer comes back after so many seconds, if the client waits for so long."""
        if after * self._clock.rate >= self.timeout:
            return self.times_out()
        self.waits(after)
        return reply.answer

    def times_out(self) -> Any:
        """The client waits as long as it can."""
        self._sleep_until(self._clock.due_in(self.timeout))
        return self.silence(TimeoutError("no answer"))

    def _sleep_until(self, when: float) -> None:
        self._last_until(when)
        self._scheduler.sleep_until(when)

    def _last_until(self, when: float) -> None:
        if self.told is not None:
            self.told["until"] = max(when, self.told.get("until", when))

    def silence(self, cause: Exception) -> Unaccounted:
        """What a client knows that got no usable answer."""
        if self._is_write:
            return Unaccounted(cause)
        raise TransientError(str(cause)) from cause
