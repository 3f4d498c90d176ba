"""The versions of a shared value, one after the other."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from persidict_sync.cell import Cell
from persidict_sync.errors import RecordError
from persidict_sync.outcome import Known
from persidict_sync.resident import Resident
from persidict_sync.value_state import ValueState
from persidict_sync.wait import poll_until

if TYPE_CHECKING:
    from persidict.clock import Clock


@dataclass(frozen=True, slots=True)
class Version:
    """A value as it was at one moment.

    Attributes:
        value: The value; a copy, so that changing it changes nothing else.
        generation: How often the value has been written; 0 if never, and then `value` is None.
        known: What the next operation sends a request upon.
    """

    value: Any
    generation: int
    known: Known[ValueState] = field(repr=False, compare=False)


def version_of(known: Known[ValueState]) -> Version:
    """The version that an answer of the store shows."""
    value = None if known.state is None else copy.deepcopy(known.state.value)
    return Version(value, known.generation, known)


class Watch(Resident, Iterator[Version]):
    """The generations of one value that are newer than the last one seen."""

    def __init__(
        self,
        cell: Cell[ValueState],
        *,
        poll: float,
        timeout: float | None,
        after: Version | None,
        clock: Clock,
    ) -> None:
        self._cell = cell
        self._poll = poll
        self._timeout = timeout
        self._clock = clock
        self._known = None if after is None else after.known
        self._generation = 0 if after is None else after.generation
        self._due = -math.inf
        self._rests = False

    def __next__(self) -> Version:
        now = self._clock.monotonic()
        self._rests = now < self._due
        found = poll_until(
            self._newer,
            clock=self._clock,
            deadline=None if self._timeout is None else now + self._timeout,
            next_poll=lambda: max(0.0, self._due - self._clock.monotonic()),
            spread=self._poll / 10,
        )
        if found is None:
            raise StopIteration
        self._generation = found.generation
        return found

    def _newer(self) -> Version | None:
        if self._rests:
            self._rests = False
            return None
        known = self._known
        now = self._cell.look(known)
        self._due = self._clock.monotonic() + self._poll
        if known is not None and now.etag != known.etag and now.generation <= known.generation:
            raise RecordError("it was deleted while it was watched", self._cell.key)
        self._known = now
        return version_of(now) if now.generation > self._generation else None
