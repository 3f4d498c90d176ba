"""Where moments lie, and what the axis says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.pictures.window import Window, duration, nice_step

WINDOW = Window(100.0, 110.0, 100.0)


def labels(window, zoom=1):
    return [tick.label for tick in sorted(window.ticks()) if tick.zoom <= zoom]


def test_moments_outside_lie_on_the_edge():
    assert [WINDOW.percent(at) for at in (90.0, 100.0, 105.0, 110.0, 190.0)] == [0, 0, 50, 100, 100]
    assert WINDOW.pixels(101.0, 102.0) == pytest.approx(100.0)


def test_a_window_of_one_moment_can_be_drawn():
    window = Window(5.0, 5.0, 5.0)
    assert window.percent(5.0) == 0.0
    assert window.bin_of(5.0, count=10) == 0
    assert window.ticks()


def test_every_moment_lies_in_one_part():
    places = [WINDOW.bin_of(at, count=10) for at in (100.0, 100.99, 101.0, 109.99, 110.0)]
    assert places == [0, 0, 1, 9, 9]


def test_the_axis_counts_from_its_zero():
    assert labels(WINDOW) == [f"{second} s" for second in range(11)]
    assert labels(Window(104.0, 105.0, 100.0))[:3] == ["4.0 s", "4.1 s", "4.2 s"]
    assert labels(Window(-1.0, 1.0, 0.0))[0] == "-1.0 s"


def test_long_times_are_told_in_minutes_and_hours():
    assert labels(Window(0.0, 3600.0, 0.0))[1] == "10 min"
    assert labels(Window(0.0, 36_000.0 * 24, 0.0))[1] == "50 h"


def test_zooming_in_adds_ticks_and_moves_none():
    assert labels(WINDOW, 4)[:5] == ["0 s", "0.25 s", "0.50 s", "0.75 s", "1 s"]
    assert labels(WINDOW, 16)[:3] == ["0 s", "0.05 s", "0.10 s"]


@given(st.floats(0, 1e6), st.floats(1e-5, 1e7), st.sampled_from([1, 4, 16]))
def test_there_is_room_for_the_labels(start, seconds, zoom):
    ticks = [tick for tick in Window(start, start + seconds, 0.0).ticks() if tick.zoom <= zoom]
    assert 2 <= len(ticks) <= 12 * 1.3 * zoom
    assert len({round(tick.percent, 6) for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("rough", "step"), [(0.11, 0.2), (0.2, 0.2), (3.0, 5.0), (7.0, 10.0), (1234.0, 2000.0)]
)
def test_steps_are_round(rough, step):
    assert nice_step(rough) == pytest.approx(step)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (3e-7, "0.3 µs"), (2.5e-5, "25 µs"), (0.0123, "12.3 ms"), (7.37, "7.37 s"),
     (119.0, "119 s"), (125.4, "2 min 5 s"), (36_220.0, "10 h 3 min")],
)  # fmt: skip
def test_durations_in_words(seconds, text):
    assert duration(seconds) == text
