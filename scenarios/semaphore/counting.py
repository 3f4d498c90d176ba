"""A wrong semaphore, planted for the audit to convict: count, and if there is room, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from persidict import OutcomeUnknownError, PersiDict
from persidict.clock import SYSTEM_CLOCK, Clock
from persidict_sync.errors import LeaseLost
from persidict_sync.record import Record, RecordCodec, first
from scenarios.semaphore.terms import TERMS

_PREFIX: Final = "coordination"


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
        self._key = (_PREFIX, *name.split("/"))
        self._records = store.with_codec(RecordCodec())
        self._permits = permits
        self._owner = owner
        self._between = between

    def acquire(self) -> CountedPermit:
        """Wait until there seems to be room, and write one holder more."""
        while True:
            record = self._records.get(self._key)
            held = self._held(record)
            if len(held) < self._permits:
                self._between()
                return self._take(record, held)
            self.clock.sleep(TERMS.poll + self.clock.uniform(0.0, TERMS.poll / 2))

    def free(self, token: int) -> None:
        """Write the record without this holder."""
        record = self._records[self._key]
        held = [one for one in self._held(record) if one["token"] != token]
        self._write(record, {**record.body, "held": held})

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
        self._write(record, body)
        tokens = [one["token"] for one in held] + [token]
        return CountedPermit(self, token=token, tokens=tokens, expires=expires)

    def _write(self, record: Record | None, body: dict[str, Any]) -> None:
        op, written = self.clock.nonce().hex(), self._now()
        if record is None:
            after = first(kind="semaphore", body=body, op=op, written=written)
        else:
            after = record.next(body=body, op=op, written=written)
        while True:
            try:
                self._records[self._key] = after
            except OutcomeUnknownError:
                # It seems harmless to write the same again.
                continue
            return

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock.time(), UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class CountedPermit:
    """What whoever has written the record believes to hold, until a time of day."""

    semaphore: CountingSemaphore
    token: int
    tokens: Sequence[int]
    expires: float
    data: None = None

    def check(self) -> None:
        """Raise if the time of day has come."""
        if not self.remaining():
            raise LeaseLost(self.semaphore.name, self.token, "expired")

    def remaining(self) -> float:
        """Seconds until then."""
        return max(0.0, self.expires - self.semaphore.clock.time())

    def release(self) -> bool:
        """Write the record without it."""
        self.semaphore.free(self.token)
        return True
