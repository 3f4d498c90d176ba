"""A wrong lease, planted for the audits to convict: read, and if it has run out, write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from persidict import PersiDict
from persidict.clock import SYSTEM_CLOCK, Clock
from persidict_sync.lease import Holder
from persidict_sync.record import Record
from persidict_sync.watch import Terms
from scenarios.blind import BlindRecord, HeldByTheDate
from scenarios.leases.terms import TERMS


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
        self._record = BlindRecord(store, name, kind="lease", clock=clock)
        self._owner = owner
        self._between = between

    def acquire(self, timeout: float | None = None, *, data: Any = None) -> HeldByTheDate:  # noqa: ARG002 - as of `Lease`
        """Wait until the record looks as if it were free, and write it."""
        while True:
            record = self._record.read()
            if _is_free(record, now=self.clock.time()):
                self._between()
                return self._take(record, data=data)
            self.clock.sleep(self.terms.poll * self.clock.uniform(1.0, 1.5))

    def holder(self) -> Holder | None:
        """Who holds it, by its record."""
        record = self._record.read()
        if record is None or record.body["holder"] is None:
            return None
        return Holder(record.body["holder"], record.body["token"], record.body["data"], seen=0.0)

    def free(self, token: int) -> None:
        """Write it as free, whoever holds it."""
        record = self._record.read()
        assert record is not None
        free = {"token": token, "holder": None, "data": None}
        self._record.write(record, {**record.body, **free})

    def _take(self, record: Record | None, *, data: Any) -> HeldByTheDate:
        token = 1 if record is None else record.generation + 1
        expires = self.clock.time() + self.terms.ttl
        body = {
            "token": token,
            "holder": self._owner,
            "beat": 0,
            "ttl": self.terms.ttl,
            "data": data,
            "acquired": self._record.date(),
            "expires": expires,
        }
        self._record.write(record, body)
        return HeldByTheDate(of=self, token=token, data=data, expires=expires)


def _is_free(record: Record | None, *, now: float) -> bool:
    return record is None or record.body["holder"] is None or now >= record.body["expires"]
