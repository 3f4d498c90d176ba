"""A wrong lease, planted for the audits to convict: read, and if it has run out, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from persidict import OutcomeUnknownError, PersiDict
from persidict.clock import SYSTEM_CLOCK, Clock
from persidict_sync.errors import LeaseLost
from persidict_sync.lease import Holder
from persidict_sync.record import Record, RecordCodec, first
from persidict_sync.watch import Terms
from scenarios.leases.terms import TERMS

_PREFIX: Final = "coordination"


class WallClockLease:
    """A lease as it is often written, over the record of a right one.

    Wrong in two ways: a record is written whatever has become of it since it was read, and time
    stamps of one machine are compared with the clock of another.

    Args:
        store: Where its record is.
        name: The lease, `kind/name`.
        owner: Who contends.
        between: Called between reading and writing.
        clock: What it goes by.
        poll: Seconds between two looks of one who waits.
    """

    def __init__(
        self,
        store: PersiDict[Any],
        name: str,
        *,
        owner: str,
        between: Callable[[], object],
        clock: Clock = SYSTEM_CLOCK,
        poll: float = TERMS.poll,
    ) -> None:
        self.name: Final = name
        self.terms: Final = Terms(TERMS.ttl, renew_every=TERMS.renew_every, poll=poll)
        self.clock: Final = clock
        self._key = (_PREFIX, *name.split("/"))
        self._records = store.with_codec(RecordCodec())
        self._owner = owner
        self._between = between

    def acquire(self, timeout: float | None = None, *, data: Any = None) -> WallClockHeld:  # noqa: ARG002 - as of `Lease`
        """Wait until the record looks as if it were free, and write it."""
        while True:
            record = self._records.get(self._key)
            if _is_free(record, now=self.clock.time()):
                self._between()
                return self._take(record, data=data)
            self.clock.sleep(self.terms.poll * self.clock.uniform(1.0, 1.5))

    def holder(self) -> Holder | None:
        """Who holds it, by its record."""
        record = self._records.get(self._key)
        if record is None or record.body["holder"] is None:
            return None
        return Holder(record.body["holder"], record.body["token"], record.body["data"], seen=0.0)

    def free(self, token: int) -> None:
        """Write it as free, whoever holds it."""
        record = self._records[self._key]
        self._write(record, {**record.body, "token": token, "holder": None, "data": None})

    def _take(self, record: Record | None, *, data: Any) -> WallClockHeld:
        token = 1 if record is None else record.generation + 1
        expires = self.clock.time() + self.terms.ttl
        body = {
            "token": token,
            "holder": self._owner,
            "beat": 0,
            "ttl": self.terms.ttl,
            "data": data,
            "acquired": self._now(),
            "expires": expires,
        }
        self._write(record, body)
        return WallClockHeld(self, token=token, data=data, expires=expires)

    def _write(self, record: Record | None, body: dict[str, Any]) -> None:
        op, now = self.clock.nonce().hex(), self._now()
        if record is None:
            written = first(kind="lease", body=body, op=op, written=now)
        else:
            written = record.next(body=body, op=op, written=now)
        while True:
            try:
                self._records[self._key] = written
            except OutcomeUnknownError:
                # It seems harmless to write the same again.
                continue
            return

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock.time(), UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class WallClockHeld:
    """What whoever has written the record believes to hold, until a time of day."""

    lease: WallClockLease
    token: int
    data: Any
    expires: float

    def check(self) -> None:
        """Raise if the time of day has come."""
        if not self.remaining():
            raise LeaseLost(self.lease.name, self.token, "expired")

    def remaining(self) -> float:
        """Seconds until then."""
        return max(0.0, self.expires - self.lease.clock.time())

    def release(self) -> bool:
        """Write the record as free."""
        self.lease.free(self.token)
        return True


def _is_free(record: Record | None, *, now: float) -> bool:
    return record is None or record.body["holder"] is None or now >= record.body["expires"]
