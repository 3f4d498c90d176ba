"""Attempts to claim a task, put together from the workers' logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scenarios.journal import Event

_OUTCOMES = ("won", "lost", "unknown")


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


def attempts_in(logs: Mapping[str, Iterable[Event]]) -> Sequence[Attempt]:
    """Every attempt of every worker, in the order of each log."""
    attempts: dict[tuple[str, str], Attempt] = {}
    for event in (event for events in logs.values() for event in events):
        if event.name in ("claiming", "run", "done", *_OUTCOMES):
            fresh = Attempt(event.actor, event["task"], event["claim"], event.at)
            attempt = attempts.setdefault((event.actor, event["claim"]), fresh)
            _note(event, attempt=attempt)
    return [*attempts.values()]


def _note(event: Event, *, attempt: Attempt) -> None:
    if event.name == "run":
        attempt.runs += 1
    elif event.name == "done":
        attempt.is_done = True
    elif event.name in _OUTCOMES:
        attempt.outcome = event.name
        attempt.ended = event.at
        attempt.seen = event.fields.get("seen")


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
