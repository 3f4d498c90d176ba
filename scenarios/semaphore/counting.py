"""A wrong semaphore, planted for the audit to convict: count, and if there is room, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from persidict import PersiDict
from persidict.clock import SYSTEM_CLOCK, Clock
from persidict_sync.record import Record
from scenarios.blind import BlindRecord, HeldByTheDate
from scenarios.semaphore.terms import TERMS


class CountingSemaphore:
    """A semaphore as it is often written, over the record of a right one.

    Wrong in that a record is written whatever has become of it since its holders were counted.

    Args:
        store: Where its record is.
        name: The semaphore, `kind/name`.
        permits: How many there are.
        owner: Who contends.
        between: Called between reading and writing.
        clock: What it goes by.
    """

    def __init__(
        self,
        store: PersiDict[Any],
        name: str,
        *,
        permits: int,
        owner: str,
        between: Callable[[], object],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.name: Final = name
        self.clock: Final = clock
        self._record = BlindRecord(store, name, kind="semaphore", clock=clock)
        self._permits = permits
        self._owner = owner
        self._between = between

    def acquire(self) -> CountedPermit:
        """Wait until there seems to be room, and write one holder more."""
        while True:
            record = self._record.read()
            held = self._held(record)
            if len(held) < self._permits:
                self._between()
                return self._take(record, held)
            self.clock.sleep(TERMS.poll + self.clock.uniform(0.0, TERMS.poll / 2))

    def free(self, token: int) -> None:
        """Write the record without this holder."""
        record = self._record.read()
        assert record is not None
        held = [one for one in self._held(record) if one["token"] != token]
        self._record.write(record, {**record.body, "held": held})

    def _held(self, record: Record | None) -> Sequence[Mapping[str, Any]]:
        held = [] if record is None else record.body["held"]
        return [one for one in held if one["expires"] > self.clock.time()]

    def _take(self, record: Record | None, held: Sequence[Mapping[str, Any]]) -> CountedPermit:
        token = 1 if record is None else record.body["token"] + 1
        expires = self.clock.time() + TERMS.ttl
        permit = {"token": token, "beat": 0, "ttl": TERMS.ttl, "owner": self._owner, "data": None}
        body = {
            "permits": self._permits,
            "token": token,
            "held": [*held, {**permit, "expires": expires}],
        }
        self._record.write(record, body)
        tokens = [one["token"] for one in held] + [token]
        return CountedPermit(of=self, token=token, tokens=tokens, expires=expires)


@dataclass(frozen=True, kw_only=True)
class CountedPermit(HeldByTheDate):
    """A permit, and those that its holder has counted.

    Attributes:
        tokens: Of all holders, its own the last.
    """

    tokens: Sequence[int]
