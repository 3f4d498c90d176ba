"""How long a holder may believe that it holds, and how long a contender must have watched it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypedDict

from persidict_sync.seconds import checked_seconds

RESOLUTION: Final = 2.0
"""Both times that an age is made of are whole seconds."""

STORE_SKEW: Final = 3.0
"""How far the clocks of one store's own machines may be apart, in seconds."""


class Times(TypedDict, total=False):
    """What may be said of the times of anything held, besides its ttl; see `Terms`."""

    renew_every: float | None
    margin: float
    drift: float
    poll: float | None


@dataclass(frozen=True, slots=True)
class Terms:
    """The times of a lease; who holds and who contends count each on a clock of their own.

    A holder treats the lease as lost `ttl * (1 - margin)` after it began to send its last renewal.
    A contender may take over once it has watched the same renewal for
    `ttl * (1 + 2 * drift)`, with the ttl that the record states. As long as no clock is faster or
    slower than true time by more than `drift`, the first ends before the second.

    Args:
        ttl: Seconds that a lease lasts without being renewed.
        renew_every: Seconds between renewals; a third of `ttl` by default.
        margin: The share of `ttl` by which a holder gives up early.
        drift: The share by which a clock may be fast or slow.
        poll: Seconds between two looks of one who waits; at most 1, and a quarter of `ttl`, by
            default.

    Raises:
        ValueError: They contradict each other, or are out of range.
        TypeError: One is no number.
    """

    ttl: float
    renew_every: float
    margin: float
    drift: float
    poll: float

    def __init__(
        self,
        ttl: float,
        *,
        renew_every: float | None = None,
        margin: float = 0.1,
        drift: float = 0.05,
        poll: float | None = None,
    ) -> None:
        checked_seconds(ttl, name="ttl")
        settings = {
            "ttl": ttl,
            "renew_every": ttl / 3 if renew_every is None else renew_every,
            "margin": margin,
            "drift": drift,
            "poll": min(1.0, ttl / 4) if poll is None else poll,
        }
        for name in ("renew_every", "poll"):
            checked_seconds(settings[name], name=name)
        for name in ("margin", "drift"):
            _share(name, settings[name])
        for name, value in settings.items():
            object.__setattr__(self, name, float(value))
        self._check()

    def _check(self) -> None:
        if not self.renew_every < self.tenure:
            raise ValueError(
                f"renew_every must be less than the {self.tenure} seconds after which the lease "
                f"is given up, ttl * (1 - margin), not {self.renew_every}"
            )
        if self.tenure * (1 + self.drift) > self.patience(self.ttl) * (1 - self.drift):
            raise ValueError(
                f"a margin of {self.margin} is too small for a drift of {self.drift}: a slow "
                "clock's holder would meet a fast clock's contender. Take a larger margin."
            )

    @property
    def tenure(self) -> float:
        """Seconds that a holder may believe, from before the sending of what was applied."""
        return self.ttl * (1 - self.margin)

    def patience(self, ttl: float) -> float:
        """Seconds that a contender must have watched a record that states this ttl."""
        return ttl * (1 + 2 * self.drift)


@dataclass(frozen=True, slots=True)
class Holding:
    """One holder's place in a record, as the record states it.

    Attributes:
        owner: Who holds it, for people.
        token: Its fencing token.
        beat: How often its holder has renewed it.
        ttl: Seconds that it lasts without being renewed.
    """

    owner: str
    token: int
    beat: int
    ttl: float


@dataclass(frozen=True, slots=True)
class Watch:
    """One renewal of one holder, as a contender sees it.

    Attributes:
        token: The holder's.
        beat: How often it has renewed.
        ttl: Seconds that the record states.
        since: Since when it has been seen unchanged, on the watcher's monotonic scale.
    """

    token: int
    beat: int
    ttl: float
    since: float

    def shows(self, token: int, *, beat: int, ttl: float) -> bool:
        """Whether this is still what was watched."""
        return (self.token, self.beat, self.ttl) == (token, beat, ttl)

    def over_at(self, terms: Terms) -> float:
        """When it may be taken over, unless it changes."""
        return self.since + terms.patience(self.ttl)


def certain_age(age: float) -> float:
    """Seconds that have certainly gone by since a write, by the age that the store states."""
    return max(0.0, age - RESOLUTION - STORE_SKEW)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not a {type(value).__name__}")
    return value


def _share(name: str, value: object) -> None:
    if not 0 <= _number(name, value) < 1:
        raise ValueError(f"{name} must be a share from 0 to less than 1, not {value!r}")
