"""Charts: rows with labels on the left and a drawing as wide as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from scenarios.pictures.markup import Markup, cut, joined, tag
from scenarios.pictures.window import ZOOMS

LABEL_WIDTH: Final = 96
_CHARACTERS: Final = 15
_SAMPLE_WIDTH: Final = 22
_LETTER: Final = 6.1


class Row(NamedTuple):
    """A lane of a chart: what is written beside it, and where it lies."""

    label: str
    top: float
    height: float
    style: str = ""

    @property
    def middle(self) -> float:
        """Where its middle lies."""
        return self.top + self.height / 2


class Key(NamedTuple):
    """A line of a legend: a sample, 22 by 14 pixels, and what it means."""

    sample: Markup
    text: str


@dataclass(frozen=True)
class Chart:
    """A drawing and what belongs to it.

    Attributes:
        rows: Its lanes.
        drawing: SVG whose places are per cent across and pixels down.
        height: Pixels.
        legend: What its signs mean.
        is_wide: Whether it is worth zooming into.
    """

    rows: Sequence[Row]
    drawing: Markup
    height: float
    legend: Sequence[Key] = ()
    is_wide: bool = True


def stacked(labels: Sequence[tuple[str, float, str]], *, top: float = 0.0) -> Sequence[Row]:
    """Rows one below the other, from label, height and style."""
    rows = []
    for label, height, style in labels:
        rows.append(Row(label, top, height, style))
        top += height
    return rows


def lane_height(count: int) -> float:
    """How high each of that many lanes is."""
    return next(
        (height for most, height in ((8, 26.0), (16, 20.0), (32, 15.0)) if count <= most), 12.0
    )


def figure(chart: Chart, *, name: str, title: str, has_legend: bool = True) -> Markup:
    """The chart as part of a page; it is zoomed by three buttons, with or without the script."""
    zooms = _zoom_buttons(name) if chart.is_wide else Markup()
    drawing = tag(
        "svg", chart.drawing, width="100%", height=chart.height, role="img", aria_label=title
    )
    labels = tag("svg", _labels(chart.rows), width=LABEL_WIDTH, height=chart.height)
    return tag(
        "figure",
        _html_legend(chart.legend) if has_legend else "",
        zooms,
        tag(
            "div",
            tag("div", labels, class_="labels", aria_hidden="true"),
            tag("div", tag("div", drawing, class_="canvas"), class_="plot", tabindex="0"),
            class_="chart",
        ),
    )


def picture(chart: Chart, *, title: str, subtitle: str, style: str, width: int = 1000) -> Markup:
    """The chart as a file of its own.

    Args:
        chart: What is shown.
        title: What is to be seen.
        subtitle: Where it comes from.
        style: The style sheet of drawings.
        width: Pixels.
    """
    legend, legend_height = _svg_legend(chart.legend, width=width - 24)
    top = 58 + legend_height
    height = top + chart.height + 10
    room = width - LABEL_WIDTH - 24
    return tag(
        "svg",
        tag("title", title),
        tag("style", style),
        tag("rect", width=width, height=height, class_="paper"),
        tag("text", title, x=12, y=26, class_="title"),
        tag("text", subtitle, x=12, y=46, class_="quiet"),
        tag("g", legend, transform="translate(12,58)"),
        tag("g", _labels(chart.rows), transform=f"translate(12,{top})"),
        tag("svg", chart.drawing, x=12 + LABEL_WIDTH, y=top, width=room, height=chart.height),
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height:g}",
        class_="drawing",
        role="img",
    )


def _labels(rows: Sequence[Row]) -> Markup:
    return joined(_label(row) for row in rows if row.label)


def _label(row: Row) -> Markup:
    small = "small " if row.height < 14 else ""
    if row.style == "caption":
        return tag("text", row.label, x=0, y=row.middle + 4, class_="caption")
    return tag(
        "text",
        tag("title", row.label) if len(row.label) > _CHARACTERS else "",
        cut(row.label, _CHARACTERS),
        x=LABEL_WIDTH - 8,
        y=row.middle + 4,
        class_=f"{small}label {row.style}".rstrip(),
    )


def _zoom_buttons(name: str) -> Markup:
    parts = [tag("span", "zoom", class_="quiet")]
    for zoom in ZOOMS:
        parts += [
            tag(
                "input",
                type="radio",
                name=f"zoom-{name}",
                id=f"zoom-{name}-{zoom}",
                class_=f"zoom{zoom}",
                checked="checked" if zoom == 1 else None,
            ),
            tag("label", f"{zoom}\N{MULTIPLICATION SIGN}", for_=f"zoom-{name}-{zoom}"),
        ]
    return joined(parts)


def _html_legend(keys: Sequence[Key]) -> Markup:
    lines = [
        tag(
            "li",
            tag("svg", key.sample, width=_SAMPLE_WIDTH, height=14, aria_hidden="true"),
            key.text,
        )
        for key in keys
    ]
    return tag("ul", *lines, class_="legend") if lines else Markup()


def _svg_legend(keys: Sequence[Key], *, width: float) -> tuple[Markup, float]:
    """A legend in as many lines as it takes, and its height."""
    parts, x, y = [], 0.0, 0.0
    for key in keys:
        taken = _SAMPLE_WIDTH + 6 + len(key.text) * _LETTER + 16
        if x and x + taken > width:
            x, y = 0.0, y + 20.0
        parts += [
            tag("svg", key.sample, x=x, y=y, width=_SAMPLE_WIDTH, height=14),
            tag("text", key.text, x=x + _SAMPLE_WIDTH + 6, y=y + 11),
        ]
        x += taken
    return joined(parts), y + 24.0 if keys else 0.0
