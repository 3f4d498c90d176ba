"""Bars on lanes, one for each stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.pictures.chart import Row
from scenarios.pictures.markup import Markup, tag
from scenarios.pictures.window import WIDTH, ZOOMS, Window

BUDGET: Final = 2_500
"""Bars of one kind up to which each has its details, however narrow."""

_NARROW: Final = 3.0
_GRAIN: Final = int(WIDTH * ZOOMS[-1])
_LEAST: Final = 8
_LETTER: Final = 6.4


@dataclass(frozen=True)
class Bar:
    """A stretch on a lane.

    Attributes:
        begins: When it begins.
        ends: When it ends.
        row: Where it lies.
        style: Its class in the style sheet.
        tip: What is said of it.
        label: What is written on it where there is room.
        inset: Pixels that it leaves free above and below.
    """

    begins: float
    ends: float
    row: Row
    style: str
    tip: str
    label: str = ""
    inset: float = 3.0


def draw_bars(bars: Sequence[Bar], *, window: Window, budget: int = BUDGET) -> Sequence[Markup]:
    """The bars that the window shows; where there are many, the narrow ones have no details."""
    shown = [bar for bar in bars if window.shows(bar.begins, bar.ends)]
    if len(shown) <= budget:
        return [_draw(bar, window=window) for bar in shown]
    narrow: dict[tuple[Row, str], list[Bar]] = {}
    parts = []
    for bar in shown:
        if window.pixels(bar.begins, bar.ends) < _NARROW:
            narrow.setdefault((bar.row, bar.style), []).append(bar)
        else:
            parts.append(_draw(bar, window=window))
    return [*(_draw_many(each, window=window) for each in narrow.values()), *parts]


def _draw_many(bars: Sequence[Bar], *, window: Window) -> Markup:
    """Bars of one lane and style as one shape."""
    first = bars[0]
    steps = []
    for bar in bars:
        begins = round(window.percent(bar.begins) * _GRAIN / 100)
        width = max(_LEAST, round(window.percent(bar.ends) * _GRAIN / 100) - begins)
        steps.append(f"M{begins} 0h{width}v1h-{width}z")
    return tag(
        "svg",
        tag("title", f"{len(bars):,} too narrow to be told of one by one, from\n{first.tip}"),
        tag("path", d="".join(steps)),
        y=first.row.top + first.inset,
        width="100%",
        height=first.row.height - 2 * first.inset,
        viewBox=f"0 0 {_GRAIN} 1",
        preserveAspectRatio="none",
        class_=f"bar {first.style}",
    )


def _draw(bar: Bar, *, window: Window) -> Markup:
    x, width = window.percent(bar.begins), window.percent(bar.ends) - window.percent(bar.begins)
    height = bar.row.height - 2 * bar.inset
    return tag(
        "svg",
        tag("title", bar.tip),
        tag("rect", width="100%", height=height, rx=min(2.0, height / 3)),
        _label(bar, width=width, height=height),
        x=f"{x:.3f}%",
        y=bar.row.top + bar.inset,
        width=f"{max(width, 0.02):.3f}%",
        height=height,
        class_=f"bar {bar.style}",
    )


def _label(bar: Bar, *, width: float, height: float) -> Markup:
    pixels = width * WIDTH / 100.0
    zoom = next((zoom for zoom in ZOOMS if pixels * zoom >= len(bar.label) * _LETTER + 6), None)
    if not bar.label or zoom is None or height < 10:
        return Markup()
    style = f"z{zoom}" if zoom > 1 else None
    return tag("text", bar.label, x=4, y=height / 2 + 4, class_=style)
