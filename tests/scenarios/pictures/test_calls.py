"""The history of one object: bars from call to answer, and what is wrong with them."""

from __future__ import annotations

import pytest

from scenarios.checks.all import check_all
from scenarios.history import Event
from scenarios.pictures.calls import around, busiest, draw_calls, window_of
from scenarios.pictures.key_sections import section_of_busiest, sections_of_wrong
from scenarios.pictures.subject import Subject
from scenarios.pictures.window import Window
from tests.scenarios.checks.story import Story
from tests.scenarios.pictures.shapes import Drawing, percent

C = "claim/tasks/a"
WINDOW = Window(0.0, 10.0, 0.0)


def drawn(story, *, wrong=(), window=WINDOW):
    history = story.history
    calls = history.operations
    chart = draw_calls(calls, fates=Subject(history).fates, window=window, wrong=wrong)
    return Drawing.of_chart(chart)


def subject(story):
    history = story.history
    return Subject(history, checked=check_all(history).lines)


@pytest.fixture
def double():
    """Both w1 and w2 are told that they have won; w3 is not."""
    story = Story().call("a", C, "claim", at=1.0).call("b", C, "claim", by="w2", at=2.0)
    story.call("c", C, "claim", by="w3", at=2.0).end("c", False, at=2.5)
    return story.end("a", True, at=3.0).end("b", True, at=4.0)


def test_a_call_is_a_bar_with_its_answer():
    drawing = drawn(Story().call(1, C, "claim", at=2.0).end(1, True, at=5.0))
    (call,) = drawing.styled("call")
    (bar,) = call.findall("rect")
    assert (percent(bar), percent(bar, "width"), bar.get("class")) == (20, 30, "done")
    assert "claim → true" in drawing.texts


@pytest.mark.parametrize(
    ("end", "style"),
    [
        (lambda story: story.end(1, False), "refused"),
        (lambda story: story.fail(1), "failed"),
        (lambda story: story.fail(1, "ConcurrencyConflictError"), "refused"),
        (lambda story: story.lose(1), "unknown"),
        (lambda story: story, "unknown"),
    ],
)
def test_answers_are_told_apart(end, style):
    drawing = drawn(end(Story().call(1, C, "claim", at=1.0)))
    (call,) = drawing.styled("call")
    assert call.findall("rect")[-1].get("class") == style


def test_what_is_unknown_is_open_to_the_end():
    drawing = drawn(Story().call(1, C, "claim", at=2.0).lose(1))
    (tail,) = drawing.styled("open-end")
    assert (percent(tail), percent(tail, "width")) == (30, 70)


def test_a_call_that_never_ended_is_open_from_its_beginning():
    (tail,) = drawn(Story().call(1, C, "claim", at=2.0)).styled("open-end")
    assert (percent(tail), percent(tail, "width")) == (20, 80)


def test_calls_of_one_actor_at_once_have_lines_of_their_own():
    story = Story().call(1, C, "claim", at=1.0).call(2, C, "claim", at=2.0)
    drawing = drawn(story.end(1, True, at=3.0).end(2, False, at=4.0))
    assert len({bar.get("y") for call in drawing.styled("call") for bar in call}) >= 2
    tops = {call.findall("rect")[0].get("y") for call in drawing.styled("call")}
    assert len(tops) == 2


def test_those_that_contradict_each_other_are_marked_and_no_others(double):
    drawing = drawn(double, wrong={"a", "b"})
    wrong = [call.find("title").text for call in drawing.styled("wrong-call")]
    assert [text.partition(":")[0] for text in wrong] == ["w1", "w2"]
    assert all("breaks the guarantee" in text for text in wrong)
    assert {"✗ w1: claim → true", "✗ w2: claim → true"} <= {*drawing.texts}


def test_what_the_checkers_convict_has_a_section(double):
    (section,) = sections_of_wrong(subject(double))
    assert section.title == f"What is wrong: answers that contradict each other, on {C}"
    content = "".join(section.content)
    assert "won twice" in content
    assert content.count('class="call wrong-call"') == 2


def test_what_is_right_has_none():
    story = Story().do(1, C, "claim", True).do(2, C, "claim", False, by="w2")
    assert [*sections_of_wrong(subject(story))] == []


def test_the_object_that_was_raced_for_most_is_shown():
    story = Story()
    for number, name in enumerate("abba"):
        story.call(f"{number}/1", f"claim/t/{name}{number // 3}", "claim", by="w1")
        if name == "b":
            story.call(f"{number}/2", f"claim/t/{name}{number // 3}", "claim", by="w2")
            story.end(f"{number}/2", True)
        story.end(f"{number}/1", name == "a")
    (section,) = section_of_busiest(subject(story))
    assert section.title == "One key from near: claim/t/b0, over which 2 workers raced"


def test_objects_that_nobody_raced_for_are_not_shown():
    story = Story().do(1, C, "claim", True).do(2, C, "claim", False, by="w2")
    assert [*section_of_busiest(subject(story))] == []


def many(times):
    story = Story()
    for number, at in enumerate(times):
        story.call(number, C, "claim", at=at).end(number, False, at=at + 0.1)
    return story.history.operations


def test_the_busiest_stretch_is_chosen():
    calls = many([0, 10, 20, 21, 22, 23, 40, 60])
    assert [call.called for call in busiest(calls, 4)] == [20, 21, 22, 23]
    assert busiest(calls, 8) == calls


def test_calls_around_the_wrong_ones_are_chosen_with_all_of_those():
    calls = many(range(100))
    chosen = [call.id for call in around(calls, {40, 45}, 20)]
    assert chosen == [*range(33, 53)]
    chosen = [call.id for call in around(calls, {2, 97}, 20)]
    assert {2, 97} <= {*chosen}
    assert len(chosen) <= 23


def test_the_window_has_a_margin():
    window = window_of(many([10, 20]), zero=5.0, over=20.1)
    assert window.start < 10
    assert window.end == 20.1
    assert window.zero == 5.0


def test_what_was_open_before_is_shown_as_well(double):
    story = Story().call("open", C, "claim", by="w9", at=0.5).lose("open")
    for number in range(60):
        story.do(number, C, "claim", False, by="w3")
    story.events += [
        Event(event.actor, event.name, event.at + 200, event.fields) for event in double.events
    ]
    (section,) = sections_of_wrong(subject(story))
    content = "".join(section.content)
    assert "w9: claim() → Unknown" in content
    assert content.count('class="open-end"') == 1
    assert "of 64 operations are shown" in content
