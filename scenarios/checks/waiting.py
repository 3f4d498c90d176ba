"""Waiting: who waited for what, and when nothing disturbed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scenarios.beliefs import beliefs_by_object
from scenarios.checks.stretches import Stretch
from scenarios.history import Event, History, Operation

_DISTURBANCES: Final = frozenset({"paused", "resumed", "crashed", "restarted"})


def waiting_for(history: History, name: str) -> Sequence[Operation]:
    """The operations that waited for it."""
    return [each for each in history.by_object.get(name, ()) if each.op == "acquire"]


def undisturbed(history: History, waiting: Operation) -> Sequence[Stretch]:
    """When its actor was waiting, alive and awake, and no fault had struck its requests."""
    stretches = _awake(history, waiting)
    for fault in _own_faults(history, waiting):
        stretches = [rest for each in stretches for rest in each.without(fault)]
    return stretches


def _awake(history: History, waiting: Operation) -> Sequence[Stretch]:
    end = history[-1].at if waiting.ended is None else waiting.ended
    stretches = []
    begin: float | None = waiting.called
    for event in history.events[waiting.begin :]:
        if event.at >= end:
            break
        if event.actor != waiting.actor or event.name not in _DISTURBANCES:
            continue
        if begin is not None:
            stretches.append(Stretch(begin, event.at))
        begin = event.at if event.name == "resumed" else None
    return stretches if begin is None else [*stretches, Stretch(begin, end)]


def _own_faults(history: History, waiting: Operation) -> Sequence[Stretch]:
    """When a request of its actor about the same object was under way that a fault had struck."""
    return [
        Stretch(each.at, each["until"])
        for each in _faults(history, waiting.object)
        if each.actor == waiting.actor and "until" in each.fields
    ]


def interruptions(history: History, name: str) -> Sequence[float]:
    """The times, in order, from which whoever waits for it waits anew."""
    return sorted(_interruptions(history, name))


def _interruptions(history: History, name: str) -> Iterator[float]:
    for event in history:
        if event.name in _DISTURBANCES:
            yield event.at
    for fault in _faults(history, name):
        yield fault.at
        if "until" in fault.fields:
            yield fault["until"]


def _faults(history: History, name: str) -> Sequence[Event]:
    """Those of its users that may concern it."""
    users = {each.actor for each in history.by_object.get(name, ())}
    users |= {each.actor for each in beliefs_by_object(history)[name]}
    faults = [event for event in history if event.name == "fault" and event.actor in users]
    named = [fault for fault in faults if name in fault.fields.get("key", "")]
    if not named:
        # Perhaps its key is not called as it is.
        return faults
    return [*named, *(fault for fault in faults if "key" not in fault.fields)]
