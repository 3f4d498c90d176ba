"""Signs on lanes, each with its meaning: what befell an actor, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from scenarios.pictures.chart import Key, Row
from scenarios.pictures.fates import Fate, Strike
from scenarios.pictures.markup import Markup, joined, tag
from scenarios.pictures.window import Window, duration
from scenarios.words import many

PATTERNS: Final = Markup(
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="2.4" height="6" class="hatching"/></pattern>'
    '<pattern id="ice" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(-45)"><rect width="1.6" height="5" class="icing"/></pattern></defs>'
)

_MOST_BANDS: Final = 400
_MOST_SIGNS: Final = 24
_LOWEST_FOR_SIGNS: Final = 18.0
_TICKS: Final = 500
_CROSS: Final = "M-4.5-4.5L4.5 4.5M4.5-4.5L-4.5 4.5"

FROZEN: Final = Key(tag("rect", width=22, height=14, class_="ice"), "frozen")
KILLED: Final = Key(
    tag("svg", tag("path", d=_CROSS), x=11, y=7, class_="cross killed", overflow="visible"),
    "killed",
)
FAULT: Final = Key(
    joined(
        (
            tag("rect", width=22, height=14, class_="struck"),
            tag(
                "svg",
                tag("path", d="M0-4L4 4L-4 4z"),
                x=11,
                y=7,
                class_="fault",
                overflow="visible",
            ),
        )
    ),
    "fault, such as a lost answer; shaded while it lasts",
)
WRONG: Final = Key(
    tag("rect", x=1, y=1, width=20, height=12, class_="wrong-sample"), "breaks the guarantee"
)


def placed(shape: str, *, percent: float, y: float, style: str, tip: str) -> Markup:
    """A path around a point."""
    return tag(
        "svg",
        tag("title", tip),
        tag("path", d=shape),
        x=f"{percent:.3f}%",
        y=y,
        class_=style,
        overflow="visible",
    )


def cross(at: float, row: Row, *, window: Window, style: str, tip: str) -> Markup:
    """A cross in the middle of a lane."""
    percent = window.percent(at)
    return placed(_CROSS, percent=percent, y=row.middle, style=f"cross {style}", tip=tip)


def draw_lanes(rows: Iterable[Row]) -> Sequence[Markup]:
    """What lies under the lanes: every other one is shaded."""
    return [
        tag("rect", y=row.top, width="100%", height=row.height, class_=f"lane lane{place % 2}")
        for place, row in enumerate(row for row in rows if row.style != "caption")
    ]


def draw_fates(
    fates: Mapping[str, Fate], rows: Mapping[str, Row], *, window: Window
) -> Sequence[Markup]:
    """What befell each actor, in its lane."""
    parts: list[Markup] = []
    for actor, row in rows.items():
        fate = fates.get(actor, Fate())
        parts += _dead(fate, row, window=window, actor=actor)
        parts += _frozen(fate, row, window=window, actor=actor)
        parts += _struck(fate, row, window=window, actor=actor)
    return parts


def keys_of(fates: Iterable[Fate], *, window: Window) -> Sequence[Key]:
    """The legend of what `draw_fates` has drawn."""
    found = [fate for fate in fates if fate.died is None or fate.died >= window.start]
    is_shown = {
        FROZEN: any(window.shows(*stretch) for fate in found for stretch in fate.frozen),
        KILLED: any(fate.died is not None and fate.died <= window.end for fate in found),
        FAULT: any(window.shows(each.begins, each.ends) for fate in found for each in fate.struck),
    }
    return [key for key, is_so in is_shown.items() if is_so]


def _frozen(fate: Fate, row: Row, *, window: Window, actor: str) -> Iterable[Markup]:
    for begins, ends in fate.frozen:
        if window.shows(begins, ends):
            left = window.percent(begins)
            yield tag(
                "rect",
                tag("title", f"{actor} was frozen for {duration(ends - begins)}"),
                x=f"{left:.3f}%",
                y=row.top + 1,
                width=f"{max(0.1, window.percent(ends) - left):.3f}%",
                height=row.height - 2,
                class_="ice",
            )


def _dead(fate: Fate, row: Row, *, window: Window, actor: str) -> Iterable[Markup]:
    if fate.died is None or fate.died > window.end:
        return
    left = window.percent(fate.died)
    yield tag(
        "rect",
        x=f"{left:.3f}%",
        y=row.top,
        width=f"{100 - left:.3f}%",
        height=row.height,
        class_="dead",
    )
    if fate.died >= window.start:
        yield cross(fate.died, row, window=window, style="killed", tip=f"{actor} died")


def _struck(fate: Fate, row: Row, *, window: Window, actor: str) -> Iterable[Markup]:
    shown = [strike for strike in fate.struck if window.shows(strike.begins, strike.ends)]
    for strike in shown[:_MOST_BANDS]:
        if window.pixels(strike.begins, strike.ends) > 1:
            left = window.percent(strike.begins)
            yield tag(
                "rect",
                tag("title", f"{actor}: {strike.what}"),
                x=f"{left:.3f}%",
                y=row.top,
                width=f"{window.percent(strike.ends) - left:.3f}%",
                height=row.height,
                class_="struck",
            )
    if len(shown) > _MOST_SIGNS or row.height < _LOWEST_FOR_SIGNS:
        yield _ticks(shown, row, window=window, actor=actor)
        return
    for strike in shown:
        yield placed(
            "M0-3.5L3 2L-3 2z",
            percent=window.percent(strike.begins),
            y=row.top + row.height - 3,
            style="fault",
            tip=f"{actor}: {strike.what}",
        )


def _ticks(strikes: Sequence[Strike], row: Row, *, window: Window, actor: str) -> Markup:
    """A mark at the bottom of the lane for each part of the time in which there were faults."""
    places = sorted({window.bin_of(strike.begins, count=_TICKS) for strike in strikes})
    return tag(
        "svg",
        tag("title", f"{actor}: {many(len(strikes), 'fault')}"),
        tag("path", d="".join(f"M{place} 0h.7v1h-.7z" for place in places)),
        y=row.top + row.height - 3,
        width="100%",
        height=3,
        viewBox=f"0 0 {_TICKS} 1",
        preserveAspectRatio="none",
        class_="fault",
    )
