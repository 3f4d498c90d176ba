"""How many requests, of which kind, with which answer, and what they would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from scenarios.journal import Event

NO_ANSWER: Final = "no answer"

Requests = Mapping[str, Mapping[str, int]]
"""Verb, status, count."""

PRICE_LIST: Final = "S3 Standard, us-east-1, list prices of 2025; an estimate"
USD_PER_REQUEST: Final[Mapping[str, float]] = {
    "PUT": 0.005 / 1000,
    "LIST": 0.005 / 1000,
    "GET": 0.0004 / 1000,
    "HEAD": 0.0004 / 1000,
    "DELETE": 0.0,
}
_DEAREST: Final = max(USD_PER_REQUEST.values())


def tally(events: Iterable[Event]) -> Requests:
    """Count the `request` events of all workers by verb and status."""
    counts = Counter(
        (event["verb"], str(event["status"])) for event in events if event.name == "request"
    )
    requests: dict[str, dict[str, int]] = {}
    for (verb, status), count in sorted(counts.items()):
        requests.setdefault(verb, {})[status] = count
    return requests


def estimated_cost(requests: Requests) -> float:
    """US dollars by `PRICE_LIST`: every request but those answered 5xx, unknown verbs as PUT."""
    return sum(
        count * USD_PER_REQUEST.get(verb, _DEAREST)
        for verb, by_status in requests.items()
        for status, count in by_status.items()
        if not status.startswith("5")
    )
