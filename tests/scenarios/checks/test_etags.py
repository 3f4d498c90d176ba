"""No two writes of a key leave the same etag, and one etag means one value."""

from __future__ import annotations

from scenarios.checks.etags import check_etags
from tests.scenarios.checks.story import Story

ITEM = "item/x"


def result(actual, resulting, **value):
    return {"satisfied": True, "actual": actual, "resulting": resulting, **value}


def do(story, identity, op, answer, *, of=ITEM):
    return story.do(identity, of, op, answer, condition="any", expected=None, value=1)


def found(story):
    return [each.operations for each in check_etags(story.history)]


def test_etags_of_different_writes_and_keys_are_good():
    story = do(Story(), 1, "set_item_if", result(None, "e1", value=1))
    do(story, 2, "get_item_if", result("e1", "e1", value=1))
    do(story, 3, "discard_if", result("e1", None))
    do(story, 4, "discard_if", result("e2", None))
    do(story, 5, "set_item_if", result(None, "e1", value=2), of="item/y")
    assert found(story) == []


def test_an_etag_given_to_two_writes_is_named():
    story = do(Story(), 1, "set_item_if", result(None, "e1"))
    do(story, 2, "set_item_if", result("e1", "e2"))
    story.call(3, ITEM, "set_item_if", condition="any", expected=None, value=1).fail(3)
    assert found(do(story, 4, "set_item_if", result("e2", "e1"))) == [(4, 1)]


def test_an_etag_with_two_values_is_named():
    story = do(Story(), 1, "get_item_if", result("e1", "e1", value=1))
    assert found(do(story, 2, "get_item_if", result("e1", "e1", value=2))) == [(2, 1)]
