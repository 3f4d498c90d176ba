"""What the planted wrong primitives have in common: records written blindly, holds by the date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from persidict import OutcomeUnknownError, PersiDict
from persidict.clock import Clock
from persidict_sync.errors import LeaseLost
from persidict_sync.record import Record, RecordCodec, first

_PREFIX: Final = "coordination"


class BlindRecord:
    """One record, which is written whatever has become of it since it was read.

    Args:
        store: Where it is.
        name: Whose it is, `kind/name`.
        kind: What the record says to be.
        clock: What tells the date.
    """

    def __init__(self, store: PersiDict[Any], name: str, *, kind: str, clock: Clock) -> None:
        self._key = (_PREFIX, *name.split("/"))
        self._kind = kind
        self._records = store.with_codec(RecordCodec())
        self._clock = clock

    def read(self) -> Record | None:
        """The record as it is."""
        return self._records.get(self._key)

    def write(self, record: Record | None, body: dict[str, Any]) -> None:
        """Write the version after that one, or the first."""
        op, written = self._clock.nonce().hex(), self.date()
        if record is None:
            after = first(kind=self._kind, body=body, op=op, written=written)
        else:
            after = record.next(body=body, op=op, written=written)
        while True:
            try:
                self._records[self._key] = after
            except OutcomeUnknownError:
                # It seems harmless to write the same again.
                continue
            return

    def date(self) -> str:
        """Now, for people."""
        return datetime.fromtimestamp(self._clock.time(), UTC).isoformat(timespec="seconds")


class Freed(Protocol):
    """A wrong primitive."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def clock(self) -> Clock:
        """What it goes by."""

    def free(self, token: int) -> None:
        """Write that this is held no more."""


@dataclass(frozen=True, kw_only=True)
class HeldByTheDate:
    """What whoever has written a record believes to hold, until a time of day.

    Attributes:
        of: What is held.
        token: Under which number.
        expires: Until when, by the wall clock.
        data: What was said of it.
    """

    of: Freed
    token: int
    expires: float
    data: Any = None

    def check(self) -> None:
        """Raise if the time of day has come."""
        if not self.remaining():
            raise LeaseLost(self.of.name, self.token, "expired")

    def remaining(self) -> float:
        """Seconds until then."""
        return max(0.0, self.expires - self.of.clock.time())

    def release(self) -> bool:
        """Write that it is held no more."""
        self.of.free(self.token)
        return True
