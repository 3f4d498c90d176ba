"""Terminal output: redrawn on a terminal, plain lines anywhere else."""

from __future__ import annotations

import io
import re

import pytest

from scenarios.board import Board
from scenarios.screen import Screen, Span


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def shown(text):
    """The lines that a terminal shows after these bytes."""
    first, *erasures = re.split(r"\x1b\[(\d+)A\x1b\[J", text)
    lines = first.splitlines()
    for up, more in zip(erasures[::2], erasures[1::2], strict=True):
        lines = lines[: -int(up)] + more.splitlines()
    return lines


def test_in_a_pipe_there_are_no_control_characters_and_no_live_lines():
    stream = io.StringIO()
    screen = Screen(stream)
    screen.draw([[Span("live", "red")]])
    screen.say([[Span("stays", "bold"), Span(" here ")]])
    assert stream.getvalue() == "stays here\n"


def test_lines_that_stay_appear_above_the_live_ones(terminal):
    screen = Screen(terminal)
    screen.draw([[Span("one")], [Span("two")]])
    screen.say([[Span("stays")]])
    screen.draw([[Span("three")]])
    assert shown(terminal.getvalue()) == ["stays", "three"]


def test_live_lines_never_wrap(terminal):
    Screen(terminal).draw([[Span("a" * 50), Span("b" * 50, "red")]])
    assert terminal.getvalue() == "a" * 50 + "\x1b[31m" + "b" * 9 + "\x1b[0m\n"


def test_no_color_is_heeded(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    Screen(terminal).say([[Span("plain", "red")]])
    assert terminal.getvalue() == "plain\n"


def test_a_stream_that_cannot_encode_a_mark_gets_another():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Screen(stream).say([[Span("✓ held")]])
    assert stream.buffer.getvalue() == b"? held\n"


def test_in_a_pipe_a_board_tells_each_quarter_once():
    stream = io.StringIO()
    board = Board(Screen(stream), workers=["w1", "w2"], tasks=8)
    for number in range(7):
        board.took("w1", task=str(number))
        board.draw(number)
        board.draw(number)
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == [
        "2/8",
        "4/8",
        "6/8",
    ]


def test_at_its_end_a_board_leaves_lanes_and_counts():
    stream = io.StringIO()
    board = Board(Screen(stream), workers=["w1", "w2"], tasks=1)
    board.took("w1", task="a")
    board.counts["lost"] += 1
    board.close(1.0)
    assert [line.split() for line in stream.getvalue().splitlines()] == [
        [],
        ["w1", "■", "1"],
        ["w2", "0"],
        ["1.0", "s", "1/1", "claimed", "·", "1", "lost"],
    ]


def test_long_lanes_are_scaled_and_keep_their_marks():
    board = Board(Screen(io.StringIO()), workers=["w1", "w2"], tasks=400)
    for number in range(100):
        board.took("w1", task=str(number))
    board.took("w2", task="last")
    board.strike("w2", cell=Span("✗"), note="killed")
    one, other = ("".join(span.text for span in lane) for lane in board.lanes())
    assert one.count("■") == 34
    assert one.split()[-1] == "100"
    assert other.split() == ["w2", "✗", "1", "killed"]
