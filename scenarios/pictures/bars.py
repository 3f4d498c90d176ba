"""Bars on lanes: one for each stretch, or one for many where they would not be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.pictures.chart import Row
from scenarios.pictures.markup import Markup, tag
from scenarios.pictures.window import WIDTH, ZOOMS, Window

BUDGET: Final = 2_500
"""Bars of one kind that a picture has at most, about."""

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
    """The bars that the window shows; where there are too many, neighbours are drawn as one."""
    lanes: dict[Row, list[Bar]] = {}
    for bar in bars:
        if window.shows(bar.begins, bar.ends):
            lanes.setdefault(bar.row, []).append(bar)
    gap = 1.0 / ZOOMS[-1]
    groups = [[bar] for lane in lanes.values() for bar in lane]
    while len(groups) > budget and gap < WIDTH:
        groups = [group for lane in lanes.values() for group in _grouped(lane, gap, window=window)]
        gap *= 2
    return [_draw(group, window=window) for group in groups]


def _grouped(bars: Sequence[Bar], gap: float, *, window: Window) -> Sequence[list[Bar]]:
    groups: list[list[Bar]] = []
    until = 0.0
    for bar in bars:
        is_near = groups and window.pixels(until, bar.begins) < gap
        if is_near and window.pixels(bar.begins, bar.ends) < gap:
            groups[-1].append(bar)
            until = max(until, bar.ends)
        else:
            groups.append([bar])
            until = bar.ends
    return groups


def _draw(group: Sequence[Bar], *, window: Window) -> Markup:
    first = group[0]
    ends = max(bar.ends for bar in group)
    x, width = window.percent(first.begins), window.percent(ends) - window.percent(first.begins)
    style, tip = first.style, first.tip
    if len(group) > 1:
        style = f"many {style}"
        tip = f"{len(group)}, from\n{first.tip}\nto\n{group[-1].tip}"
    height = first.row.height - 2 * first.inset
    box = tag("rect", width="100%", height=height, rx=min(2.0, height / 3))
    label = Markup() if len(group) > 1 else _label(first, width=width, height=height)
    return tag(
        "svg",
        tag("title", tip),
        box,
        label,
        x=f"{x:.3f}%",
        y=first.row.top + first.inset,
        width=f"{max(width, 0.02):.3f}%",
        height=height,
        class_=f"bar {style}",
    )


def _label(bar: Bar, *, width: float, height: float) -> Markup:
    pixels = width * WIDTH / 100.0
    zoom = next((zoom for zoom in ZOOMS if pixels * zoom >= len(bar.label) * _LETTER + 6), None)
    if not bar.label or zoom is None or height < 10:
        return Markup()
    style = f"z{zoom}" if zoom > 1 else None
    return tag("text", bar.label, x=4, y=height / 2 + 4, class_=style)
