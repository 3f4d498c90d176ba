"""Attempts to claim a task, put together from the workers' logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from scenarios.journal import Event

_OBJECT: Final = "claim/tasks/"
_TOLD: Final = {True: "won", False: "lost"}


@dataclass
class Attempt:
    """One attempt of one worker.

    Attributes:
        claim: The id that it would have put into the bucket.
        began: When it was about to ask.
        ended: When it knew; None if it never did.
        outcome: `won`, `lost`, `unknown`, or None if its worker ended before it knew.
        seen: The id of the claim that it lost to, where it was told.
        runs: How often it began to run the task.
        is_done: Whether it has run the task to its end.
    """

    worker: str
    task: str
    claim: str
    began: float
    ended: float | None = None
    outcome: str | None = None
    seen: str | None = None
    runs: int = 0
    is_done: bool = False

    @classmethod
    def begun(cls, event: Event, *, claim: str) -> Self:
        """The attempt that begins with an event."""
        return cls(event.actor, event["object"].removeprefix(_OBJECT), claim, event.at)


def attempts_in(logs: Mapping[str, Iterable[Event]]) -> Sequence[Attempt]:
    """Every attempt of every worker, in the order of each log."""
    return [attempt for events in logs.values() for attempt in _attempts_of(events)]


def object_of(task: str) -> str:
    """What a history calls a task."""
    return f"{_OBJECT}{task}"


def _attempts_of(events: Iterable[Event]) -> Iterable[Attempt]:
    """The attempts of one worker; what it ran without an attempt counts as one, too."""
    attempts: dict[str, Attempt] = {}
    by_call: dict[str, Attempt] = {}
    latest: dict[str, Attempt] = {}
    for event in events:
        if event.name == "call":
            attempt = Attempt.begun(event, claim=event["args"]["claim"])
            attempts[attempt.claim] = by_call[event["id"]] = latest[event["object"]] = attempt
        elif event.name in ("return", "unknown"):
            _end(by_call[event["id"]], event)
        elif event.name == "observed":
            latest[event["object"]].seen = event["claim"]
        elif event.name in ("began", "done"):
            fresh = Attempt.begun(event, claim=event["claim"])
            _run(attempts.setdefault(fresh.claim, fresh), event)
    return attempts.values()


def _end(attempt: Attempt, event: Event) -> None:
    attempt.ended = event.at
    attempt.outcome = "unknown" if event.name == "unknown" else _TOLD[event["value"]]


def _run(attempt: Attempt, event: Event) -> None:
    if event.name == "began":
        attempt.runs += 1
    else:
        attempt.is_done = True


def by_task(attempts: Iterable[Attempt]) -> Mapping[str, Sequence[Attempt]]:
    """The attempts at each task."""
    grouped: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        grouped[attempt.task].append(attempt)
    return grouped


def contested(attempts: Iterable[Attempt]) -> Sequence[str]:
    """Tasks that another worker was trying to claim while the winner was."""
    return [
        task
        for task, rivals in by_task(attempts).items()
        if any(
            _overlap(winner, rival)
            for winner in rivals
            if winner.outcome == "won"
            for rival in rivals
            if rival is not winner
        )
    ]


def _overlap(one: Attempt, other: Attempt) -> bool:
    ends = [float("inf") if a.ended is None else a.ended for a in (one, other)]
    return one.began < ends[1] and other.began < ends[0]
