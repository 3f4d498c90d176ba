"""The process that lives on: it waits for what the others hold, and runs what they have left."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from persidict import OutcomeUnknownError
from persidict.clock import SYSTEM_CLOCK
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import AcquireTimeout
from persidict_sync.held import Held
from persidict_sync.lease import Lease
from persidict_sync.semaphore import Semaphore
from scenarios.figures.places import Place
from scenarios.figures.victims import PERMITS, Work
from scenarios.words import many


@dataclass(frozen=True)
class Wanted:
    """What somebody waits for: a lease, or one of a semaphore's permits."""

    name: str
    is_lease: bool


@dataclass(frozen=True)
class Taken:
    """How waiting ended.

    Attributes:
        wanted: For what.
        looked: When its first look had been answered.
        acquired: When it was acquired; None if it was not.
        token: Under which token.
    """

    wanted: Wanted
    looked: float
    acquired: float | None
    token: int = 0


class _Contender(threading.Thread):
    """Waits for one of them, with a coordinator of its own."""

    def __init__(self, place: Place, wanted: Wanted, *, ttl: float, patience: float) -> None:
        super().__init__(daemon=True)
        self.wanted = wanted
        self._patience = patience
        self._fleet = Coordinator(place.open(), owner="survivor")
        self._lock: Lease | Semaphore = (
            self._fleet.lease(wanted.name, ttl=ttl)
            if wanted.is_lease
            else self._fleet.semaphore(wanted.name, PERMITS, ttl=ttl)
        )
        self._held: Held | None = None
        with suppress(OutcomeUnknownError):
            self._held = self._lock.try_acquire()
        self._looked = SYSTEM_CLOCK.monotonic()
        self._acquired = self._looked if self._held else None

    def run(self) -> None:
        if self._held is None:
            try:
                self._held = self._lock.acquire(timeout=self._patience)
            except AcquireTimeout:
                return
            self._acquired = SYSTEM_CLOCK.monotonic()

    def taken(self) -> Taken:
        """How it ended, once it has."""
        self.join()
        token = self._held.token if self._held else 0
        return Taken(self.wanted, self._looked, self._acquired, token)

    def holders(self) -> int:
        """How many permits are held by the record."""
        return len(self._lock.holders()) if isinstance(self._lock, Semaphore) else 1

    def close(self) -> None:
        """Give it back."""
        self._fleet.close()


_contenders: list[_Contender] = []


def look(place: Place, wanted: Sequence[Wanted], ttl: float, patience: float) -> None:
    """Look at each of them, so that from now on this process has watched its holder."""
    _contenders[:] = [_Contender(place, each, ttl=ttl, patience=patience) for each in wanted]
    for each in _contenders:
        each.start()


def take() -> tuple[list[Taken], list[str]]:
    """Wait until all are taken over; how each ended, and what is wrong with what is left."""
    taken = [each.taken() for each in _contenders]
    problems = [
        f"{each.wanted.name}: {many(held, 'permit')} held, of {PERMITS}"
        for each in _contenders
        if (held := each.holders()) > PERMITS
    ]
    for each in _contenders:
        each.close()
    return taken, problems


def run_rest(place: Place, work: Work) -> list[str]:
    """Run what nobody has claimed, and again once all owners are dead; the tasks of those."""
    claims = Coordinator(place.open(), owner="survivor").claims(work.name, ttl=work.ttl)
    claims.run(work.start().run, work.tasks)
    orphaned = claims.orphaned(timeout=3 * work.ttl)
    claims.run(work.start().run, work.tasks)
    return [task.strings[-1] for task in orphaned]
