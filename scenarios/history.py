"""Histories: what all actors of one run did and what befell them; see docs/history.md."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar

from scenarios.events import Event, check_event, line_of, parse_line
from scenarios.signatures import check_call, check_value

__all__ = [
    "FORMAT",
    "Event",
    "History",
    "Operation",
    "OperationId",
    "Outcome",
    "history_of",
    "merge",
    "read_history",
    "write_history",
]

FORMAT: Final = 1

T = TypeVar("T")

OperationId: TypeAlias = int | str
Outcome: TypeAlias = Literal["returned", "failed", "unknown"]

_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "return": "returned",
    "failed": "failed",
    "unknown": "unknown",
}


def kind_of(object_: str) -> str:
    """The kind of an object: `"counter"` of `"counter/hits"`."""
    return object_.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Operation:
    """A call, joined with what became of it.

    Attributes:
        id: Unique in its history.
        actor: Who called.
        object: On what, as kind and name: `"counter/hits"`.
        op: What, such as `"add"`.
        args: With what.
        called: When it was called, in seconds.
        ended: When its actor was told; None if it never was.
        outcome: `"returned"`; `"failed"`: certainly not applied; `"unknown"`: it may take effect
            at any time after the call, or never.
        value: What it returned.
        error: What it raised.
        begin: The place of the call in the history; the order of places is the order of events.
        end: The place at which it took effect at the latest; None if it is unknown.
    """

    id: OperationId
    actor: str
    object: str
    op: str
    args: Mapping[str, Any]
    called: float
    begin: int
    ended: float | None = None
    end: int | None = None
    outcome: Outcome = "unknown"
    value: Any = None
    error: str | None = None

    @property
    def kind(self) -> str:
        """The kind of its object, such as `"counter"`."""
        return kind_of(self.object)

    def precedes(self, other: Operation) -> bool:
        """Whether it had ended before the other was called."""
        return self.end is not None and self.end < other.begin


class History(Sequence[Event]):
    """The events of one run in true order, the first of which says what run it was.

    Args:
        events: In order of time; the order of events at the same time counts, too.

    Raises:
        ValueError: They are no history; the text names the line, the first being 1.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.events: Final = tuple(events)
        self._operations = _joined(self.events)
        self._made: dict[Callable[[History], Any], Any] = {}

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, index: Any) -> Any:
        return self.events[index]

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.events == other.events

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<History of {len(self._operations)} operations, {len(self)} events>"

    @property
    def meta(self) -> Mapping[str, Any]:
        """What run it was."""
        return self.events[0].fields

    @property
    def operations(self) -> Sequence[Operation]:
        """All operations, in the order of their calls."""
        return self._operations

    @cached_property
    def by_object(self) -> Mapping[str, Sequence[Operation]]:
        """The operations on each object, objects in the order of their first call."""
        grouped: dict[str, list[Operation]] = defaultdict(list)
        for operation in self._operations:
            grouped[operation.object].append(operation)
        return dict(grouped)

    def once(self, function: Callable[[History], T]) -> T:
        """What a pure function makes of this history; computed at the first asking."""
        if function not in self._made:
            self._made[function] = function(self)
        made: T = self._made[function]
        return made


def history_of(events: Iterable[Event], *, source: str = "processes", **about: Any) -> History:
    """A history of events in order, with the line that says what run it was put before them.

    Args:
        events: In true order.
        source: `"simulation"` or `"processes"`.
        about: What else is known of the run, such as `scenario`, `seed`, `permits`.

    Raises:
        ValueError: They are no history.
    """
    events = list(events)
    began = events[0].at if events else 0.0
    meta = Event("", "meta", began, {"format": FORMAT, "source": source, **about})
    return History([meta, *events])


def merge(logs: Iterable[Iterable[Event]], *, source: str = "processes", **about: Any) -> History:
    """One history of several logs, each of which is in order; arguments as for `history_of`.

    Of two logs' events at the same time a call comes first: so no operation seems to have ended
    before another began unless it had.

    Raises:
        ValueError: They are no history.
    """
    merged = heapq.merge(*map(_ranked, logs), key=lambda ranked: ranked[:2])
    return history_of((event for *_, event in merged), source=source, **about)


def _ranked(log: Iterable[Event]) -> Sequence[tuple[float, bool, Event]]:
    """A log's events with their rank among others': what comes before a call comes as early."""
    ranked: list[tuple[float, bool, Event]] = []
    at, is_after_calls = math.inf, True
    for event in reversed(list(log)):
        is_after_calls = event.name != "call" and (is_after_calls or event.at < at)
        at = event.at
        ranked.append((at, is_after_calls, event))
    return ranked[::-1]


def write_history(path: Path, history: History) -> None:
    """Write a history; equal histories give equal files, byte for byte."""
    with path.open("wb") as file:
        file.writelines(map(line_of, history))


def read_history(path: Path) -> History:
    """Read a history.

    Raises:
        ValueError: The file is no history; the text names file and line.
        OSError: It cannot be read.
    """
    events = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                events.append(_parsed(line, number=number))
        return History(events)
    except ValueError as error:
        raise ValueError(f"{path.name}, {error}") from error


def _parsed(line: bytes, *, number: int) -> Event:
    if not line.endswith(b"\n"):
        raise _at_line(number, "the last line is torn: it has no end")
    try:
        return parse_line(line)
    except ValueError as error:
        raise _at_line(number, error) from error


def _joined(events: Sequence[Event]) -> Sequence[Operation]:
    if not events or events[0].name != "meta":
        raise _at_line(1, "a history begins with meta")
    open_calls: dict[OperationId, Operation] = {}
    operations: dict[OperationId, Operation] = {}
    for place, event in enumerate(events):
        try:
            check_event(event)
            if event.name == "meta":
                _check_meta(event, place=place)
            elif event.name == "call":
                _check_new(event["id"], known=operations)
                operations[event["id"]] = open_calls[event["id"]] = _called(event, place=place)
            elif event.name == "observed" and "value" in event.fields:
                check_value(kind_of(event["object"]), "value", event["value"])
            elif event.name in _OUTCOMES:
                operations[event["id"]] = _ended(event, place=place, open_calls=open_calls)
        except ValueError as error:
            raise _at_line(place + 1, error) from None
    for place, (before, after) in enumerate(pairwise(events), start=1):
        if after.at < before.at:
            raise _at_line(place + 1, f"at falls from {before.at!r} to {after.at!r}")
    return tuple(operations.values())


def _check_meta(event: Event, *, place: int) -> None:
    if place > 0:
        raise ValueError("meta is the first line and no other")
    if event["format"] != FORMAT:
        raise ValueError(f"format {event['format']}; this program reads format {FORMAT}")


def _check_new(identity: OperationId, *, known: Mapping[OperationId, Operation]) -> None:
    if identity in known:
        raise ValueError(f"a second call with the id {identity!r}")


def _called(event: Event, *, place: int) -> Operation:
    check_call(kind_of(event["object"]), event["op"], event["args"])
    return Operation(
        id=event["id"],
        actor=event.actor,
        object=event["object"],
        op=event["op"],
        args=event["args"],
        called=event.at,
        begin=place,
    )


def _ended(event: Event, *, place: int, open_calls: dict[OperationId, Operation]) -> Operation:
    call = open_calls.pop(event["id"], None)
    if call is None:
        raise ValueError(f"{event.name} of {event['id']!r}, which is no open call")
    if call.actor != event.actor:
        raise ValueError(f"{event.actor!r} ends {event['id']!r}, which {call.actor!r} has called")
    outcome = _OUTCOMES[event.name]
    if outcome == "returned":
        check_value(call.kind, call.op, event["value"])
    return Operation(
        id=call.id,
        actor=call.actor,
        object=call.object,
        op=call.op,
        args=call.args,
        called=call.called,
        begin=call.begin,
        ended=event.at,
        end=None if outcome == "unknown" else place,
        outcome=outcome,
        value=event.fields.get("value"),
        error=event.fields.get("error"),
    )


def _at_line(number: int, error: object) -> ValueError:
    return ValueError(f"line {number}: {error}")
