"""The axis of time, its grid, and flags above it that say what happened when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from scenarios.pictures.markup import Markup, tag
from scenarios.pictures.window import WIDTH, Window

AXIS_HEIGHT: Final = 36.0
FLAG_HEIGHT: Final = 15.0
_LETTER: Final = 6.0
_LINES: Final = 4


class Flag(NamedTuple):
    """A moment and what happened."""

    at: float
    text: str
    style: str = ""


def draw_axis(
    window: Window, *, top: float, bottom: float, is_wide: bool = True
) -> Sequence[Markup]:
    """The grid between top and bottom, and the axis below; the finer ticks for charts to zoom."""
    parts = []
    for tick in window.ticks():
        if tick.zoom > 1 and not is_wide:
            break
        style = f"z{tick.zoom}" if tick.zoom > 1 else None
        x = f"{tick.percent:.3f}%"
        anchor = "start" if tick.percent < 1 else "end" if tick.percent > 98 else "middle"
        parts += [
            tag("line", x1=x, x2=x, y1=top, y2=bottom + 4, class_=f"grid {style or ''}".strip()),
            tag(
                "text",
                tick.label,
                x=x,
                y=bottom + 16,
                text_anchor=anchor,
                class_=f"tick {style or ''}".strip(),
            ),
        ]
    title = f"time since the run began ({window.unit[1]})"
    parts.append(tag("text", title, x="50%", y=bottom + 31, class_="axis-title"))
    return parts


def draw_flags(
    flags: Sequence[Flag], *, window: Window, bottom: float
) -> tuple[Sequence[Markup], float]:
    """Flags from the top down to `bottom`, and how high their texts are; those outside left out."""
    shown = sorted(flag for flag in flags if window.shows(flag.at, flag.at))
    lines: list[float] = []
    placed = []
    for flag in shown:
        left = window.percent(flag.at) * WIDTH / 100
        taken = len(flag.text) * _LETTER + 14
        is_left = left + taken > WIDTH
        begin, end = (left - taken, left) if is_left else (left, left + taken)
        line = next((place for place, until in enumerate(lines) if until <= begin), len(lines))
        if line == len(lines):
            lines.append(0.0)
        lines[line] = end
        placed.append((flag, line, is_left))
    height = min(len(lines), _LINES) * FLAG_HEIGHT
    lines_of_all = [
        _line(flag, line=line, window=window, bottom=bottom + height) for flag, line, _ in placed
    ]
    texts = [
        _text(flag, line=line, is_left=is_left, window=window)
        for flag, line, is_left in placed
        if line < _LINES
    ]
    return [*lines_of_all, *texts], height


def _line(flag: Flag, *, line: int, window: Window, bottom: float) -> Markup:
    x = f"{window.percent(flag.at):.3f}%"
    return tag(
        "line",
        tag("title", flag.text),
        x1=x,
        x2=x,
        y1=line * FLAG_HEIGHT if line < _LINES else 0.0,
        y2=bottom,
        class_=f"flag {flag.style}".rstrip(),
    )


def _text(flag: Flag, *, line: int, is_left: bool, window: Window) -> Markup:
    return tag(
        "text",
        flag.text,
        x=f"{window.percent(flag.at):.3f}%",
        dx=-5 if is_left else 5,
        y=line * FLAG_HEIGHT + 11,
        text_anchor="end" if is_left else "start",
        class_=f"flag {flag.style}".rstrip(),
    )
