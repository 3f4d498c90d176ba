"""One command runs every check that applies, and its exit status is the verdict."""

from __future__ import annotations

import pytest

from scenarios.checks.all import CHECKS, check_all
from scenarios.cli import main
from scenarios.history import write_history
from scenarios.pictures.subject import Subject
from tests.scenarios.checks.story import Story

HITS = "counter/hits"


def seen(story, identity, value):
    answer = {"satisfied": True, "actual": "e1", "resulting": "e1", "value": value}
    return story.do(identity, "item/x", "get_item_if", answer, condition="any", expected=None)


BAD = {
    "linearizable": Story().do(1, HITS, "value", 7),
    "no lost update": Story().do(1, "counter/h", "add", 1, n=1).do(2, "counter/h", "add", 1, n=1),
    "at most once": Story().tell("w1", "began", object="claim/a/1").tell(
        "w1", "began", object="claim/a/1"
    ),
    "unique numbers": Story().do(1, "sequence/s", "next", 1).do(2, "sequence/s", "next", 1),
    "unique etags": seen(seen(Story(), 1, "a"), 2, "b"),
    "mutual exclusion": Story().acquire(1).acquire(2, by="w2"),
    "permit bound": Story(permits={"semaphore/s": 2})
    .acquire(1, of="semaphore/s").acquire(2, of="semaphore/s").acquire(3, of="semaphore/s"),
    "rising tokens": Story().acquire(2).release(2).acquire(1),
    "freed for good": Story().do(1, "lease/x", "break", True, token=1)
    .do(2, "lease/x", "holder", 1),
    "fenced writes": Story().do(1, "fenced/d/k", "write", True, token=2, value=0)
    .do(2, "fenced/d/k", "write", True, token=1, value=0),
    "takeover in time": Story().acquire(1, ttl=1.0).call(1, "lease/x", "acquire", by="w2")
    .tell("w1", "crashed").tell("w3", "note", at=100.0),
}  # fmt: skip


def good():
    return (
        Story().do(1, HITS, "add", 1, n=1).call(2, HITS, "add", n=1).lose(2).acquire(1).release(1)
    )


def test_every_check_is_among_them():
    assert [name for name, *_ in CHECKS] == [*BAD]


@pytest.mark.parametrize("name", BAD)
def test_each_check_convicts_what_breaks_it(name):
    report = check_all(BAD[name].history)
    (line,) = [line for line in report.lines if line.check == name]
    assert line.violations
    assert {each.check for each in line.violations} == {name}


def test_a_report_has_the_checks_that_apply():
    report = check_all(good().history)
    assert [(line.check, line.counted) for line in report.lines] == [
        ("linearizable", "2 operations on 1 object, 1 unknown"),
        ("no lost update", "2 operations on 1 object, 1 unknown"),
        ("mutual exclusion", "1 belief"),
        ("rising tokens", "1 token"),
    ]
    assert report.violations == []
    assert report.to_json()["violations"] == []


def test_takeovers_are_counted():
    story = (
        Story().acquire(1, ttl=10.0).call(1, "lease/x", "acquire", by="w2").tell("w1", "crashed")
    )
    story.end(1, 2).acquire(2, by="w2")
    (line,) = [line for line in check_all(story.history).lines if line.check == "takeover in time"]
    assert line.counted == "1 takeover, the longest 2.000 s"


def run(story, tmp_path, *options):
    path = tmp_path / "h.jsonl"
    write_history(path, story.history)
    return main(["check", str(path), *options])


def test_a_good_history_passes(tmp_path, capsys):
    assert run(good(), tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "linearizable      ok        2 operations on 1 object, 1 unknown"


def test_a_bad_history_fails_and_names_what_is_wrong(tmp_path, capsys):
    assert run(good().do(3, HITS, "value", 5), tmp_path) == 1
    out = capsys.readouterr().out
    assert "linearizable      violated" in out
    assert "counter/hits: w1's value() was answered 5" in out
    assert "operations 3, 1" in out


@pytest.mark.parametrize(
    ("text", "shown"),
    [("nonsense\n", "h.jsonl, line 1: no JSON"), (None, "No such file")],
)
def test_what_is_no_history_is_refused(text, shown, tmp_path, capsys):
    if text is not None:
        (tmp_path / "h.jsonl").write_text(text)
    assert main(["check", str(tmp_path / "h.jsonl")]) == 2
    assert shown in capsys.readouterr().err


def test_what_cannot_be_checked_is_refused(tmp_path, capsys):
    assert run(Story().acquire(1, of="semaphore/s"), tmp_path) == 2
    assert "semaphore/s: its permits are stated as nothing" in capsys.readouterr().err


def test_a_violation_is_told_in_seconds_since_the_beginning_with_what_was_promised(
    tmp_path, capsys
):
    assert run(Story().acquire(1, at=50_000.0).acquire(2, by="w2"), tmp_path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "  promised: at no time do two believe that they hold it" in lines
    assert any(line.strip().startswith("1.000000 s  lease/x: at most 1 may") for line in lines)


@pytest.mark.parametrize(("source", "began"), [("processes", 3.0), ("simulation", 1.0)])
def test_a_run_begins_for_a_check_when_it_does_in_the_pictures(source, began):
    story = Story(source=source).tell("w1", "started").tell("w2", "started").acquire(1)
    history = story.acquire(2, by="w2").history
    assert check_all(history).began == Subject(history).window.zero == began


def test_violations_are_told_in_order_of_time():
    found = check_all(
        Story().acquire(9).release(9).call(1, "lease/x", "acquire", by="w2")
        .call(2, "lease/x", "acquire", by="w3").end(2, 1).end(1, 2).history
    ).violations  # fmt: skip
    assert [each.tokens for each in found] == [(1, 9), (2, 9)]


@pytest.mark.parametrize(("options", "shown"), [([], 5), (["--all"], 7)])
def test_of_many_violations_the_first_are_shown_unless_all_are_asked_for(
    options, shown, tmp_path, capsys
):
    story = Story()
    for number in range(8):
        story.acquire(1, by=f"w{number}")
    assert run(story, tmp_path, *options) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "token 1 was given twice" in line]) == shown
    assert ("  … and 2 more of these; --all shows them" in lines) is (not options)
