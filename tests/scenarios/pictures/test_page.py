"""The page: one file that opens offline, whatever the history says."""

from __future__ import annotations

import base64
import hashlib
import re
import time

import pytest

from scenarios.checks.all import check_all
from scenarios.events import Event
from scenarios.history import history_of
from scenarios.pictures.commands import write_page
from scenarios.pictures.page import draw_page
from scenarios.pictures.subject import Subject
from scenarios.scenario import Finding
from tests.scenarios.checks.story import Story
from tests.scenarios.pictures.shapes import Drawing
from tests.scenarios.pictures.test_markup import HOSTILE

ABOUT = {"scenario": "claim-race", "seed": 7, "workers": 3, "tasks": 20, "store": "sqlite:"}


def told(*, x="x", **about):
    """A story with something for every section, in which `x` is part of every text."""
    story = Story(**about)
    story.call(1, f"claim/{x}/{x}", "claim", by=x, claim=x).call(
        2, f"claim/{x}/{x}", "claim", by="w2"
    )
    story.end(1, True).end(2, True).call(3, f"counter/{x}", "add", n=1).lose(3)
    story.do(4, f"register/{x}", "write", value=x).do(5, f"register/{x}", "read", x)
    story.call(6, f"register/{x}", "read", by="w2").fail(6, x)
    story.acquire(1, of=f"lease/{x}", by=x).acquire(2, of=f"lease/{x}", by="w2")
    story.tell(x, "lost", object=f"lease/{x}", token=1, reason=x)
    story.tell(x, "paused").tell(x, "resumed").tell("w2", "fault", kind=x, verb=x, key=x)
    story.tell("w2", "request", verb=x, status=x).tell("w2", "request", verb="PUT", status=412)
    return story.tell("w2", "crashed", traceback=x).tell("w1", "note", what=x)


def page_of(told, /, **options):
    history = told.history
    return draw_page(Subject(history, checked=check_all(history).lines, **options))


STORIES = {
    "all": told(**ABOUT),
    "nothing": Story(),
    "one event": Story().tell("w1", "started"),
    "one call": Story().call(1, "register/x", "read"),
    "hours": Story(source="simulation", seed=3).acquire(1, at=0.0).release(1, at=90_000.0),
    "negative times": Story().do(1, "register/x", "read", None).tell("w1", "finished"),
}


@pytest.mark.parametrize("name", STORIES)
def test_every_page_is_well_formed_and_has_a_title(name):
    page = Drawing.of_page(page_of(STORIES[name]))
    assert page.named("h1")
    (title, *_) = page.tips
    assert title


@pytest.mark.parametrize("name", STORIES)
def test_a_page_loads_nothing(name):
    text = page_of(STORIES[name])
    page = Drawing.of_page(text)
    for element in page.root.iter():
        for key, value in element.attrib.items():
            assert key not in ("src", "srcset", "data", "action", "style")
            if key.rpartition("}")[2] == "href":
                assert value.startswith("#")
    assert {each.tag.rpartition("}")[2] for each in page.root.iter()}.isdisjoint(
        {"link", "img", "image", "iframe", "object", "embed", "use", "foreignObject", "base"}
    )
    without_names = text.replace("http://www.w3.org/1999/xhtml", "").replace(
        "http://www.w3.org/2000/svg", ""
    )
    assert not re.search(r"https?:|//\w+\.|@import|url\((?!#)", without_names)


def test_links_lead_to_sections():
    page = Drawing.of_page(page_of(told()))
    links = [link.get("href")[1:] for link in page.named("a")]
    assert links == [section.get("id") for section in page.named("section")]
    assert {"wrong", "held-0", "activity", "contention", "latency", "requests"} <= {*links}


def test_its_own_policy_allows_only_its_own_script():
    page = Drawing.of_page(page_of(told()))
    (script,) = page.named("script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    (policy,) = [meta for meta in page.named("meta") if meta.get("http-equiv")]
    assert policy.get("content").startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in policy.get("content")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_history_says_is_text(hostile):
    tame = Drawing.of_page(page_of(told(scenario="x"), findings=[Finding("x", "x", ["x"])]))
    findings = [Finding(hostile, hostile, [hostile])]
    text = page_of(told(x=hostile, scenario=hostile), findings=findings, story=[hostile])
    page = Drawing.of_page(text)
    assert [each.text for each in page.named("script")] == [
        each.text for each in tame.named("script")
    ]
    names = {each.tag for each in page.root.iter()}
    assert names <= {each.tag for each in tame.root.iter()}
    assert not any(key.startswith("on") for each in page.root.iter() for key in each.attrib)
    text.encode()


def test_the_top_says_what_was_run_and_what_came_of_it():
    page = Drawing.of_page(page_of(told(**ABOUT), story=["What is to happen."]))
    (header,) = page.named("header")
    text = " ".join("".join(header.itertext()).split())
    assert "claim-race✗ FAIL" in text
    assert "What is to happen." in text
    assert "3 processes, store sqlite:, seed 7: 6 operations on 3 objects" in text
    assert "w2 was killed at 20 s" in text
    assert (
        "python -m scenarios run claim-race --workers 3 --tasks 20 --seed 7 --store sqlite:" in text
    )
    assert "promised: at no time do two believe that they hold it" in text
    assert "at 3 s, claim/x/x: won twice: by x and w2" in text


def test_a_command_is_quoted_for_the_shell():
    story = Story(**ABOUT | {"store": "s3://b/p?x=1&y=$(z)", "unsafe": True})
    assert Subject(story.history).command == (
        "python -m scenarios run claim-race --workers 3 --tasks 20 --seed 7 "
        "--store 's3://b/p?x=1&y=$(z)' --unsafe"
    )
    assert Subject(Story(source="simulation", seed=5).history).command == (
        "python -m scenarios simulate --seed 5"
    )
    planted = Subject(Story(source="simulation", seed=5, hours=10.0, bug="x y").history)
    assert planted.command == "python -m scenarios simulate --seed 5 --hours 10.0 --bug 'x y'"
    assert Subject(Story().history).command is None


def test_a_planted_bug_is_told_of():
    text = page_of(Story(source="simulation", seed=5, bug="blind-409"))
    assert "A bug was planted, which the checkers are to convict: blind-409." in text
    assert "A bug was planted" not in page_of(Story(source="simulation", seed=5))


def verdict(page):
    (badge,) = page.styled("verdict")
    return badge.text


def test_verdicts():
    right = Story().do(1, "register/x", "read", None)
    assert verdict(Drawing.of_page(page_of(right))) == "✓ PASS"
    finding = Finding("every task done", "1 of 2", ["b was not done"])
    assert verdict(Drawing.of_page(page_of(right, findings=[finding]))) == "✗ FAIL"
    assert verdict(Drawing.of_page(page_of(told()))) == "✗ FAIL"
    assert verdict(Drawing.of_page(draw_page(Subject(right.history)))) == "not judged"


def test_findings_are_listed_with_their_violations():
    findings = [
        Finding("all claimed", "4 of 4"),
        Finding("run once", "4 run", [f"task-{number} was run twice" for number in range(30)]),
    ]
    text = page_of(Story(), findings=findings)
    assert "all claimed" in text
    assert "task-4 was run twice" in text
    assert "… and 25 more of these" in text


def test_the_offending_operations_are_marked(tmp_path):
    history = told(**ABOUT).history
    assert write_page(tmp_path / "page.html", history).is_convicted
    page = Drawing.of_page((tmp_path / "page.html").read_text())
    marked = [call.find("{*}title").text for call in page.styled("wrong-call")]
    assert [text[: text.index("(")] for text in marked] == ["w2: claim", "x: claim"]
    assert "conditional create" in (tmp_path / "page.html").read_text()


def events(count):
    """Leases, claims and counters of 64 workers, with faults and freezes."""
    total, token, now = 0, 0, 0.0
    for number in range(count // 5):
        actor, now = f"w{number * 7 % 64}", now + 0.01
        match number % 4:
            case 0:
                token += 1
                fields = {"object": "lease/work", "token": token}
                yield Event(actor, "acquired", now, {**fields, "until": now + 2})
                yield Event(actor, "renewed", now + 0.001, {**fields, "until": now + 2})
                yield Event(actor, "fault", now + 0.002, {"kind": "lost", "verb": "PUT"})
                yield Event(actor, "request", now + 0.003, {"verb": "PUT", "status": "no answer"})
                yield Event(actor, "released", now + 0.004, fields)
            case 1 | 2:
                total += 1
                fields = {"id": number, "object": "counter/c", "op": "add", "args": {"n": 1}}
                yield Event(actor, "call", now, fields)
                yield Event(actor, "request", now, {"verb": "GET", "status": 200})
                yield Event(actor, "request", now, {"verb": "PUT", "status": 412})
                yield Event(actor, "request", now, {"verb": "PUT", "status": 200})
                yield Event(actor, "return", now + 0.005, {"id": number, "value": total})
            case _:
                name = f"claim/tasks/{number // 8}"
                fields = {"id": number, "object": name, "op": "claim", "args": {}}
                yield Event(actor, "call", now, fields)
                yield Event(actor, "paused", now)
                yield Event(actor, "resumed", now + 0.001)
                yield Event(actor, "request", now + 0.002, {"verb": "PUT", "status": 200})
                is_won = number % 8 == 3
                yield Event(actor, "return", now + 0.003, {"id": number, "value": is_won})


def test_a_hundred_thousand_events_make_a_small_page_in_a_few_seconds():
    history = history_of(events(100_000), scenario="big", seed=1)
    assert len(history) == 100_001
    began = time.process_time()
    text = draw_page(Subject(history))
    assert time.process_time() - began < 15
    assert len(text) < 4_000_000
    assert Drawing.of_page(text).styled("bar")


def test_stragglers_do_not_squeeze_the_pictures():
    story = Story()
    for number in range(40):
        story.do(number, "register/x", "read", None)
    story.do("late", "register/x", "read", None, by="observer").now = 5000.0
    story.do("last", "register/x", "read", None, by="observer")
    subject = Subject(story.history)
    assert (subject.window.start, subject.window.end) == (1.0, 82.0)
    assert [*subject.stragglers] == [5001.0, 5002.0]
    assert "(Then 2 events more, the last after 1 h 23 min.)" in draw_page(subject)


def test_silences_in_the_midst_are_shown():
    story = Story().do(1, "register/x", "read", None)
    story.now = 100.0
    for number in range(2, 9):
        story.do(number, "register/x", "read", None)
    assert Subject(story.history).window.end == 114.0
