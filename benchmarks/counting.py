"""Counts what botocore is about to send: each attempt of each request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

HEADER = ("| operation | requests | of the SDK |", "| --- | ---: | --- |")


@contextmanager
def counted(events: Any) -> Iterator[list[str]]:
    """The operations of the SDK that are sent within the block, one for each attempt.

    Args:
        events: The client's `meta.events`.
    """
    sent: list[str] = []

    def count(event_name: str, **_: Any) -> None:
        sent.append(event_name.rpartition(".")[2])

    events.register("before-send.s3", count, unique_id="count")
    try:
        yield sent
    finally:
        events.unregister("before-send.s3", unique_id="count")


def row(label: str, sent: list[str]) -> str:
    """One line of the table; the same request several times in a row is named once."""
    kinds = [
        f"{count} {name}" if (count := len(list(same))) > 1 else name
        for name, same in groupby(sorted(sent) if len(sent) > 10 else sent)
    ]
    return f"| {label} | {len(sent)} | {', '.join(kinds)} |"
