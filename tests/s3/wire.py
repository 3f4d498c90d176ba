"""What a client really sends, attempt by attempt, and a place to act between two requests."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

WRITES = ("PutObject", "DeleteObject")
READS = ("GetObject", "HeadObject")


@dataclass(frozen=True)
class Sent:
    """One attempt of one request, as it goes out."""

    operation: str
    method: str
    url: str
    headers: dict[str, str]


class Wire:
    """Counts the attempts of one client in botocore's `before-send`, the last event before HTTP.

    Args:
        events: The client's `meta.events`, or a botocore session: what hears of its clients.
    """

    def __init__(self, events: Any) -> None:
        self.sent: list[Sent] = []
        self._events = events
        self._lock = threading.Lock()
        self._once: list[tuple[Callable[[Sent], bool], Callable[[], object]]] = []
        events.register("before-send.s3", self._on_send, unique_id=f"wire-{id(self)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._events.unregister("before-send.s3", unique_id=f"wire-{id(self)}")

    def __len__(self) -> int:
        return len(self.sent)

    def __iter__(self) -> Iterator[Sent]:
        return iter(self.sent)

    @property
    def operations(self) -> list[str]:
        return [sent.operation for sent in self.sent]

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.operations)

    def once(self, when: Callable[[Sent], bool], act: Callable[[], object]) -> None:
        """Call `act` before the first request that `when` holds for; each such pair acts once."""
        self._once.append((when, act))

    def before_request(self, number: int, act: Callable[[], object]) -> None:
        """Call `act` before request `number`, counted from 0 from the beginning."""
        self.once(lambda _: len(self.sent) == number, act)

    def after_write(self, act: Callable[[], object], *, before: tuple[str, ...]) -> None:
        """Call `act` after the first write, before the first of these operations."""
        self.once(
            lambda sent: (
                sent.operation in before
                and any(earlier.operation in WRITES for earlier in self.sent)
            ),
            act,
        )

    @property
    def has_acted(self) -> bool:
        """Whether everything that was to be done has been done."""
        return not self._once

    def _on_send(self, request: Any, event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        sent = Sent(operation, request.method, request.url, headers)
        with self._lock:
            due = [pair for pair in self._once if pair[0](sent)]
            self._once = [pair for pair in self._once if pair not in due]
            for _when, act in due:
                act()
            self.sent.append(sent)
