"""What was asked of the store, by verb and answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from scenarios.pictures.answers import ANSWERS, Answer, answer_of_status, keys_of
from scenarios.pictures.chart import Chart, Row, stacked
from scenarios.pictures.markup import Markup, joined, tag
from scenarios.tally import Requests

_LANE: Final = 26.0
_WIDEST: Final = 62.0
_WORDS: Final[Mapping[Answer, str]] = {
    "done": "done",
    "refused": "refused: the condition did not hold, or there is nothing",
    "failed": "failed",
    "unknown": "no answer",
}


def draw_requests(requests: Requests) -> Chart:
    """A bar for each verb, in parts for the answers, and their counts in words."""
    most = max((sum(by_status.values()) for by_status in requests.values()), default=1)
    rows = stacked([(verb, _LANE, "") for verb in requests], top=2.0)
    parts = [
        part
        for row, by_status in zip(rows, requests.values(), strict=True)
        for part in _bar(row, by_status, most=most)
    ]
    seen = {answer_of_status(status) for counts in requests.values() for status in counts}
    keys = keys_of({answer: _WORDS[answer] for answer in ANSWERS if answer in seen})
    return Chart(rows, joined(parts), rows[-1].top + _LANE + 4, keys, is_wide=False)


def _bar(row: Row, by_status: Mapping[str, int], *, most: int) -> Iterator[Markup]:
    left = 0.0
    for status, count in sorted(by_status.items(), key=lambda item: _order(item[0])):
        width = count * _WIDEST / most
        yield tag(
            "rect",
            tag("title", f"{row.label} {status}: {count:,}"),
            x=f"{left:.3f}%",
            y=row.top + 4,
            width=f"{width:.3f}%",
            height=row.height - 8,
            class_=answer_of_status(status),
        )
        left += width
    told = " · ".join(f"{status}: {count:,}" for status, count in by_status.items())
    text = f"{sum(by_status.values()):,}  ({told})"
    yield tag("text", text, x=f"{left:.3f}%", dx=8, y=row.middle + 4)


def _order(status: str) -> tuple[int, str]:
    return ANSWERS.index(answer_of_status(status)), status
