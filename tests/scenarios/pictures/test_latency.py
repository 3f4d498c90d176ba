"""How long operations took."""

from __future__ import annotations

import pytest

from scenarios.pictures.latency import draw_latency, latencies_of, percentile, table_of
from scenarios.pictures.window import Window
from tests.scenarios.checks.story import Story
from tests.scenarios.pictures.shapes import Drawing, percent

WINDOW = Window(0.0, 100.0, 0.0)


def adds(*seconds):
    story = Story()
    for number, took in enumerate(seconds):
        story.call(number, "counter/c", "add", n=1, at=float(number)).end(
            number, 1, at=number + took
        )
    return latencies_of(story.history.operations)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_percentiles_are_values_that_were_there(share, value):
    assert percentile([*range(100, 0, -1)], share) == value


def test_kinds_are_told_apart_and_what_never_ended_is_left_out():
    story = Story().do(1, "claim/t/a", "claim", True).do(2, "lease/x", "acquire", 1)
    story.call(3, "lease/x", "acquire", at=5.0).end(3, 2, at=8.0).call(4, "lease/x", "acquire")
    found = {each.name: len(each.took) for each in latencies_of(story.history.operations)}
    assert found == {"lease acquire": 2, "claim": 1}
    assert next(iter(found)) == "lease acquire"


def test_each_call_is_a_dot_on_a_logarithmic_scale():
    (latencies,) = adds(0.001, 0.01, 0.1)
    drawing = Drawing.of_chart(draw_latency(latencies, window=WINDOW))
    dots = [(percent(dot, "cx"), float(dot.get("cy"))) for dot in drawing.named("circle")]
    assert dots == [(0.001, 150.0), (1.01, 75.0), (2.1, 0.0)]


def test_many_calls_are_a_heat_map():
    (latencies,) = adds(*[0.001 * (1 + number % 9) / 10 for number in range(2000)])
    drawing = Drawing.of_chart(draw_latency(latencies, window=Window(0.0, 2000.0, 0.0)))
    assert drawing.named("circle") == []
    assert 1 <= len(drawing.styled("heat")) <= 5
    assert len([*drawing.root.iter()]) < 200


def test_the_curves_are_the_median_and_the_slowest_twentieth():
    (latencies,) = adds(*[0.001] * 18, *[0.1] * 2)
    drawing = Drawing.of_chart(draw_latency(latencies, window=WINDOW))
    assert [path.get("d") for path in drawing.styled("median")] == ["M0 150.0H1"]
    assert [path.get("d") for path in drawing.styled("tail")] == ["M0 0.0H1"]


def test_calls_that_took_no_time_can_be_drawn():
    (latencies,) = adds(0.0, 0.0)
    assert Drawing.of_chart(draw_latency(latencies, window=WINDOW)).named("circle")


def test_the_table_has_the_figures():
    table = table_of(adds(0.001, 0.002, 0.003))
    assert "counter add" in table
    assert [part in table for part in (">3<", ">2 ms<", ">3 ms<")] == [True] * 3
