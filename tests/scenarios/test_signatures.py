"""Operations are stated as docs/history.md says, or refused; junk in a history is never "right"."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest

from scenarios.checks.all import check_all
from scenarios.history import read_history
from tests.scenarios.checks.story import Story

DOCS = Path(__file__).parents[2] / "docs" / "history.md"
SEEN = {"satisfied": True, "actual": None, "resulting": "e1"}
JUNK = (None, True, -1, 10**400, 1.5, "\ud800", [None], {})


@pytest.mark.parametrize(
    ("object_", "op", "args", "text"),
    [
        ("register/x", "incr", {}, "register has no 'incr'"),
        ("register/x", "write", {}, "write without 'value'"),
        ("counter/x", "add", {"n": 1.5}, "add: n must be a whole number, not 1.5"),
        ("counter/x", "reset", {"to": "7"}, 'reset: to must be a whole number, not "7"'),
        ("lease/x", "check", {}, "check without 'token'"),
        ("lease/x", "release", {"token": True}, "release: token must be a whole number, not true"),
        ("semaphore/x", "acquire", {"permits": 0}, "permits must be a whole number from 1, not 0"),
        ("fenced/x/k", "write", {"token": "7", "value": 0}, "token must be a whole number"),
        ("item/x", "pop", {}, "item has no 'pop'"),
        ("item/x", "get_item_if", {"expected": None}, "get_item_if without 'condition'"),
        (
            "item/x",
            "get_item_if",
            {"condition": "equal", "expected": None},
            "condition must be 'same' or 'changed' or 'any', not \"equal\"",
        ),
    ],
)
def test_a_call_of_another_signature_is_refused(object_, op, args, text):
    with pytest.raises(ValueError, match=r"line 2: ") as refusal:
        assert Story().call(1, object_, op, **args).history
    assert text in str(refusal.value)


@pytest.mark.parametrize(
    ("object_", "op", "value", "args"),
    [
        ("counter/x", "add", True, {"n": 1}),
        ("counter/x", "value", None, {}),
        ("sequence/x", "next", "9", {}),
        ("lease/x", "acquire", "9", {}),
        ("semaphore/x", "holders", [1, None], {}),
        ("claim/x/t", "claim", "yes", {}),
        ("register/x", "cas", 1, {"expected": None, "value": 1}),
        ("item/x", "get_item_if", 5, {"condition": "any", "expected": None}),
        ("item/x", "get_item_if", {**SEEN, "actual": []}, {"condition": "any", "expected": None}),
    ],
)
def test_what_an_operation_cannot_return_is_refused(object_, op, value, args):
    with pytest.raises(ValueError, match=f"line 3: what {op} returned must be "):
        assert Story().do(1, object_, op, value, **args).history


def test_what_no_check_knows_may_be_called_with_anything():
    story = Story().do(1, "queue/x", "add", 5, n="junk").do(2, "once/x", "status", "done")
    assert check_all(story.history).violations == []


def test_every_operation_of_the_documentation_has_a_signature():
    """A call without arguments is refused wherever the documentation names some."""
    rows = re.findall(r"^\| `(\w+)/[^|]*\| (.*) \|$", DOCS.read_text(), re.MULTILINE)
    told = {kind: re.findall(r"`(\w+)` \{(`[^}]*)?\}", text) for kind, text in rows}
    assert sum(map(len, told.values())) >= 20
    for kind, operations in told.items():
        for op, args in operations:
            names = [name for name in re.findall(r"`(\w+)`", args) if name != "result"]
            story = Story().call(1, f"{kind}/x/y", op)
            if names:
                with pytest.raises(ValueError, match=rf"{op} without '{names[0]}'"):
                    assert story.history
            else:
                assert story.history


def rich():
    """A right history with everything in it that checks look at."""
    story = Story(permits={"semaphore/s": 2}, drift=0.05, poll=1.0, allowance=1.0)
    story.do("r1", "register/x", "write", None, value=1)
    story.do("r2", "register/x", "cas", True, expected=1, value=2)
    story.do("r3", "register/x", "update", 2, value=3).do("r4", "register/x", "read", 3)
    story.do("c1", "counter/x", "add", 1, n=1).do("c2", "counter/x", "value", 1)
    story.do("c3", "counter/y", "compare_and_set", True, expected=0, new=4)
    story.do("c4", "counter/y", "reset", 4, to=0).tell(
        "w9", "observed", object="counter/x", value=1
    )
    story.do("t1", "claim/n/t", "claim", True).tell("w1", "began", object="claim/n/t")
    story.do("t2", "claim/n/t", "complete", result=1)
    story.do("t3", "reclaim/n/t", "claim", True).do("t4", "reclaim/n/t", "complete", token=1)
    story.do("o1", "once/x", "call", "a").do("s1", "sequence/x", "next", 1)
    story.do("l1", "lease/x", "acquire", 1).acquire(1, ttl=5.0, until=100.0)
    story.tell("w1", "fault", kind="late", key="x", write=True, until=60.0)
    story.do("l2", "lease/x", "check", True, token=1).do("l3", "lease/x", "renew", True, token=1)
    story.tell("w1", "renewed", object="lease/x", token=1, remaining=50.0)
    story.do("l4", "lease/x", "holder", 1).tell("op", "broken", object="lease/x", token=1)
    story.do("l5", "lease/x", "break", True, by="op", token=1)
    story.tell("w1", "lost", object="lease/x", token=1, reason="stolen")
    story.do("m1", "semaphore/s", "try_acquire", 1, permits=2)
    story.acquire(1, of="semaphore/s", ttl=5.0, permits=2)
    story.do("m2", "semaphore/s", "holders", [1]).do("m3", "semaphore/s", "release", True, token=1)
    story.do("f1", "fenced/x/k", "write", True, token=1, value=5).do("f2", "fenced/x/k", "read", 5)
    story.do("i1", "item/x", "set_item_if", SEEN, condition="same", expected=None, value=1)
    story.tell("w1", "paused", seconds=1.0).tell("w1", "resumed").tell("w1", "crashed")
    story.tell("w1", "restarted", **{"as": "w2"}).tell("w2", "clock-jumped", seconds=5.0)
    return story.call("l6", "lease/x", "acquire", by="w3").tell("w3", "note")


def places(document, *path):
    """The paths to everything in a document that may be replaced."""
    if path:
        yield path
    if isinstance(document, dict | list):
        for key in document if isinstance(document, dict) else range(len(document)):
            yield from places(document[key], *path, key)


def with_junk(document, path, junk):
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return copy


def test_junk_anywhere_in_a_history_is_refused_or_checked(tmp_path):
    lines = [
        {"at": event.at, "actor": event.actor, "event": event.name, **event.fields}
        for event in rich().history
    ]
    assert check_all(rich().history).violations == []
    file = tmp_path / "h.jsonl"
    refused = 0
    for number, line in enumerate(lines):
        for path in places(line):
            for junk in JUNK:
                spoilt = [*lines[:number], with_junk(line, path, junk), *lines[number + 1 :]]
                file.write_text("".join(json.dumps(each) + "\n" for each in spoilt))
                # Anything else than a refusal fails the test.
                with contextlib.suppress(ValueError):
                    check_all(read_history(file))
                    continue
                refused += 1
    assert refused > 1_000
