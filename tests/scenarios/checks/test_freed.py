"""What was freed under a token is not held under it again."""

from __future__ import annotations

import pytest

from scenarios.checks.freed import check_freed
from tests.scenarios.checks.story import Story

X = "lease/x"
S = "semaphore/s"


def freed(op="break", of=X):
    return Story().do("free", of, op, True, by="operator", token=1)


def found(story):
    return [(each.operations, each.tokens) for each in check_freed(story.history)]


@pytest.mark.parametrize("op", ["break", "release"])
def test_who_looks_later_does_not_find_it_held(op):
    assert found(freed(op).do(2, X, "holder", None).do(3, X, "holder", 2)) == []
    assert found(freed(op).do(2, X, "holder", 1)) == [((2, "free"), (1,))]
    assert found(freed(op, of=S).do(2, S, "holders", [1, 2])) == [((2, "free"), (1,))]
    assert found(freed(op, of=S).do(2, X, "holder", 1)) == []


@pytest.mark.parametrize("op", ["renew", "release", "break"])
def test_it_is_neither_renewed_nor_freed_again(op):
    assert found(freed().do(2, X, op, True, token=1)) == [((2, "free"), (1,))]
    assert found(freed().do(2, X, op, False, token=1).do(3, X, op, True, token=2)) == []
    assert found(freed().call(2, X, op, token=1).fail(2, "LeaseLost")) == []


def test_what_began_before_may_have_found_it_held():
    story = Story().call(1, X, "holder", by="w2").do("free", X, "break", True, token=1)
    assert found(story.end(1, 1)) == []


def test_what_is_not_certainly_freed_may_be_held():
    for answer in (False, None):
        assert found(Story().do(1, X, "break", answer, token=1).do(2, X, "holder", 1)) == []
    assert found(Story().call(1, X, "break", token=1).lose(1).do(2, X, "holder", 1)) == []


def test_one_renewal_may_have_been_under_way():
    story = freed().tell("w1", "renewed", object=X, token=1)
    assert found(story) == []
    story.tell("w1", "renewed", object=X, token=1)
    assert found(story) == [(("free",), (1,))]
    assert found(story.tell("w1", "renewed", object=X, token=1)) == [(("free",), (1,))]


def test_renewals_before_do_not_count():
    story = Story().tell("w1", "renewed", object=X, token=1)
    story.call("free", X, "break", by="operator", token=1)
    story.tell("w1", "renewed", object=X, token=1).end("free", True)
    assert found(story.tell("w1", "renewed", object=X, token=1)) == []


def test_the_violation_says_who_and_what():
    (violation,) = check_freed(freed().do(2, X, "holder", 1, by="w2").history)
    assert violation.object == X
    assert violation.text == (
        "holder, called by w2, found it held under token 1, after break by operator had freed it"
    )


def test_it_is_freed_by_who_was_told_first():
    story = Story().call("slow", X, "release", token=1)
    story.do("free", X, "break", True, by="operator", token=1).do(2, X, "holder", 1)
    assert found(story.end("slow", True)) == [((2, "free"), (1,))]


def test_what_others_call_release_frees_nothing():
    story = Story().do(1, "file/x", "release", True, token=1).do(2, "file/x", "holder", 1)
    assert found(story) == []
