"""The history of a run of real processes: all workers' logs, and what befell them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scenarios.events import Event, check_event
from scenarios.history import History, merge
from scenarios.race import Course


def history_of_run(logs: Mapping[str, Iterable[Event]], *, course: Course, **about: Any) -> History:
    """One history of all workers' logs and of the blows that fell; arguments go into its meta.

    Events that only a scenario's own audit knows become notes, whose field `what` names them.

    Args:
        logs: Every worker's own log.
        course: What the parent saw.
        about: What else is known of the run.
    """
    blows = sorted(_blows(course), key=lambda event: event.at)
    return merge([*(map(_told, events) for events in logs.values()), blows], **about)


def _told(event: Event) -> Event:
    try:
        check_event(event)
    except ValueError:
        return Event(event.actor, "note", event.at, {**event.fields, "what": event.name})
    return event


def _blows(course: Course) -> Iterator[Event]:
    if course.killed is not None and course.killed_at is not None:
        fields = {"by": "SIGKILL", "task": course.killed.task}
        yield Event(course.killed.worker, "crashed", course.killed_at, fields)
    if course.frozen is not None and course.frozen_at is not None:
        fields = {"by": "SIGSTOP", "task": course.frozen.task}
        yield Event(course.frozen.worker, "paused", course.frozen_at, fields)
        if course.continued_at is not None:
            yield Event(course.frozen.worker, "resumed", course.continued_at, {"by": "SIGCONT"})
