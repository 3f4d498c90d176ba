"""What those who watched the configuration were shown: in order, each once, and to the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from scenarios.journal import Event
from scenarios.scenario import Evidence, Finding
from scenarios.updates import Update


def check_watchers(
    evidence: Evidence, *, applied: Mapping[int, Update], doubtful: AbstractSet[str]
) -> Finding:
    """Each generation at most once, in order, with what was in it, and the last one in the end.

    Args:
        evidence: What was found.
        applied: The changes that are known to have been applied, by generation.
        doubtful: The ids of those that may have been.
    """
    killed = evidence.course.killed
    violations: list[str] = []
    counts = []
    for watcher, events in evidence.logs.items():
        seen = [event for event in events if event.name == "observed"]
        awaited = [event["awaited"] for event in events if "awaited" in event.fields]
        if not (seen or awaited):
            continue
        counts.append(f"{len(seen)} by {watcher}")
        violations += _out_of_order(watcher, seen)
        violations += _not_as_made(watcher, seen, applied=applied, doubtful=doubtful)
        if killed is None or killed.worker != watcher:
            violations += _not_to_the_end(watcher, seen, awaited=awaited)
    if not counts:
        violations.append("nobody has watched")
    return Finding("watchers saw generations in order", ", ".join(counts), violations)


def _out_of_order(watcher: str, seen: Sequence[Event]) -> Iterator[str]:
    for before, after in pairwise(event["generation"] for event in seen):
        if after <= before:
            yield f"{watcher} saw generation {after} after generation {before}"


def _not_as_made(
    watcher: str,
    seen: Sequence[Event],
    *,
    applied: Mapping[int, Update],
    doubtful: AbstractSet[str],
) -> Iterator[str]:
    for event in seen:
        made = applied.get(event["generation"])
        if made is None and event["value"] not in doubtful:
            yield f"{watcher} saw generation {event['generation']}, which nobody has made"
        if made is not None and event["value"] != made.notes["change"]:
            yield (
                f"{watcher} saw {event['value']} as generation {event['generation']}, "
                f"which is {made.notes['change']}"
            )


def _not_to_the_end(
    watcher: str, seen: Sequence[Event], *, awaited: Sequence[int]
) -> Iterator[str]:
    last = seen[-1]["generation"] if seen else 0
    if not awaited:
        yield f"{watcher} has not watched to the end"
    elif last < awaited[-1]:
        yield f"{watcher} read generation {awaited[-1]}, and what it watched ended at {last}"
