"""The sections about single objects: those with something wrong, or the one most fought over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scenarios.checks.linearizability import NAME as LINEARIZABLE
from scenarios.checks.violation import Violation
from scenarios.history import Operation, OperationId
from scenarios.pictures.calls import around, busiest, draw_calls, window_of
from scenarios.pictures.chart import figure
from scenarios.pictures.markup import Markup, cut, tag
from scenarios.pictures.section import Section
from scenarios.pictures.subject import Subject
from scenarios.words import listed, many

_MOST_WRONG: Final = 4
_WAITING: Final = frozenset({"lease", "lock", "election", "semaphore"})
_NAMES: Final = 3
_CALLS_AROUND: Final = 40
_MOST_OPEN: Final = 6
_HOW_TO_READ: Final = (
    "Each bar is one operation, from the call to the answer, which is written beside it. Where "
    "bars overlap, either may have come first; where they do not, the left one did."
)


def sections_of_wrong(subject: Subject) -> Iterator[Section]:
    """A section with a picture for each object, up to four, whose operations contradict each other.

    What is held has pictures of its own.
    """
    by_object: dict[str, list[Violation]] = {}
    for violation in subject.violations:
        if violation.operations and violation.object in subject.history.by_object:
            by_object.setdefault(violation.object, []).append(violation)
    objects = [name for name in by_object if name not in subject.beliefs]
    if objects:
        content = [
            part
            for number, name in enumerate(objects[:_MOST_WRONG])
            for part in _draw_wrong(by_object[name], subject, name=f"wrong-{number}")
        ]
        shown = listed(objects) if len(objects) <= _NAMES else many(len(objects), "object")
        title = f"What is wrong: answers that contradict each other, on {shown}"
        yield Section("wrong", "what is wrong", title, _HOW_TO_READ, content)


def section_of_busiest(subject: Subject) -> Iterator[Section]:
    """A section about the object that actors were most in each other's way about."""
    found = _most_contested(subject)
    if found is None:
        return
    calls = subject.history.by_object[found]
    actors = {call.actor for call in calls}
    title = f"One key from near: {found}, over which {len(actors)} workers raced"
    yield Section(
        "key",
        "one key from near",
        title,
        _HOW_TO_READ,
        [*_draw(busiest(calls), subject, name="key")],
    )


def _draw_wrong(
    violations: Sequence[Violation], subject: Subject, *, name: str
) -> Iterator[Markup]:
    """The first violation on an object, with a picture."""
    # What says least of all, that no order explains it, is shown if there is nothing else.
    first, *others = sorted(violations, key=lambda each: each.check == LINEARIZABLE)
    calls = subject.history.by_object[first.object]
    yield tag("h3", f"{first.object}: {first.check}, violated")
    yield tag("p", cut(first.text, 600), class_="bad")
    wrong = frozenset(first.operations)
    yield from _draw(around(calls, wrong, _CALLS_AROUND), subject, name=name, wrong=wrong)
    if others:
        yield tag("p", f"{many(len(others), 'other violation')} on it.", class_="quiet")


def _draw(
    shown: Sequence[Operation],
    subject: Subject,
    *,
    name: str,
    wrong: frozenset[OperationId] = frozenset(),
) -> Iterator[Markup]:
    """A picture of some of the calls on an object."""
    over = subject.window.end
    early = [call for call in shown if call.called <= over or call.id in wrong]
    window = window_of(early or shown, zero=subject.window.zero, over=over)
    object_ = shown[0].object
    calls = [*_still_open(shown, subject), *shown]
    chart = draw_calls(calls, fates=subject.fates, window=window, wrong=wrong)
    yield figure(chart, name=name, title=f"operations on {object_}")
    if len(shown) < (total := len(subject.history.by_object[object_])):
        yield tag("p", f"{len(shown)} of {total:,} operations are shown.", class_="quiet")


def _still_open(shown: Sequence[Operation], subject: Subject) -> Sequence[Operation]:
    """The last operations of unknown outcome before those shown: they may take effect in them."""
    calls = subject.history.by_object[shown[0].object]
    before = [each for each in calls if each.begin < shown[0].begin and each.outcome == "unknown"]
    return before[-_MOST_OPEN:]


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
