"""No two writes of a key leave the same etag, and one etag means one value."""

from __future__ import annotations

from scenarios.checks.etags import check_etags
from tests.scenarios.checks.story import Story

ITEM = "item/x"


def result(actual, resulting, **value):
    return {"satisfied": True, "actual": actual, "resulting": resulting, **value}


def found(story):
    return [each.operations for each in check_etags(story.history)]


def test_etags_of_different_writes_and_keys_are_good():
    story = Story().do(1, ITEM, "set_item_if", result(None, "e1", value=1))
    story.do(2, ITEM, "get_item_if", result("e1", "e1", value=1))
    story.do(3, ITEM, "discard_if", result("e1", None)).do(
        4, ITEM, "discard_if", result("e2", None)
    )
    assert found(story.do(5, "item/y", "set_item_if", result(None, "e1", value=2))) == []


def test_an_etag_given_to_two_writes_is_named():
    story = Story().do(1, ITEM, "set_item_if", result(None, "e1"))
    story.do(2, ITEM, "set_item_if", result("e1", "e2")).call(3, ITEM, "set_item_if").fail(3)
    assert found(story.do(4, ITEM, "set_item_if", result("e2", "e1"))) == [(4, 1)]


def test_an_etag_with_two_values_is_named():
    story = Story().do(1, ITEM, "get_item_if", result("e1", "e1", value=1))
    assert found(story.do(2, ITEM, "get_item_if", result("e1", "e1", value=2))) == [(2, 1)]
