"""The history of one object: every call on it as a bar from question to answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from scenarios.history import Operation, OperationId
from scenarios.pictures.answers import ANSWERS, answer_of, asked, keys_of, told, told_back
from scenarios.pictures.axis import AXIS_HEIGHT, Flag, draw_axis, draw_flags
from scenarios.pictures.chart import Chart, Key, Row, stacked
from scenarios.pictures.fates import Fate, in_order
from scenarios.pictures.markup import Markup, joined, tag
from scenarios.pictures.signs import PATTERNS, draw_fates, draw_lanes
from scenarios.pictures.signs import keys_of as keys_of_fates
from scenarios.pictures.window import WIDTH, ZOOMS, Window, duration

MOST_CALLS: Final = 120
"""Calls that one picture shows at most."""

_LANE: Final = 26.0
_LETTER: Final = 6.3
_WORDS: Final = {
    "done": "done",
    "refused": "refused: another was faster",
    "failed": "failed: certainly not applied",
    "unknown": "unknown: may take effect at any later time, or never",
}
_WRONG_KEY: Final = Key(
    tag("rect", x=2, y=2, width=18, height=10, class_="call-wrong"),
    "contradicts the others: breaks the guarantee",
)


def window_of(calls: Sequence[Operation], *, zero: float, over: float) -> Window:
    """The stretch of time that shows these calls, with a margin."""
    begins = min(call.called for call in calls)
    ends = max(call.called if call.ended is None else call.ended for call in calls)
    margin = max(ends - begins, 1e-5) * 0.06
    return Window(begins - margin, min(max(over, ends), ends + margin * 3), zero)


def busiest(calls: Sequence[Operation], count: int = MOST_CALLS) -> Sequence[Operation]:
    """So many consecutive calls that were made in the shortest time."""
    if len(calls) <= count:
        return calls
    spans = [
        (calls[start + count - 1].called - calls[start].called, start)
        for start in range(len(calls) - count + 1)
    ]
    start = min(spans)[1]
    return calls[start : start + count]


def around(
    calls: Sequence[Operation], wrong: Collection[OperationId], count: int = MOST_CALLS
) -> Sequence[Operation]:
    """So many calls around those that are wrong; those that are wrong in any case."""
    places = [place for place, call in enumerate(calls) if call.id in wrong]
    if not places or len(calls) <= count:
        return busiest(calls, count)
    spare = max(0, count - (places[-1] - places[0])) // 2
    near = range(max(0, places[0] - spare), min(len(calls), places[-1] + spare + 1))
    if len(near) > count + 2:
        near_last = range(max(0, places[-1] - count // 2), min(len(calls), places[-1] + count // 2))
        return [calls[place] for place in sorted({*near_last, *places})]
    return [calls[place] for place in near]


def draw_calls(
    calls: Sequence[Operation],
    *,
    fates: Mapping[str, Fate],
    window: Window,
    wrong: Collection[OperationId] = (),
) -> Chart:
    """Bars on the lanes of those who called.

    Args:
        calls: On one object.
        fates: What befell the actors.
        window: When.
        wrong: The calls that break a guarantee, by id.
    """
    lines = _lines(calls)
    labels = [(actor if not line else "", _LANE, "") for actor, line in lines]
    told_wrong = [_flag(call) for call in calls if call.id in wrong]
    _, top = draw_flags(told_wrong, window=window, bottom=0.0)
    rows = stacked(labels, top=top + 4)
    place = dict(zip(lines, rows, strict=True))
    first = {actor: place[actor, 0] for actor, line in lines if not line}
    bottom = rows[-1].top + _LANE
    flags, _ = draw_flags(told_wrong, window=window, bottom=bottom - top)
    parts = [
        PATTERNS,
        _FADE,
        *draw_lanes(rows),
        *draw_axis(window, top=top + 4, bottom=bottom),
        *draw_fates(fates, first, window=window),
    ]
    for line, row in place.items():
        parts += _draw_line(lines[line], row, window=window, wrong=wrong)
    parts += flags
    seen = {answer_of(call) for call in calls}
    keys = keys_of({answer: _WORDS[answer] for answer in ANSWERS if answer in seen})
    keys += keys_of_fates([fates[actor] for actor in first if actor in fates], window=window)
    is_wrong = any(call.id in wrong for call in calls)
    return Chart(
        rows, joined(parts), bottom + AXIS_HEIGHT, [*keys, _WRONG_KEY] if is_wrong else keys
    )


_FADE: Final = Markup(
    '<defs><linearGradient id="fade"><stop offset="0" class="fade-from"/>'
    '<stop offset="1" class="fade-to"/></linearGradient></defs>'
)


def _flag(call: Operation) -> Flag:
    at = call.called if call.ended is None else call.ended
    return Flag(at, f"✗ {call.actor}: {asked(call)} → {told_back(call, length=40)}", "wrong")


def _lines(calls: Sequence[Operation]) -> Mapping[tuple[str, int], Sequence[Operation]]:
    """Each actor's calls, on as many lines as it had under way at once."""
    lines: dict[tuple[str, int], list[Operation]] = {}
    for call in sorted(calls, key=lambda call: call.begin):
        line = 0
        while (before := lines.get((call.actor, line))) and _is_open(before[-1], call.called):
            line += 1
        lines.setdefault((call.actor, line), []).append(call)
    order = {
        actor: place for place, actor in enumerate(in_order({call.actor: 0 for call in calls}))
    }
    return {line: lines[line] for line in sorted(lines, key=lambda line: (order[line[0]], line[1]))}


def _is_open(call: Operation, at: float) -> bool:
    return call.ended is None or call.ended > at


def _draw_line(
    calls: Sequence[Operation], row: Row, *, window: Window, wrong: Collection[OperationId]
) -> Iterator[Markup]:
    for number, call in enumerate(calls):
        if not window.shows(call.called, _over(call, window)):
            continue
        until = calls[number + 1].called if number + 1 < len(calls) else window.end
        yield _draw_call(call, row, window=window, is_wrong=call.id in wrong, until=until)


def _over(call: Operation, window: Window) -> float:
    """Until when it is to be seen: what is unknown never ends."""
    return window.end if call.outcome == "unknown" or call.ended is None else call.ended


def _draw_call(
    call: Operation, row: Row, *, window: Window, is_wrong: bool, until: float
) -> Markup:
    left = window.percent(call.called)
    right = window.percent(call.called if call.ended is None else call.ended)
    answer = answer_of(call)
    inset, height = row.top + 5, row.height - 10
    tail: Markup | str = ""
    if answer == "unknown":
        tail = tag(
            "rect",
            x=f"{right:.3f}%",
            y=inset + 2,
            width=f"{100 - right:.3f}%",
            height=height - 4,
            class_="open-end",
        )
    took = "" if call.ended is None else f", after {duration(call.ended - call.called)}"
    body = tag(
        "rect",
        x=f"{left:.3f}%",
        y=inset,
        width=f"{max(0.25, right - left):.3f}%",
        height=height,
        rx=2,
        class_=answer,
    )
    text = "" if is_wrong else _text(call, row, window=window, right=right, until=until)
    tip = f"{call.actor}: {told(call)}{took}" + (" — breaks the guarantee" if is_wrong else "")
    return tag(
        "g", tag("title", tip), tail, body, text, class_="call wrong-call" if is_wrong else "call"
    )


def _text(call: Operation, row: Row, *, window: Window, right: float, until: float) -> Markup:
    """The answer beside its bar, from the zoom on at which there is room."""
    written = f"{asked(call)} → {told_back(call, length=28)}"
    room = (window.percent(until) - right) * WIDTH / 100
    need = len(written) * _LETTER + 10
    zoom = next((zoom for zoom in ZOOMS if room * zoom >= need), None)
    is_before = zoom != 1 and until >= window.end
    if zoom is None and not is_before:
        return Markup()
    return tag(
        "text",
        written,
        x=f"{right:.3f}%",
        dx=-6 if is_before else 6,
        y=row.middle + 4,
        text_anchor="end" if is_before else None,
        class_=f"z{zoom}" if zoom and zoom > 1 and not is_before else None,
    )
