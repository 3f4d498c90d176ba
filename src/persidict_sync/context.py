"""What all primitives of one coordinator share."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from persidict import NonEmptySafeStrTuple, PersiDict
from persidict.clock import Clock, check_clock
from persidict_sync.cell import Cell
from persidict_sync.events import LOGGER, Event, Listener
from persidict_sync.heartbeat import Heartbeat
from persidict_sync.ordinary import check_ordinary
from persidict_sync.record import Record
from persidict_sync.resident import Resident
from persidict_sync.seconds import checked_seconds
from persidict_sync.state import StateT

if TYPE_CHECKING:
    import tenacity

    from persidict.safe_str_tuple import KeyParts

OWNER_MAX_LENGTH: Final = 128


@dataclass(frozen=True, slots=True, eq=False)
class Context(Resident):
    """Where records are, whose they are, and by which clock.

    Attributes:
        records: The dictionary of records, under the coordinator's prefix.
        named: How its processes call themselves, if that was given.
        host: What they call themselves by otherwise, together with their number.
        clock: Time, randomness and identities.
        timeout: Seconds within which one update must be settled.
        conflicts: When to try again after a conflict; None for the default.
        listeners: What is told of every event.
        heartbeat: What renews leases.
    """

    records: PersiDict[Record]
    named: str | None
    host: str
    clock: Clock
    timeout: float
    conflicts: tenacity.BaseRetrying | None
    listeners: tuple[Listener, ...]
    heartbeat: Heartbeat

    @property
    def owner(self) -> str:
        """How this process calls itself in records, for people."""
        # Not once and for all: a forked child inherits the context, and is not its parent.
        return self.named or f"{self.host}-{os.getpid()}"

    def cell(
        self, name: KeyParts, state: type[StateT], *, folder: str | None = None
    ) -> Cell[StateT]:
        """The record of one primitive.

        Args:
            name: The primitive's name: one or more safe strings.
            state: The class of its state.
            folder: Where it is; its kind by default.

        Raises:
            ValueError: The name is unsafe.
            TypeError: It is no string or sequence of strings.
        """
        key = NonEmptySafeStrTuple(folder or state.kind, NonEmptySafeStrTuple(name))
        return Cell(
            self.records,
            key,
            state=state,
            clock=self.clock,
            conflicts=self.conflicts,
            tell=partial(self._tell, key),
        )

    def deadline(self, within: float | None = None) -> float:
        """When an update that begins now must be settled, on the monotonic scale."""
        seconds = self.timeout if within is None else min(self.timeout, max(0.0, within))
        return self.clock.monotonic() + seconds

    def tell(self, name: str, cell: Cell[Any], **fields: Any) -> None:
        """Tell all listeners what happened to the primitive of `cell`."""
        self._tell(cell.key, name, **fields)

    def tell_waited(self, cell: Cell[Any]) -> Callable[[float], None]:
        """What tells for how many seconds somebody waited for the primitive of `cell`."""
        return lambda seconds: self._tell(cell.key, "waited", seconds=seconds)

    def _tell(self, key: NonEmptySafeStrTuple, name: str, /, **fields: Any) -> None:
        kind, *parts = key.strings
        event = Event(name, kind, "/".join(parts), self.owner, self.clock.monotonic(), fields)
        for listener in self.listeners:
            try:
                listener(event)
            except Exception:
                # What happened has happened: no listener may keep a caller from what it acquired.
                logging.getLogger(LOGGER).exception("a listener failed at %r", name)


def check_settings(
    *,
    owner: object,
    timeout: object,
    conflicts: object,
    clock: object,
    listeners: tuple[object, ...],
) -> None:
    """Raise unless they are what `Coordinator` documents; None is a default."""
    checked_seconds(timeout, name="timeout")
    check_clock(clock)
    if owner is not None:
        _check_owner(owner)
    if conflicts is not None:
        _check_policy(conflicts)
    for listener in listeners:
        check_ordinary(listener, what="each of listeners")


def _check_owner(owner: object) -> None:
    if not isinstance(owner, str):
        raise TypeError(f"owner must be a string, not a {type(owner).__name__}")
    if not (1 <= len(owner) <= OWNER_MAX_LENGTH and owner.isprintable()):
        raise ValueError(f"owner must be 1 to {OWNER_MAX_LENGTH} printable characters")


def _check_policy(conflicts: object) -> None:
    import tenacity

    if not isinstance(conflicts, tenacity.Retrying):
        raise TypeError(f"conflicts must be a tenacity.Retrying, not a {type(conflicts).__name__}")
