"""A section of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.pictures.markup import Markup


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: What links call it.
        short: What the table of contents calls it.
        title: What is to be seen.
        text: How to read it.
        content: What is shown, in order.
    """

    name: str
    short: str
    title: str
    text: str
    content: Sequence[Markup]
