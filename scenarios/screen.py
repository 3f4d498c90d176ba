"""Terminal output: lines that stay above some that are redrawn; plain lines in a pipe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TextIO

_CODES: Final = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "bold red": "1;31",
    "bold green": "1;32",
    "bright red": "91",
    "bright blue": "94",
    "bright cyan": "96",
}


@dataclass(frozen=True)
class Span:
    """A piece of text in one style; the empty style is plain."""

    text: str
    style: str = ""


Line = Sequence[Span]


def plain(line: Line) -> str:
    """The text of a line without its styles."""
    return "".join(span.text for span in line)


class Screen:
    """Writes lines to a stream, with styles and a live part where it is a terminal.

    Args:
        stream: Where to write; characters that it cannot encode are replaced.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.is_live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._has_styles = self.is_live and "NO_COLOR" not in os.environ
        self._drawn: Sequence[Line] = ()
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")

    def say(self, lines: Iterable[Line]) -> None:
        """Write lines that stay."""
        live, self._drawn = self._drawn, ()
        text = self._erasing(live) + "".join(self._render(line) + "\n" for line in lines)
        self._stream.write(text)
        self._stream.flush()
        self.draw(live)

    def draw(self, lines: Sequence[Line]) -> None:
        """Put these lines in place of the live ones; nothing where the stream is no terminal."""
        if not self.is_live:
            return
        width, height = shutil.get_terminal_size()
        shown = [_cut(line, width=width - 1) for line in lines[-(height - 2) :]]
        text = self._erasing(self._drawn) + "".join(self._render(line) + "\n" for line in shown)
        self._drawn = shown
        self._stream.write(text)
        self._stream.flush()

    def _erasing(self, lines: Sequence[Line]) -> str:
        return f"\x1b[{len(lines)}A\x1b[J" if lines else ""

    def _render(self, line: Line) -> str:
        if not self._has_styles:
            return plain(line).rstrip()
        return "".join(
            f"\x1b[{_CODES[span.style]}m{span.text}\x1b[0m" if span.style else span.text
            for span in line
        )


def _cut(line: Line, *, width: int) -> Line:
    spans: list[Span] = []
    for span in line:
        spans.append(Span(span.text[:width], span.style))
        width -= len(spans[-1].text)
    return spans
