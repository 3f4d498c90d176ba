"""What the server was asked and what it answered: counts for ever, the last entries in full."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from persidict.testing.messages import Request

_MAX_ENTRIES: Final = 20_000
NO_ANSWER: Final = "none"


@dataclass(slots=True)
class LoggedRequest:
    """One request as the server saw it.

    Attributes:
        verb: GET, HEAD, PUT, DELETE of objects; LIST; DELETE_MANY; `<METHOD>_BUCKET`.
        name: `bucket/key`, or `bucket` alone.
        conditional: Whether it carried If-Match or If-None-Match.
        applied: What the store answered, each time the request was applied.
        answered: The status that was sent, or `"none"`.
        fault: The kind of the fault that it met; None if it met none.
    """

    verb: str
    name: str
    conditional: bool
    applied: list[int]
    answered: str = NO_ANSWER
    fault: str | None = None

    @classmethod
    def of(cls, request: Request) -> LoggedRequest:
        """The entry of a request that has just arrived."""
        return cls(request.verb, request.name, request.is_conditional, [])

    def to_json(self) -> list[Any]:
        """The fields, in order, as JSON values."""
        return [getattr(self, name) for name in self.__slots__]


@dataclass(frozen=True)
class RequestLog:
    """What was asked since the last reset.

    Attributes:
        counts: For each verb, how often each status was sent (`"none"`: no answer).
        entries: The last 20,000 requests, in the order in which they were answered.
    """

    counts: Mapping[str, Mapping[str, int]]
    entries: tuple[LoggedRequest, ...]

    @property
    def total(self) -> int:
        """How many requests there were."""
        return sum(sum(by_status.values()) for by_status in self.counts.values())


class Ledger:
    """The server's own record; safe under threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._entries: deque[LoggedRequest] = deque(maxlen=_MAX_ENTRIES)

    def add(self, entry: LoggedRequest) -> None:
        """Count the request and keep its entry."""
        with self._lock:
            self._counts[entry.verb, entry.answered] += 1
            self._entries.append(entry)

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()
            self._entries.clear()

    def to_json(self, *, with_entries: bool) -> dict[str, Any]:
        """What `RequestLog` is made of, as JSON values."""
        with self._lock:
            counts: dict[str, dict[str, int]] = {}
            for (verb, status), count in sorted(self._counts.items()):
                counts.setdefault(verb, {})[status] = count
            entries = [entry.to_json() for entry in self._entries] if with_entries else []
        return {"counts": counts, "entries": entries}


def log_from_json(data: Mapping[str, Any]) -> RequestLog:
    """The log that `Ledger.to_json` has written."""
    return RequestLog(data["counts"], tuple(LoggedRequest(*entry) for entry in data["entries"]))
