"""Who held what: belief and record, blows and takeovers, and two at once."""

from __future__ import annotations

import pytest

from scenarios.pictures.beliefs import beliefs_in, crowds, permits_for
from scenarios.pictures.holding import draw_holding
from scenarios.pictures.holding_sections import sections_of_holding, title_of
from scenarios.pictures.subject import Subject
from scenarios.pictures.window import Window
from tests.scenarios.checks.story import Story
from tests.scenarios.pictures.shapes import Drawing, percent

X = "lease/x"
S = "semaphore/s"


@pytest.fixture
def story():
    """w1 dies with token 1 at 2 s, w2 takes over at 4 s and freezes from 5 s to 9 s."""
    story = Story()
    story.call("a", X, "acquire", by="w1", at=0.0).end("a", 1, at=0.9)
    story.acquire(1, by="w1", at=1.0, until=3.0).tell("w1", "crashed", at=2.0)
    story.acquire(3, by="w2", at=4.0, until=7.0).tell("w2", "paused", at=5.0)
    story.acquire(4, by="w3", at=8.0, until=20.0).tell("w2", "resumed", at=9.0)
    story.tell("w2", "lost", at=9.5, object=X, token=3, reason="expired")
    return story.release(4, by="w3", at=10.0)


def holding(story):
    (found,) = Subject(story.history).holdings
    return found


def drawn(story):
    subject = Subject(story.history)
    return Drawing.of_chart(draw_holding(holding(story), window=subject.window))


def bars(drawing, *styles):
    """Where bars begin and end, in per cent, lane by lane."""
    elements = sorted(
        drawing.styled("bar", *styles), key=lambda bar: (float(bar.get("y")), percent(bar))
    )
    return [(percent(bar), percent(bar) + percent(bar, "width")) for bar in elements]


def test_each_belief_is_a_bar_in_the_record_and_in_its_worker_s_lane(story):
    drawing = drawn(story)
    assert bars(drawing, "held0") == [(10, 20), (80, 100), (10, 20), (80, 100)]
    assert bars(drawing, "held1") == [(40, 70), (40, 70)]


def test_the_record_shows_a_holder_that_is_none_until_the_next_one(story):
    assert bars(drawn(story), "stale") == [(20, 40), (70, 80)]


def test_a_lane_shows_who_asks(story):
    assert bars(drawn(story), "waiting") == [(0, 9)]


def test_tokens_are_written_on_the_bars(story):
    texts = drawn(story).texts
    assert {"1", "3", "4", "3 w2", "4 w3"} <= {*texts}


def test_frozen_time_is_shaded_and_death_is_marked(story):
    drawing = drawn(story)
    (ice,) = drawing.styled("ice")
    assert (percent(ice), percent(ice, "width")) == (50, 40)
    (cross,) = drawing.styled("cross", "killed")
    assert percent(cross) == 20


def test_flags_tell_of_blows_and_takeovers(story):
    assert [flag.text for flag in sorted(holding(story).flags())] == [
        "w1 is killed holding token 1",
        "w2 takes over, 2 s later",
        "w2 is frozen holding token 3",
        "w3 takes over, 3 s later",
        "w2 is told that token 3 is lost",
    ]


def test_the_title_says_what_is_to_be_seen(story):
    assert title_of(holding(story)) == (
        "lease/x: 3 tenures, one holder at a time, though w1 is killed and w2 is frozen"
    )


def test_two_at_once_are_marked():
    story = Story().acquire(1, at=0.0).acquire(2, by="w2", at=4.0).release(1, at=6.0)
    story.release(2, by="w2", at=10.0)
    drawing = drawn(story)
    (band,) = drawing.styled("wrong-band")
    assert (percent(band), percent(band, "width")) == (40, 20)
    assert bars(drawing, "wrong") == [(40, 100)]
    assert len(drawing.styled("wrong-edge")) == 2
    assert "2 at once: w1 (token 1), w2 (token 2)" in drawing.texts
    assert title_of(holding(story)).startswith("lease/x was held by more than 1 at once, 1 time")


def test_what_is_right_has_nothing_wrong_in_it(story):
    drawing = drawn(story)
    assert not any("wrong" in element.get("class", "") for element in drawing.root.iter())


def test_a_semaphore_has_a_lane_for_each_permit():
    story = Story(permits={S: 2})
    story.acquire(1, of=S, at=0.0).acquire(2, of=S, by="w2", at=2.0).release(1, of=S, at=4.0)
    story.acquire(3, of=S, by="w3", at=5.0).release(2, of=S, by="w2", at=10.0)
    found = holding(story)
    assert found.permits == 2
    assert found.crowds == []
    assert [tenure.place for tenure in found.tenures] == [0, 1, 0]
    labels = [row.label for row in draw_holding(found, window=Subject(story.history).window).rows]
    assert labels[1:3] == ["permit 1", "permit 2"]


def test_crowds_are_stretches_with_all_who_were_there():
    story = Story().acquire(1, at=0.0).acquire(2, by="w2", at=1.0).acquire(3, by="w3", at=2.0)
    story.release(1, at=3.0).release(2, by="w2", at=4.0).acquire(4, by="w1", at=5.0)
    story.release(3, by="w3", at=7.0)
    beliefs = beliefs_in(story.history)[X]
    found = [
        (crowd.begins, crowd.ends, crowd.most, [belief.token for belief in crowd.beliefs])
        for crowd in crowds(beliefs, permits=1)
    ]
    assert found == [(1.0, 4.0, 3, [1, 2, 3]), (5.0, 7.0, 2, [3, 4])]
    assert [crowd[:3] for crowd in crowds(beliefs, permits=2)] == [(2.0, 3.0, 3)]


def test_who_acquires_at_the_moment_of_the_release_makes_no_crowd():
    story = Story().acquire(1, at=0.0).release(1, at=5.0).acquire(2, by="w2", at=5.0)
    assert crowds(beliefs_in(story.history)[X], permits=1) == []


def test_permits_that_nobody_states_are_one():
    assert permits_for(S, history=Story().acquire(1, of=S).history) == 1


def test_a_late_write_that_was_refused_is_marked():
    story = Story().acquire(1, at=0.0, until=3.0).acquire(2, by="w2", at=5.0)
    story.call("late", "fenced/f/k", "write", token=1, value=7, at=8.0)
    story.fail("late", "StaleTokenError").release(2, by="w2", at=10.0)
    drawing = drawn(story)
    (cross,) = drawing.styled("cross", "refused")
    assert percent(cross) == 90
    assert "w1's late write is refused: StaleTokenError" in drawing.texts


def test_a_takeover_is_also_shown_from_near(story):
    story.acquire(9, by="w4", at=200.0).release(9, by="w4", at=201.0)
    (section,) = sections_of_holding(Subject(story.history))
    content = "".join(section.content)
    assert "From near: w1 is killed holding token 1, and w2 takes over" in content
    assert "From near: w2 is frozen holding token 3, and w3 takes over" in content


def test_many_tenures_are_drawn_in_few_shapes_and_in_their_places():
    story = Story()
    for token in range(4000):
        story.acquire(token, by=f"w{token % 5}").release(token, by=f"w{token % 5}")
    drawing = drawn(story)
    assert len([*drawing.root.iter()]) < 1_000
    (record, *_) = drawing.styled("bar", "held0")
    assert len(record.findall("path")[0].get("d").split("M")) == 2001


def test_the_legend_names_what_is_to_be_seen(story):
    def legend(begins, ends):
        chart = draw_holding(holding(story), window=Window(begins, ends, 0.0))
        return {key.text for key in chart.legend}

    assert {"killed", "frozen"} <= legend(0.0, 10.0)
    assert {"killed", "frozen"} & legend(0.0, 4.5) == {"killed"}
    assert {"killed", "frozen"} & legend(4.5, 6.0) == {"frozen"}


def test_a_freeze_that_a_belief_outlives_is_no_blow_to_it():
    story = Story().acquire(1, at=0.0, until=9.0).tell("w1", "paused", at=1.0)
    story.tell("w1", "resumed", at=2.0).acquire(2, by="w2", at=10.0).release(2, by="w2")
    assert [flag.text for flag in holding(story).flags()] == ["w2 takes over, 1 s later"]
