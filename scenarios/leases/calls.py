"""Operations, put together from a worker's log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.journal import Event

_OUTCOMES = {"return": "returned", "failed": "failed", "unknown": "unknown"}


@dataclass
class Call:
    """One operation of one worker.

    Attributes:
        worker: Whose.
        on: What it was on, `kind/name`.
        op: What it was to do.
        args: With what.
        called: When it was begun.
        ended: When it was over; None if it never was.
        outcome: `returned`, `failed`, `unknown`, or None as above.
        value: What it returned.
        error: The class of the error that it ended in.
    """

    worker: str
    on: str
    op: str
    args: Mapping[str, Any]
    called: float
    ended: float | None = None
    outcome: str | None = None
    value: Any = None
    error: str | None = None


def calls_in(logs: Mapping[str, Iterable[Event]]) -> Sequence[Call]:
    """Every operation of every worker, in the order of their beginning."""
    calls: dict[str, Call] = {}
    for event in sorted(
        (event for events in logs.values() for event in events), key=lambda event: event.at
    ):
        if event.name == "call":
            calls[event["id"]] = Call(
                event.actor, event["object"], event["op"], event["args"], event.at
            )
        elif event.name in _OUTCOMES and event.fields.get("id") in calls:
            call = calls[event["id"]]
            call.ended, call.outcome = event.at, _OUTCOMES[event.name]
            call.value, call.error = event.fields.get("value"), event.fields.get("error")
    return [*calls.values()]
