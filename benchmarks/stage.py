"""Two processes over one bucket: ours, whose requests are counted, and a rival's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final, TypeVar

from benchmarks.counting import counted, row
from persidict import BasicS3Dict
from persidict.testing import EmbeddedS3
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figure:
    """What one operation has sent, and the most that it may."""

    label: str
    sent: list[str]
    most: int

    @property
    def row(self) -> str:
        """Its line of the table."""
        return row(self.label, self.sent)

    @property
    def is_kept(self) -> bool:
        """Whether it is no more than it may be."""
        return len(self.sent) <= self.most


class Stage:
    """One bucket of its own, a clock that only waiting moves, and what was counted so far.

    Args:
        server: Where the bucket is made.

    Attributes:
        clock: The clock of both.
        ours: The coordinator whose requests are counted.
        rival: Another process's.
        figures: What was counted, in order.
    """

    def __init__(self, server: EmbeddedS3, *, clock: ManualClock | None = None) -> None:
        self.clock: Final = clock or ManualClock()
        self.figures: Final[list[Figure]] = []
        self._bucket: Final = server.create_bucket()
        self._client: Final = self._new_client(server)
        self._rival_client: Final = self._new_client(server)
        self.ours: Final = self._coordinator("ours", self._client)
        self.rival: Final = self._coordinator("rival", self._rival_client)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._rival_client.close()

    def heard(self, call: Callable[[], object]) -> list[str]:
        """What a call sends, without making a figure of it."""
        with counted(self._client.meta.events) as sent:
            call()
        return sent

    @contextmanager
    def a_minute_later(self) -> Iterator[None]:
        """Have the store answer us with a date that is a minute ahead, so that objects look old."""

        def shift(parsed: dict[str, Any], **_: object) -> None:
            headers = parsed["ResponseMetadata"]["HTTPHeaders"]
            later = parsedate_to_datetime(headers["date"]) + timedelta(minutes=1)
            headers["date"] = format_datetime(later, usegmt=True)

        events = self._client.meta.events
        events.register("after-call.s3", shift, unique_id="shift")
        try:
            yield
        finally:
            events.unregister("after-call.s3", unique_id="shift")

    def dictionary(self, **settings: Any) -> BasicS3Dict[Any]:
        """A dictionary in the bucket, of which the requests are counted."""
        return BasicS3Dict(
            bucket_name=self._bucket,
            serialization_format="json",
            clock=self.clock,
            **{"s3_client": self._client, "create_bucket": False, **settings},
        )

    def count(self, label: str, call: Callable[[], T], *, most: int) -> T:
        """Count what a call sends, in this thread and by its coordinator's heartbeat."""
        with counted(self._client.meta.events) as sent:
            result = call()
        self.figures.append(Figure(label, sent, most))
        return result

    def _coordinator(self, owner: str, client: Any) -> Coordinator:
        return Coordinator(self.dictionary(s3_client=client), owner=owner, clock=self.clock)

    @staticmethod
    def _new_client(server: EmbeddedS3) -> Any:
        return server.client(retries={"total_max_attempts": 1}, max_pool_connections=32)
