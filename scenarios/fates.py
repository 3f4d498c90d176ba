"""Whether every worker ended as planned: a check that every scenario's audit includes."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from scenarios.journal import Event
from scenarios.race import Course
from scenarios.scenario import Evidence, Finding


def check_fates(evidence: Evidence) -> Finding:
    """One worker killed, one frozen and continued, and all but the killed one done."""
    course = evidence.course
    violations = [
        text
        for worker, events in evidence.logs.items()
        for text in _violations_of(worker, events=list(events), course=course)
    ]
    if course.killed is None:
        violations.append("no worker was killed: none reached a point at which it was to be")
    if course.frozen is None:
        violations.append("no worker was frozen: none reached a point at which it was to be")
    elif not course.was_continued:
        violations.append(f"{course.frozen.worker} was frozen and never continued")
    finished = sum(_has_finished(events=list(events)) for events in evidence.logs.values())
    counted = f"{finished} of {len(evidence.logs)} done"
    if course.killed and course.frozen:
        counted += f", {course.killed.worker} killed, {course.frozen.worker} frozen"
    return Finding("every worker ended as planned", counted, violations)


def _violations_of(worker: str, *, events: list[Event], course: Course) -> Iterator[str]:
    was_killed = course.killed is not None and course.killed.worker == worker
    crashes = [event for event in events if event.name == "crashed"]
    for crash in crashes:
        yield f"{worker} crashed:\n{crash['traceback'].rstrip()}"
    if worker in course.hung:
        last = events[-1] if events else Event(worker, "nothing")
        where = f" of {last.fields['task']}" if "task" in last.fields else ""
        yield f"{worker} hung and was ended; the last that it logged was {last.name!r}{where}"
    elif not (was_killed or crashes or _has_finished(events=events)):
        yield f"{worker} ended before its work was done, {_exit(course.exits.get(worker))}"
    elif was_killed and course.exits.get(worker) != -signal.SIGKILL:
        yield f"{worker} was to die by SIGKILL and ended {_exit(course.exits.get(worker))}"


def _has_finished(*, events: list[Event]) -> bool:
    return any(event.name == "finished" for event in events)


def _exit(status: int | None) -> str:
    if status is not None and status < 0:
        return f"by signal {-status}"
    return f"with exit status {status}"
