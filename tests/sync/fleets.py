"""Coordinators of one fleet: as many as wanted, over one place, with clocks of their own or one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator

if TYPE_CHECKING:
    from persidict_sync.events import Event
    from tests.contract.places import Place


class Fleet:
    """Makes coordinators over one place; all use the place's clock unless one is given."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.events: list[Event] = []
        self._numbers = itertools.count(1)

    @property
    def clock(self) -> ManualClock:
        return self.place.clock

    def member(self, *, clock: ManualClock | None = None, **settings: Any) -> Coordinator:
        clock = clock or self.clock
        return Coordinator(
            self.place.open(clock=clock, serialization_format="json"),
            owner=f"worker-{next(self._numbers)}",
            clock=clock,
            listeners=[self.events.append],
            **settings,
        )

    def told(self, *names: str) -> list[Event]:
        return [event for event in self.events if event.name in names]
