"""Counts over time, for each actor and for all."""

from __future__ import annotations

from scenarios.pictures.activity import draw_activity
from scenarios.pictures.chart import Row
from scenarios.pictures.contention import draw_contention
from scenarios.pictures.fates import fates_in, in_order
from scenarios.pictures.histogram import counts_of, draw_columns, highest
from scenarios.pictures.requests import draw_requests
from scenarios.pictures.window import Window
from tests.scenarios.checks.story import Story
from tests.scenarios.pictures.shapes import Drawing, percent

WINDOW = Window(0.0, 10.0, 0.0)
WORDS = {"done": "won", "refused": "lost", "wrong": "wrong", "unknown": "unknown"}


def test_moments_are_counted_by_part_and_answer():
    counts = counts_of([(0.0, "done"), (1.0, "refused"), (9.0, "done")], window=WINDOW, bins=2)
    assert counts == {"done": [1, 1], "refused": [1, 0]}
    assert highest(counts) == 2
    assert highest({}) == 0


def test_columns_stand_on_each_other():
    (svg,) = draw_columns({"done": [1, 0], "refused": [2, 4]}, Row("", 0, 10), most=4)
    assert 'd="M0.06 4h.88v-1h-.88z" class="done"' in svg
    assert 'd="M0.06 3h.88v-2h-.88zM1.06 4h.88v-4h-.88z" class="refused"' in svg


def claims():
    story = Story().do(1, "claim/t/a", "claim", True, by="w10")
    story.do(2, "claim/t/a", "claim", False, by="w2").do(3, "claim/t/b", "claim", True, by="w2")
    return story.call(4, "claim/t/c", "claim", by="w2")


def activity(**options):
    history = claims().history
    return draw_activity(
        history.operations, fates=fates_in(history), window=WINDOW, words=WORDS, **options
    )


def test_each_worker_has_a_lane_with_what_it_won_beside_it():
    assert [row.label for row in activity().rows] == ["w2 · 1", "w10 · 1"]
    styles = [path.get("class") for path in Drawing.of_chart(activity()).named("path")]
    assert {"done", "refused", "unknown"} <= {*styles}
    assert "wrong" not in styles


def test_what_is_wrong_is_counted_as_such():
    chart = activity(wrong={3})
    assert len(Drawing.of_chart(chart).styled("wrong")) == 1
    assert [key.text for key in chart.legend] == ["won", "lost", "wrong", "unknown"]


def test_actors_are_in_the_order_of_their_numbers():
    assert in_order(["w10", "w2", "a", "w1", "", "w1b"]) == ["a", "w1", "w1b", "w2", "w10"]


def test_the_curve_is_the_share_that_was_refused():
    moments = [(0.05, "done"), (0.1, "refused"), (9.9, "refused")]
    chart = draw_contention(moments, window=WINDOW, words=WORDS)
    (curve,) = Drawing.of_chart(chart).styled("share")
    assert curve.get("d") == "M0 30.0H1M59 0.0H60"
    assert [row.label for row in chart.rows] == ["2", "in 167 ms", "0", "100% refused", "0%"]


def test_requests_are_bars_in_parts_for_the_answers():
    requests = {"GET": {"200": 30, "404": 10}, "PUT": {"200": 60, "412": 15, "no answer": 5}}
    drawing = Drawing.of_chart(draw_requests(requests))
    widths = [(bar.get("class"), percent(bar, "width")) for bar in drawing.named("rect")]
    assert widths == [
        ("done", 23.25),
        ("refused", 7.75),
        ("done", 46.5),
        ("refused", 11.625),
        ("unknown", 3.875),
    ]
    assert drawing.texts == ["40  (200: 30 · 404: 10)", "80  (200: 60 · 412: 15 · no answer: 5)"]
