"""A few words that audits put together."""

from __future__ import annotations

from collections.abc import Iterable


def times(count: int) -> str:
    """How often: `once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def many(count: int, noun: str) -> str:
    """How many of something: `1 belief`, `2 beliefs`, `2 processes`."""
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{ending}"


def shortened(text: str, *, most: int = 120) -> str:
    """A text, without its middle where it is longer than that: `[{"a":1},…{"z":26}]`."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def listed(names: Iterable[str]) -> str:
    """Names as in a sentence: `w1, w2 and w3`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
