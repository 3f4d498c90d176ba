"""How much actors got in each other's way: answers over time, and the share that was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from scenarios.pictures.answers import ANSWERS, Answer, keys_of
from scenarios.pictures.axis import AXIS_HEIGHT, draw_axis
from scenarios.pictures.chart import Chart, Key, Row
from scenarios.pictures.histogram import Counts, counts_of, draw_columns, highest, steps_of
from scenarios.pictures.markup import Markup, joined, tag
from scenarios.pictures.window import Window, duration

_HEIGHT: Final = 110.0
_SHARE_HEIGHT: Final = 60.0
_GAP: Final = 16.0
_BINS: Final = 60


def draw_contention(
    moments: Sequence[tuple[float, Answer]], *, window: Window, words: Mapping[Answer, str]
) -> Chart:
    """Columns of how many were answered how, and below a curve of the share that was refused.

    Args:
        moments: When each was answered, and how.
        window: When.
        words: What each answer is called.
    """
    counts = counts_of(moments, window=window, bins=_BINS)
    most = max(1, highest(counts))
    columns = Row("", 0.0, _HEIGHT)
    share = Row("", _HEIGHT + _GAP, _SHARE_HEIGHT)
    bottom = share.top + share.height
    rows = [
        Row(f"{most:,}", 0.0, 14.0),
        Row(f"in {duration(window.seconds / _BINS)}", _HEIGHT / 2 - 7, 14.0),
        Row("0", _HEIGHT - 14, 14.0),
        Row("100% refused", share.top - 5, 14.0),
        Row("0%", bottom - 10, 14.0),
    ]
    lines = (0.0, _HEIGHT, share.top, bottom)
    parts = [
        *(tag("line", x2="100%", y1=y, y2=y, class_="grid") for y in lines),
        *draw_axis(window, top=0.0, bottom=bottom, is_wide=False),
        *draw_columns(counts, columns, most=most),
        _curve(counts, share),
    ]
    keys = keys_of({answer: words[answer] for answer in ANSWERS if answer in counts})
    curve = Key(tag("path", d="M0 7H22", class_="share"), "share that was refused")
    return Chart(rows, joined(parts), bottom + AXIS_HEIGHT, [*keys, curve], is_wide=False)


def _curve(counts: Counts, row: Row) -> Markup:
    columns = zip(*counts.values(), strict=True)
    refused = counts.get("refused", [0] * _BINS)
    shares = [
        row.height * (1 - refused[place] / total) if (total := sum(column)) else None
        for place, column in enumerate(columns)
    ]
    return tag(
        "svg",
        tag("path", d=steps_of(shares), class_="share"),
        y=row.top,
        width="100%",
        height=row.height,
        viewBox=f"0 0 {_BINS} {row.height:g}",
        preserveAspectRatio="none",
        overflow="visible",
    )
