"""Counts over time as stacked columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scenarios.pictures.answers import ANSWERS, Answer
from scenarios.pictures.chart import Row
from scenarios.pictures.markup import Markup, tag
from scenarios.pictures.window import Window

Counts = Mapping[Answer, Sequence[int]]
"""For each answer how often it was given in each part of the time."""


def counts_of(moments: Sequence[tuple[float, Answer]], *, window: Window, bins: int) -> Counts:
    """Count moments by part of the window and by answer."""
    counts: dict[Answer, list[int]] = {answer: [0] * bins for answer in ANSWERS}
    for at, answer in moments:
        counts[answer][window.bin_of(at, count=bins)] += 1
    return {answer: columns for answer, columns in counts.items() if any(columns)}


def highest(counts: Counts) -> int:
    """The height of the highest column; 0 where there is none."""
    return max((sum(column) for column in zip(*counts.values(), strict=True)), default=0)


def steps_of(heights: Sequence[float | None]) -> str:
    """A path with a step for each part of the time, and gaps where there is none."""
    steps = []
    before: float | None = None
    for place, height in enumerate(heights):
        if height is not None:
            steps.append(f"{'M' if before is None else 'L'}{place} {height:.1f}H{place + 1}")
        before = height
    return "".join(steps)


def draw_columns(counts: Counts, row: Row, *, most: float, inset: float = 1.0) -> Sequence[Markup]:
    """Stacked columns in a lane.

    Args:
        counts: What is counted.
        row: Where.
        most: The count that is as high as the lane.
        inset: Pixels that stay free above.
    """
    if not counts:
        return []
    bins = len(next(iter(counts.values())))
    below = [0] * bins
    paths = []
    for answer, columns in counts.items():
        steps = [
            f"M{place}.06 {most - below[place]:g}h.88v{-count}h-.88z"
            for place, count in enumerate(columns)
            if count
        ]
        below = [low + count for low, count in zip(below, columns, strict=True)]
        paths.append(tag("path", d="".join(steps), class_=answer))
    return [
        tag(
            "svg",
            *paths,
            y=row.top + inset,
            width="100%",
            height=row.height - inset,
            viewBox=f"0 0 {bins} {most:g}",
            preserveAspectRatio="none",
        )
    ]
