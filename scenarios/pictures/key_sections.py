"""The sections about single objects: those with something wrong, or the one most fought over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scenarios.checks.violation import Violation
from scenarios.history import Operation
from scenarios.pictures.calls import around, busiest, draw_calls, window_of
from scenarios.pictures.chart import figure
from scenarios.pictures.markup import Markup, cut, tag
from scenarios.pictures.section import Section
from scenarios.pictures.subject import Subject
from scenarios.words import listed

_MOST_WRONG: Final = 4
_WAITING: Final = frozenset({"lease", "lock", "election", "semaphore"})
_NAMES: Final = 6
_HOW_TO_READ: Final = (
    "Each bar is one operation, from the call to the answer, which is written beside it. Where bars "
    "overlap, either may have come first; where they do not, the left one did."
)


def sections_of_wrong(subject: Subject) -> Iterator[Section]:
    """A section with one picture for each of the first violations of single operations."""
    violations = [
        each
        for each in subject.violations or ()
        if each.operations and each.object in subject.history.by_object
    ]
    if violations:
        content = [
            part
            for number, violation in enumerate(violations[:_MOST_WRONG])
            for part in _draw_violation(violation, subject, name=f"wrong-{number}")
        ]
        objects = dict.fromkeys(each.object for each in violations)
        shown = listed([*objects][:_NAMES]) + (" …" if len(objects) > _NAMES else "")
        title = f"What is wrong: answers that contradict each other, on {shown}"
        yield Section("wrong", title, _HOW_TO_READ, content)


def section_of_busiest(subject: Subject) -> Iterator[Section]:
    """A section about the object that actors were most in each other's way about."""
    found = _most_contested(subject)
    if found is None:
        return
    calls = subject.history.by_object[found]
    actors = {call.actor for call in calls}
    title = f"One key from near: {found}, over which {len(actors)} workers raced"
    yield Section("key", title, _HOW_TO_READ, [*_draw(busiest(calls), subject, name="key")])


def _draw_violation(violation: Violation, subject: Subject, *, name: str) -> Iterator[Markup]:
    calls = subject.history.by_object[violation.object]
    yield tag("h3", f"{violation.object} is not {violation.check}")
    yield tag("p", cut(violation.text, 600), class_="bad")
    yield from _draw(around(calls, violation.operations), subject, name=name)


def _draw(shown: Sequence[Operation], subject: Subject, *, name: str) -> Iterator[Markup]:
    """A picture of some of the calls on an object."""
    window = window_of(shown, zero=subject.window.zero, over=subject.window.end)
    object_ = shown[0].object
    wrong = subject.wrong.get(object_, frozenset())
    chart = draw_calls(shown, fates=subject.fates, window=window, wrong=wrong)
    yield figure(chart, name=name, title=f"operations on {object_}")
    if len(shown) < (total := len(subject.history.by_object[object_])):
        yield tag("p", f"{len(shown)} of {total:,} operations are shown.", class_="quiet")


def _most_contested(subject: Subject) -> str | None:
    """The object with most operations that began while another actor's was under way."""
    contested = {
        name: _contested(calls)
        for name, calls in subject.history.by_object.items()
        if calls[0].kind not in _WAITING
    }
    best = max(contested, key=lambda name: contested[name], default=None)
    return best if best is not None and contested[best] else None


def _contested(calls: Sequence[Operation]) -> int:
    count = 0
    latest: tuple[float, str] = (0.0, "")
    for call in calls:
        if latest[0] > call.called and latest[1] != call.actor:
            count += 1
        ends = call.called if call.ended is None else call.ended
        latest = max(latest, (ends, call.actor))
    return count
