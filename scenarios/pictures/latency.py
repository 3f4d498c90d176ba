"""How long operations took: each of them, and percentiles over time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.history import Operation
from scenarios.pictures.answers import answer_of
from scenarios.pictures.axis import AXIS_HEIGHT, draw_axis
from scenarios.pictures.chart import Chart, Key, Row
from scenarios.pictures.histogram import steps_of
from scenarios.pictures.markup import Markup, joined, tag
from scenarios.pictures.window import Window, duration

HEIGHT: Final = 150.0
_MOST_DOTS: Final = 600
_COLUMNS: Final = 100
_LEVELS: Final = 5
_ROWS_A_DECADE: Final = 8
_SHORTEST: Final = 1e-6
_CALLS_A_POINT: Final = 12
_MOST_POINTS: Final = 40


@dataclass(frozen=True)
class Latencies:
    """How long the operations of one kind took.

    Attributes:
        name: Kind of object and operation.
        took: When each ended, how long it took, and what it was.
    """

    name: str
    took: Sequence[tuple[float, float, Operation]]

    @property
    def seconds(self) -> float:
        """How long they took in all."""
        return sum(seconds for _, seconds, _ in self.took)

    @property
    def is_waiting(self) -> bool:
        """Whether it is mostly the wait for others that took so long."""
        return self.name.endswith(" acquire")

    def percentile(self, share: float) -> float:
        """The time within which that share of them was answered."""
        return percentile([seconds for _, seconds, _ in self.took], share)


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that is no less than that share of them."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def latencies_of(operations: Sequence[Operation]) -> Sequence[Latencies]:
    """All answered operations, by kind of object and operation, what took most time first."""
    by_kind: defaultdict[str, list[tuple[float, float, Operation]]] = defaultdict(list)
    for call in operations:
        if call.ended is not None:
            took = (call.ended, call.ended - call.called, call)
            by_kind[call.op if call.op == call.kind else f"{call.kind} {call.op}"].append(took)
    found = [Latencies(name, took) for name, took in by_kind.items()]
    return sorted(found, key=lambda each: -each.seconds)


def draw_latency(latencies: Latencies, *, window: Window) -> Chart:
    """Dots, or a heat map where there are too many, and the median and the slowest twentieth."""
    seconds = [max(_SHORTEST, took) for _, took, _ in latencies.took]
    low = math.floor(math.log10(min(seconds)) + 1e-6)
    high = max(low + 1, math.ceil(math.log10(max(seconds)) - 1e-6))
    scale = _Scale(low, high)
    is_dotted = len(seconds) <= _MOST_DOTS
    cloud = _dots if is_dotted else _heat
    sample = (
        tag("circle", cx=11, cy=7, r=2.6, class_="done")
        if is_dotted
        else joined(
            tag("rect", x=place * 4.4, y=1, width=4.4, height=12, class_="heat", opacity=opacity)
            for place, opacity in enumerate(_opacities())
        )
    )
    legend = [
        Key(sample, "one call" if is_dotted else "calls: the darker the more"),
        Key(tag("path", d="M0 7H22", class_="median"), "half of the calls were faster"),
        Key(tag("path", d="M0 7H22", class_="tail"), "19 of 20 calls were faster"),
    ]
    parts = [
        *scale.grid(),
        *draw_axis(window, top=0.0, bottom=HEIGHT, is_wide=False),
        *cloud(latencies, window=window, scale=scale),
        _curves(latencies, window=window, scale=scale),
    ]
    return Chart(scale.rows(), joined(parts), HEIGHT + AXIS_HEIGHT, legend, is_wide=False)


@dataclass(frozen=True)
class _Scale:
    """A logarithmic scale from one power of ten to another."""

    low: int
    high: int

    def share(self, seconds: float) -> float:
        """How far up it lies, from 0 to 1."""
        share = (math.log10(max(_SHORTEST, seconds)) - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))

    def y(self, seconds: float) -> float:
        """Pixels from the top."""
        return HEIGHT * (1 - self.share(seconds))

    def rows(self) -> Sequence[Row]:
        """The labels of the powers of ten."""
        return [
            Row(duration(10.0**power), min(HEIGHT - 14.0, max(0.0, self.y(10.0**power) - 7)), 14.0)
            for power in range(self.low, self.high + 1)
        ]

    def grid(self) -> Iterator[Markup]:
        for power in range(self.low, self.high + 1):
            y = self.y(10.0**power)
            yield tag("line", x2="100%", y1=y, y2=y, class_="grid")


def _dots(latencies: Latencies, *, window: Window, scale: _Scale) -> Iterator[Markup]:
    for at, seconds, call in latencies.took:
        yield tag(
            "circle",
            tag("title", f"{call.actor}: {call.op} of {call.object} took {duration(seconds)}"),
            cx=f"{window.percent(at):.3f}%",
            cy=scale.y(seconds),
            r=2.6,
            class_=f"dot {answer_of(call)}",
        )


def _opacities() -> Sequence[float]:
    return [(place + 1) / _LEVELS for place in range(_LEVELS)]


def _heat(latencies: Latencies, *, window: Window, scale: _Scale) -> Iterator[Markup]:
    rows = _ROWS_A_DECADE * (scale.high - scale.low)
    cells: defaultdict[tuple[int, int], int] = defaultdict(int)
    for at, seconds, _ in latencies.took:
        row = min(rows - 1, max(0, int(scale.share(seconds) * rows)))
        cells[window.bin_of(at, count=_COLUMNS), row] += 1
    most = max(cells.values())
    levels: list[list[str]] = [[] for _ in range(_LEVELS)]
    for (column, row), count in cells.items():
        level = min(_LEVELS - 1, int(math.log1p(count) / math.log1p(most) * _LEVELS))
        levels[level].append(f"M{column} {rows - 1 - row}h1v1h-1z")
    yield tag(
        "svg",
        *(
            tag("path", d="".join(paths), class_="heat", opacity=opacity)
            for paths, opacity in zip(levels, _opacities(), strict=True)
            if paths
        ),
        width="100%",
        height=HEIGHT,
        viewBox=f"0 0 {_COLUMNS} {rows}",
        preserveAspectRatio="none",
    )


def _curves(latencies: Latencies, *, window: Window, scale: _Scale) -> Markup:
    count = min(_MOST_POINTS, max(1, len(latencies.took) // _CALLS_A_POINT))
    parts: list[list[float]] = [[] for _ in range(count)]
    for at, seconds, _ in latencies.took:
        parts[window.bin_of(at, count=count)].append(seconds)
    return tag(
        "svg",
        *(
            tag("path", d=_path(parts, share, scale=scale), class_=style)
            for share, style in ((0.95, "tail"), (0.5, "median"))
        ),
        width="100%",
        height=HEIGHT,
        viewBox=f"0 0 {count} {HEIGHT:g}",
        preserveAspectRatio="none",
    )


def _path(parts: Sequence[Sequence[float]], share: float, *, scale: _Scale) -> str:
    return steps_of([scale.y(percentile(part, share)) if part else None for part in parts])


def table_of(latencies: Sequence[Latencies]) -> Markup:
    """The percentiles of every kind, in figures."""
    shares: Mapping[str, float] = {"50%": 0.5, "95%": 0.95, "99%": 0.99, "slowest": 1.0}
    head = tag(
        "tr",
        tag("th", "operation"),
        tag("th", "answered", class_="number"),
        *(tag("th", name, class_="number") for name in shares),
    )
    lines = [
        tag(
            "tr",
            tag("td", each.name),
            tag("td", f"{len(each.took):,}", class_="number"),
            *(
                tag("td", duration(each.percentile(share)), class_="number")
                for share in shares.values()
            ),
        )
        for each in latencies
    ]
    return tag("table", tag("thead", head), tag("tbody", *lines))
