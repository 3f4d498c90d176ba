"""Operations on one object took effect one after the other, each in its time, or they are named."""

from __future__ import annotations

import pytest

from scenarios.checks.item_model import Item, Unseen
from scenarios.checks.linearizability import check_linearizability
from scenarios.checks.model import IMPOSSIBLE
from scenarios.checks.models import Claim, Counter, Fenced, Register
from tests.scenarios.checks.story import Story

X = "register/x"
HITS = "counter/hits"
TASK = "claim/frames/1"
ITEM = "item/x"
KEY = "fenced/d/k"


def convicted(story):
    """The operations of the only violation."""
    (violation,) = check_linearizability(story.history)
    assert violation.check == "linearizable"
    return violation.operations


def is_good(story):
    return check_linearizability(story.history) == []


def test_a_read_of_what_was_overwritten_is_named_with_what_overwrote_it():
    story = Story().do(1, X, "write", value="old").do(2, X, "write", value="new")
    story.do(3, X, "read", "old").do(4, X, "read", "new")
    (violation,) = check_linearizability(story.history)
    assert violation.operations == (3, 2)
    assert violation.object == X
    assert violation.at == 6.0
    assert violation.text == (
        'w1\'s read() was answered "old", and no order explains it: '
        'in one that explains all answers before it, the value is "new"'
    )


@pytest.mark.parametrize(
    ("model", "state", "words"),
    [
        (Register(), '"new"', 'the value is "new"'),
        (Register(), f"[{'7' * 119}]", f"the value is [{'7' * 59}…{'7' * 59}]"),
        (Counter(), 7, "the total is 7"),
        (Claim(), ("", False, False), "the task is nobody's"),
        (Claim(), ("w2", True, False), "the task is w2's"),
        (Claim(), ("w2", False, False), "the task is w2's, who was not told so"),
        (Claim(), ("w2", True, True), "the task is w2's, who has ended it"),
        (Fenced(), (3, "0"), "the value is 0, under token 3"),
        (Item(), (None, ""), "it is absent"),
        (Item(), ("e1", "0"), "it has etag e1 and the value 0"),
        (Item(), (Unseen(1), "0"), "it has an etag that nobody was told and the value 0"),
    ],
)
def test_what_an_order_ends_in_is_told_in_words(model, state, words):
    assert model.told(state) == words


def test_operations_at_the_same_time_may_take_effect_in_either_order():
    story = Story().do(1, X, "write", value="old").call(2, X, "write", value="new")
    story.do(3, X, "read", "new", by="w2").end(2)
    assert is_good(story)
    story.do(4, X, "read", "old", by="w2")
    assert convicted(story) == (4, 2)


def test_what_was_read_by_one_is_not_unread_by_another():
    story = Story().call(1, X, "write", value="new")
    story.do(2, X, "read", "new", by="w2").do(3, X, "read", None, by="w3").end(1)
    assert convicted(story) == (3, 1)


def test_an_unknown_write_may_take_effect_at_any_later_time():
    story = Story().call(1, X, "write", value="late").lose(1)
    story.do(2, X, "read", None).do(3, X, "write", value="between")
    story.do(4, X, "read", "between").do(5, X, "read", "late")
    assert is_good(story)


def test_an_unknown_write_takes_effect_once():
    story = Story().call(1, X, "write", value="late").lose(1)
    story.do(2, X, "read", "late").do(3, X, "write", value="b").do(4, X, "read", "late")
    assert convicted(story) == (4, 3)


def test_an_unknown_write_does_not_take_effect_before_its_call():
    story = Story().do(1, X, "read", "late").call(2, X, "write", value="late").lose(2)
    assert convicted(story) == (1,)


def test_a_failed_write_does_not_take_effect():
    story = Story().call(1, X, "write", value="no").fail(1).do(2, X, "read", "no")
    assert convicted(story) == (2,)


def test_a_call_that_never_ends_may_take_effect():
    story = Story().call(1, X, "write", value="new", by="w2").do(2, X, "read", "new")
    assert is_good(story)


@pytest.mark.parametrize(
    ("answers", "good"),
    [((True, False), True), ((True, True), False), ((False, False), False)],
)
def test_of_two_swaps_from_one_value_one_wins(answers, good):
    story = Story()
    for number, answer in enumerate(answers):
        story.do(number, X, "cas", answer, expected=None, value=f"v{number}")
    assert is_good(story) is good


def test_two_updates_that_replaced_the_same_value_have_lost_one():
    story = Story().call(1, X, "update", value=1).call(2, X, "update", value=2, by="w2")
    story.end(1, None).end(2, None)
    assert convicted(story) == (2, 1)


@pytest.mark.parametrize(
    ("op", "answer", "args"),
    [("read", None, {}), ("cas", False, {"expected": 1, "value": 2})],
)
def test_which_unknown_operations_were_spent_makes_a_difference(op, answer, args):
    story = Story().call("w", X, "write", value=None, by="w3").lose("w")
    story.call("a", X, "write", value=1).call("b", X, "update", value=1, by="w2")
    story.end("a").end("b", None)
    # First a, then w, then b leaves nothing that could explain this; b, a, w does.
    story.do("c", X, op, answer, **args)
    for number in range(9):
        story.do(number, X, "write", value=number)
    assert is_good(story)


def test_true_is_not_one():
    assert convicted(Story().do(1, X, "write", value=1).do(2, X, "read", True)) == (2, 1)


def test_additions_count_once_each():
    story = Story().do(1, HITS, "add", 2, n=2).call(2, HITS, "add", n=3).lose(2)
    story.do(3, HITS, "value", 2).do(4, HITS, "value", 5)
    assert is_good(story)
    assert convicted(story.do(5, HITS, "add", 9, n=1)) == (5, 2)


def test_a_reset_and_a_swap_of_a_counter():
    story = Story().do(1, HITS, "add", 2, n=2).do(2, HITS, "reset", 2, to=7)
    story.do(3, HITS, "compare_and_set", True, expected=7, new=1)
    story.do(4, HITS, "compare_and_set", False, expected=7, new=1)
    assert is_good(story.do(5, HITS, "value", 1))
    assert convicted(story.do(6, HITS, "reset", 7, to=0)) == (6, 3)


def test_a_task_is_won_once():
    story = Story().do(1, TASK, "claim", True).do(2, TASK, "claim", False, by="w2")
    assert is_good(story)
    assert convicted(story.do(3, TASK, "claim", True, by="w3"))[0] == 3


def test_nobody_loses_a_task_that_nobody_has():
    assert convicted(Story().do(1, TASK, "claim", False)) == (1,)


def test_who_was_not_told_that_it_won_is_told_when_it_asks_again():
    story = Story().call(1, TASK, "claim").lose(1).do(2, TASK, "claim", False, by="w2")
    assert is_good(story.do(3, TASK, "claim", True))
    assert convicted(story.do(4, TASK, "claim", True))[0] == 4


def test_nobody_is_told_again_what_another_thread_of_his_may_be_told_yet():
    story = Story().call(1, TASK, "claim").do(2, TASK, "claim", False)
    assert is_good(story)
    story.lose(1)
    assert is_good(story)
    assert convicted(story.do(3, TASK, "claim", False))[0] == 3
    overlapping = Story().call(1, TASK, "claim").call(2, TASK, "claim").lose(1).end(2, False)
    assert is_good(overlapping)


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_only_the_owner_completes_a_task_and_once(end):
    story = Story().do(1, TASK, "claim", True).do(2, TASK, end, result=1)
    assert is_good(story)
    again = Story().do(1, TASK, "claim", True).do(2, TASK, "complete", by="w2", result=1)
    assert convicted(again) == (2, 1)
    assert convicted(story.do(3, TASK, "complete", result=1)) == (3, 2)


def test_a_stale_token_writes_nothing_and_is_refused_with_reason():
    story = Story().call(1, KEY, "write", token=2, value="b").end(1, value=True)
    story.call(2, KEY, "write", token=1, value="a").fail(2, "StaleTokenError")
    story.do(3, KEY, "read", "b")
    assert is_good(story)
    story.call(4, KEY, "write", token=1, value="a").end(4, value=True)
    assert convicted(story) == (4, 1)


def test_a_token_is_not_refused_while_none_is_higher():
    story = Story().call(1, KEY, "write", token=1, value="a").fail(1, "StaleTokenError")
    assert convicted(story) == (1,)


def test_a_refusal_is_named_where_it_was_told():
    story = Story().call(1, KEY, "write", token=1, value="a").do(2, KEY, "read", None, by="w2")
    assert convicted(story.fail(1, "StaleTokenError")) == (1,)


def answer(actual, resulting, *, satisfied=True, **value):
    return {"satisfied": satisfied, "actual": actual, "resulting": resulting, **value}


def test_an_etag_that_was_issued_is_not_that_of_an_unknown_write():
    (get,) = item(Story(), 1, "get_item_if", answer("e1", "e1"), expected="e1").history.operations
    for issued, after in (({"e1"}, IMPOSSIBLE), ({"e2"}, ("e1", "5"))):
        model = Item(frozenset(issued))
        assert model.step((Unseen(7), "5"), model.action(get, get.value)) == after


def item(story, identity, op, result, *, expected=None, condition="same", by="w1", **args):
    args = {"expected": expected, "condition": condition, **args}
    story.tell(by, "call", id=identity, object=ITEM, op=op, args=args)
    return story if result is None else story.end(identity, result)


def test_conditional_operations_on_an_item():
    story = Story()
    item(story, 1, "setdefault_if", answer(None, "e1"), value="a")
    item(story, 2, "set_item_if", answer("e1", "e2"), expected="e1", value="b")
    item(story, 3, "set_item_if", answer("e2", "e2", satisfied=False), expected="e1", value="c")
    item(story, 4, "get_item_if", answer("e2", "e2", value="b"), condition="any")
    item(story, 5, "setdefault_if", answer("e2", "e2", value="b"), expected="e2", value="d")
    item(story, 6, "discard_if", answer("e2", None), expected="e1", condition="changed")
    item(story, 7, "get_item_if", answer(None, None), expected=None)
    assert is_good(story)


@pytest.mark.parametrize(
    ("op", "result", "args"),
    [
        ("get_item_if", answer("e1", "e1", value="b"), {"expected": "e1"}),
        ("get_item_if", answer("e1", "e1", satisfied=False), {"expected": "e1"}),
        ("get_item_if", answer(None, None), {}),
        ("get_item_if", answer("e1", "e2"), {"expected": "e1"}),
        ("set_item_if", answer("e1", "e2"), {"value": "b"}),
        ("set_item_if", answer("e1", "e1"), {"value": "b", "expected": "e1"}),
        ("set_item_if", answer("e1", "e2", value="a"), {"value": "b", "expected": "e1"}),
        ("setdefault_if", answer("e1", "e2"), {"value": "b", "expected": "e1"}),
        ("discard_if", answer("e1", "e1"), {"expected": "e1"}),
        ("discard_if", answer("e1", None, satisfied=False), {}),
    ],
)
def test_an_answer_that_an_item_cannot_give(op, result, args):
    story = item(Story(), 1, "set_item_if", answer(None, "e1"), value="a")
    assert convicted(item(story, 2, op, result, **args)) == (2, 1)


def test_the_etag_of_an_unknown_write_is_whatever_is_seen_of_it():
    story = item(Story(), 1, "set_item_if", None, value="a").lose(1)
    item(story, 2, "get_item_if", answer(None, None))
    item(story, 3, "get_item_if", answer("e7", "e7", satisfied=False, value="a"))
    item(story, 4, "set_item_if", answer("e7", "e8"), expected="e7", value="b")
    assert is_good(story)
    item(story, 5, "get_item_if", answer("e7", "e7", value="a"), expected="e7")
    assert convicted(story) == (5, 4)


def test_the_etag_of_an_unknown_write_may_be_known_from_elsewhere():
    story = item(Story(), 1, "set_item_if", None, value="a").lose(1)
    item(story, 2, "set_item_if", None, expected="e7", value="b").lose(2)
    assert is_good(item(story, 3, "get_item_if", answer("e8", "e8", value="b"), condition="any"))
    item(story, 4, "set_item_if", None, expected="e8", value="c").lose(4)
    item(story, 5, "get_item_if", answer("e9", "e9", value="c"), condition="any")
    assert is_good(story)


def test_the_etag_of_an_unknown_write_is_not_one_that_another_was_given():
    story = item(Story(), 1, "set_item_if", answer(None, "e1"), value="a")
    item(story, 2, "set_item_if", None, condition="any", value="a").lose(2)
    item(story, 3, "discard_if", answer("e1", None), expected="e1")
    item(story, 4, "get_item_if", answer("e1", "e1", value="a"), expected="e1")
    assert convicted(story) == (4, 3)


def test_each_object_is_on_its_own():
    story = Story().do(1, X, "write", value=1).do(2, "register/y", "read", None)
    story.do(3, "lease/z", "try_acquire", 1)
    assert is_good(story)


def test_what_is_under_way_may_make_a_total_fall():
    story = Story().do(1, HITS, "add", 5, n=5).call(2, HITS, "add", by="w2", n=-3)
    story.call(3, HITS, "add", by="w3", n=-4).do(4, HITS, "value", -2).end(2, 2).end(3, -2)
    assert is_good(story)
    assert convicted(story.do(5, HITS, "value", 9)) == (5, 3)


def test_unknown_additions_may_make_a_total_fall():
    story = Story().do(1, HITS, "add", 5, n=5)
    story.call(2, HITS, "add", n=-3).lose(2).call(3, HITS, "add", n=-4).lose(3)
    assert is_good(story.do(4, HITS, "value", -2))


def test_an_etag_may_be_seen_before_its_writer_is_told():
    story = item(Story(), 1, "set_item_if", None, value="a", by="w2")
    item(story, 2, "get_item_if", answer("e1", "e1", value="a"), condition="any")
    story.end(1, answer(None, "e1"))
    assert is_good(story)
    item(story, 3, "get_item_if", answer("e2", "e2"), condition="any")
    assert convicted(story) == (3, 1)


def test_where_it_cannot_be_decided_which_answer_is_wrong_the_last_is_named():
    story = Story()
    for number in range(12):
        story.call(number, HITS, "add", n=2**number)
    story.do("early", HITS, "value", 2**11 - 1)
    for number in range(12):
        story.end(number, 2 ** (number + 1) - 1)
    story.do("last", HITS, "value", 7)
    (violation,) = check_linearizability(story.history, budget=40)
    assert violation.operations[0] == "last"


def test_what_cannot_be_decided_is_said_and_not_passed():
    story = Story()
    for number in range(12):
        story.call(f"u{number}", HITS, "add", n=2**number).lose(f"u{number}")
    story.do("read", HITS, "value", 2**12)
    assert convicted(story) == ("read",)
    (violation,) = check_linearizability(story.history, budget=100)
    assert violation.text == (
        "not decided: in 100 steps neither an order of its 13 operations was found nor that there "
        "is none"
    )
