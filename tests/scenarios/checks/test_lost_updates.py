"""What was acknowledged is in the total, and in the value that follows it."""

from __future__ import annotations

import pytest

from scenarios.checks.lost_updates import check_lost_updates
from tests.scenarios.checks.story import Story

HITS = "counter/hits"
X = "register/x"


def found(story):
    return [each.operations for each in check_lost_updates(story.history)]


def counted(total, *, unknown=()):
    """Additions of 2 and 3 that were acknowledged, one of 9 that failed, some unknown ones."""
    story = Story().do(1, HITS, "add", 2, n=2).call(2, HITS, "add", n=9).fail(2)
    for n in unknown:
        story.call(f"u{n}", HITS, "add", n=n).lose(f"u{n}")
    return story.do(3, HITS, "add", 5, n=3).do("read", HITS, "value", total)


@pytest.mark.parametrize(
    ("total", "unknown", "good"),
    [
        (5, (), True),
        (4, (), False),
        (6, (), False),
        (14, (), False),
        (5, (4,), True),
        (9, (4,), True),
        (8, (4,), False),
        (10, (4, 2, -1), True),
        (4, (4, 2, -1), True),
        (9, (4, 2, -1), True),
        (7, (4, -1), False),
        (3, (4, 2, -1), False),
        (12, (4, 2, -1), False),
        (13, (4, 2, -1), False),
    ],
)
def test_the_total_is_what_was_acknowledged_and_some_of_what_is_unknown(total, unknown, good):
    assert found(counted(total, unknown=unknown)) == ([] if good else [("read",)])


def test_a_total_that_an_audit_observed_counts():
    story = counted(5).tell("audit", "observed", object=HITS, value=5)
    assert found(story) == []
    (violation,) = check_lost_updates(story.tell("audit", "observed", object=HITS, value=6).history)
    assert "the total is 6, but what was acknowledged adds up to 5 (2 additions)" in violation.text


def test_a_total_read_while_others_add_says_nothing():
    story = Story().call(1, HITS, "add", n=2).do(2, HITS, "value", 0).end(1, 2)
    assert found(story) == []


def test_sums_of_large_numbers_are_compared_with_their_bounds():
    large = 10**15
    assert found(counted(5 + large, unknown=(large,))) == []
    assert found(counted(6 + large, unknown=(large,))) == [("read",)]


def test_a_counter_that_was_set_is_left_to_linearizability():
    assert found(counted(7).do(4, HITS, "reset", 7, to=99).do(5, HITS, "value", 99)) == []


def test_a_reset_that_failed_has_set_nothing():
    story = counted(7).call("reset", HITS, "reset", to=0).fail("reset")
    assert found(story) == [("read",)]


def test_a_total_that_two_additions_were_told_is_named():
    story = Story().do(1, HITS, "add", 2, n=2).do(2, HITS, "add", 2, n=2, by="w2")
    assert found(story) == [(2, 1)]


def test_a_total_comes_back_where_something_is_subtracted():
    story = Story().do(1, HITS, "add", 1, n=1).do(2, HITS, "add", 0, n=-1)
    assert found(story.do(3, HITS, "add", 1, n=1)) == []


@pytest.mark.parametrize("op", ["update", "cas"])
def test_a_value_that_two_updates_replaced_is_named(op):
    def replace(story, identity, before, after):
        if op == "update":
            return story.do(identity, X, "update", before, value=after)
        return story.do(identity, X, "cas", True, expected=before, value=after)

    story = replace(replace(Story(), 1, None, "a"), 2, "a", "b")
    assert found(story) == []
    assert found(replace(story, 3, "a", "c")) == [(3, 2)]
    assert found(replace(replace(Story(), 1, None, "a"), 2, None, "b")) == [(2, 1)]


def test_a_value_that_was_written_again_may_be_replaced_again():
    story = Story().do(1, X, "update", None, value="a").do(2, X, "update", "a", value="b")
    story.call(3, X, "write", value="a").lose(3)
    assert found(story.do(4, X, "update", "a", value="c")) == []


def test_what_failed_or_is_unknown_has_replaced_nothing():
    story = (
        Story().do(1, X, "update", None, value="a").do(2, X, "cas", False, expected=None, value=1)
    )
    assert found(story.call(3, X, "cas", expected=None, value=2).lose(3)) == []
