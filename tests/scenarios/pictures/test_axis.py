"""Flags above a chart, and its axis."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from scenarios.pictures.axis import FLAG_HEIGHT, Flag, draw_axis, draw_flags
from scenarios.pictures.markup import joined
from scenarios.pictures.window import Window
from tests.scenarios.pictures.shapes import Drawing

WINDOW = Window(0.0, 10.0, 0.0)


def drawn(parts):
    return Drawing(ET.fromstring(f"<svg>{joined(parts)}</svg>"))


def flags(*flags):
    parts, height = draw_flags(flags, window=WINDOW, bottom=100.0)
    return drawn(parts), height


def test_flags_that_would_overlap_stand_on_lines_of_their_own():
    drawing, height = flags(Flag(1.0, "here"), Flag(1.1, "there"), Flag(9.0, "far away"))
    lines = {text.text: float(text.get("y")) // FLAG_HEIGHT for text in drawing.named("text")}
    assert lines == {"here": 0, "there": 1, "far away": 0}
    assert height == 2 * FLAG_HEIGHT
    assert {float(line.get("y2")) for line in drawing.named("line")} == {100.0 + height}


def test_flags_near_the_end_are_written_to_the_left():
    drawing, _ = flags(Flag(1.0, "early"), Flag(9.9, "late, with a long text"))
    assert [text.get("text-anchor") for text in drawing.named("text")] == ["start", "end"]


def test_flags_outside_are_left_out_and_too_many_have_no_text():
    drawing, height = flags(Flag(11.0, "after"), *[Flag(1.0, f"a text {n}") for n in range(9)])
    assert len(drawing.named("line")) == 9
    assert len(drawing.named("text")) == 4
    assert "a text 8" in drawing.tips
    assert height == 4 * FLAG_HEIGHT


def test_the_axis_states_its_unit_and_has_fine_ticks_only_to_zoom():
    wide = drawn(draw_axis(WINDOW, top=0.0, bottom=50.0))
    assert wide.texts[-1] == "time since the run began (s)"
    assert wide.styled("tick", "z16")
    narrow = drawn(draw_axis(WINDOW, top=0.0, bottom=50.0, is_wide=False))
    assert narrow.texts[:-1] == [f"{second} s" for second in range(11)]
