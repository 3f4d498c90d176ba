"""How often what has happened, counted from the events of one coordinator."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from persidict_sync.events import Event

DETAILS: Final[Mapping[str, str]] = {
    "lost": "reason",
    "settled": "applied",
    "claim-lost": "status",
    "renewal-failed": "error",
    "release-failed": "error",
}
"""The field by which an event is counted apart."""


WRITE_PRICE: Final = 0.005
READ_PRICE: Final = 0.0004
"""US dollars for 1,000 requests: S3 Standard, us-east-1, list prices of 2025."""
PRICED: Final[Mapping[str, str]] = {"put": "write", "list": "write", "get": "read", "head": "read"}
"""Which of the two prices a verb has; those that delete are free."""


class Request(NamedTuple):
    """One kind of request.

    Attributes:
        verb: `"get"`, `"put"`, `"head"`, `"list"`, `"delete"` or `"delete_batch"`.
        outcome: `"applied"`, `"refused"` (its condition did not hold), `"conflict"`;
            `"answered"`, `"absent"`, `"unchanged"`; `"unanswered"`, `"failed"`.
    """

    verb: str
    outcome: str


class Row(NamedTuple):
    """One kind of thing that happened.

    Attributes:
        kind: The kind of primitive, such as `"lease"`; a liveness lease is a `"worker"`.
        name: The event's name, such as `"acquired"`.
        detail: The reason of `"lost"`, whether `"settled"` was applied, the status of
            `"claim-lost"`, the error of a failed renewal or release; else None.
    """

    kind: str
    name: str
    detail: object = None


@dataclass(frozen=True, slots=True)
class Stats:
    """What has happened to the primitives of one coordinator in this process, up to one moment.

    Not counted: requests through a dictionary that was given to `fenced`, and those that a store
    sends by itself to answer one that is counted.

    Attributes:
        requests: How many requests of which kind were made for records.
        counts: How often each kind of thing happened; one that did not is not there.
        waited: Seconds that calls have spent waiting for what others held, or ran.

    Example:
        >>> from persidict_sync.coordinator import Coordinator
        >>> fleet = Coordinator("memory:")
        >>> with fleet.lease("nightly"), fleet.lock("index"):
        ...     fleet.stats().count("acquired"), fleet.stats().count("acquired", kind="lock")
        (2, 1)
        >>> fleet.stats().count("conflict")
        0
        >>> fleet.stats().requests[Request("put", "applied")]
        4
    """

    counts: Mapping[Row, int]
    waited: float
    requests: Mapping[Request, int]

    def count(self, name: str, *, kind: str | None = None, detail: object = None) -> int:
        """How often something happened, such as `"acquired"`, `"conflict"`, `"doubt"`, `"waited"`.

        Args:
            name: An event's name.
            kind: Only to primitives of this kind.
            detail: Only with this detail; see `Row`.
        """
        return sum(
            number
            for row, number in self.counts.items()
            if row.name == name
            and kind in (None, row.kind)
            and (detail is None or detail == row.detail)
        )

    def cost(self, *, write_price: float = WRITE_PRICE, read_price: float = READ_PRICE) -> float:
        """What the requests cost, in US dollars or whatever the prices are in.

        Args:
            write_price: Of 1,000 PUT or LIST, refused ones included; S3's list price by default.
            read_price: Of 1,000 GET or HEAD.
        """
        prices = {"write": write_price, "read": read_price}
        return sum(
            number * prices[PRICED[request.verb]] / 1000
            for request, number in self.requests.items()
            if request.verb in PRICED
        )


class Tally:
    """The listener that counts; a forked child begins anew."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Row] = Counter()
        self._requests: Counter[Request] = Counter()
        self._waited = 0.0
        # Last: an interrupt before it has the next one who comes begin anew.
        self._process = os.getpid()

    def __call__(self, event: Event) -> None:
        """Count an event."""
        self._be_of_this_process()
        field = DETAILS.get(event.name)
        row = Row(event.kind, event.name, None if field is None else event.fields.get(field))
        with self._lock:
            self._counts[row] += 1
            if event.name == "waited":
                self._waited += event.fields["seconds"]

    def count_request(self, verb: str, outcome: str) -> None:
        """Count a request."""
        self._be_of_this_process()
        with self._lock:
            self._requests[Request(verb, outcome)] += 1

    def stats(self) -> Stats:
        """The counts by now."""
        self._be_of_this_process()
        with self._lock:
            return Stats(dict(self._counts), self._waited, dict(self._requests))

    def _be_of_this_process(self) -> None:
        # A forked child inherits a lock that nobody there may ever release.
        if self._process != os.getpid():
            self._begin()
