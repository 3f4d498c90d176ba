"""A task is won by one, begun once, and its result is committed once."""

from __future__ import annotations

from scenarios.checks.at_most_once import check_at_most_once
from tests.scenarios.checks.story import Story

TASK = "claim/frames/1"
AGAIN = "reclaim/frames/1"
SETUP = "once/setup"


def found(story):
    return [(each.text, each.operations) for each in check_at_most_once(story.history)]


def won():
    return Story().do(1, TASK, "claim", True).do(2, TASK, "claim", False, by="w2")


def test_won_begun_and_completed_once_is_good():
    assert found(won().tell("w1", "began", object=TASK).do(3, TASK, "complete", result=1)) == []


def test_a_task_won_twice_is_named():
    assert found(won().do(3, TASK, "claim", True, by="w3")) == [("won twice: by w1 and w3", (3, 1))]


def test_a_task_begun_twice_is_named():
    story = won().tell("w1", "began", object=TASK).tell("w1", "began", object=TASK)
    assert found(story) == [("begun twice: by w1 and w1", ())]


def test_a_task_begun_by_who_has_not_won_it_is_named():
    text = "begun by w2, which had not been told that it had won it"
    assert found(won().tell("w2", "began", object=TASK)) == [(text, (2,))]
    unknown = Story().call(1, TASK, "claim", by="w2").lose(1).tell("w2", "began", object=TASK)
    assert found(unknown) == [(text, (1,))]
    early = Story().call(1, TASK, "claim", by="w2").tell("w2", "began", object=TASK).end(1, True)
    assert found(early) == [(text, (1,))]


def test_who_runs_tasks_without_claiming_them_itself_begins_them_once():
    assert found(Story().tell("w1", "began", object=TASK)) == []
    assert (
        len(found(Story().tell("w1", "began", object=TASK).tell("w2", "began", object=TASK))) == 1
    )


def test_two_committed_results_are_named():
    story = won().do(3, TASK, "complete", result=1).do(4, TASK, "complete", by="w2", result=2)
    assert found(story) == [
        ("completed twice: by w1 and w2", (4, 3)),
        ("completed by w2, which had not won it", (4, 2)),
    ]


def test_who_is_not_sure_may_commit_again():
    story = won().do(3, TASK, "complete", token=1, result=1)
    assert found(story.do(4, TASK, "complete", token=1, result=1)) == []


def test_what_may_be_claimed_again_is_committed_once():
    story = Story().do(1, AGAIN, "claim", True).tell("w1", "began", object=AGAIN)
    story.do(2, AGAIN, "claim", True, by="w2").tell("w2", "began", object=AGAIN)
    story.call(3, AGAIN, "complete", token=1, result=1).fail(3, "LeaseLost")
    story.do(4, AGAIN, "complete", by="w2", token=2, result=1)
    assert found(story) == []
    story.do(5, AGAIN, "complete", token=1, result=1)
    assert found(story) == [("completed twice: by w2 and w1", (5, 4))]


def test_what_runs_once_runs_once_and_has_one_result():
    story = Story().call(1, SETUP, "call").tell("w1", "began", object=SETUP).end(1, "a")
    assert found(story.do(2, SETUP, "call", "a", by="w2")) == []
    assert found(story.do(3, SETUP, "call", "b", by="w2")) == [
        ("w1 and w2 were given different results", (3, 1))
    ]
    assert len(found(story.tell("w2", "began", object=SETUP))) == 2


def test_who_was_not_told_that_it_had_won_begins_nothing():
    story = Story().do(1, AGAIN, "claim", False).tell("w1", "began", object=AGAIN)
    assert found(story) == [("begun by w1, which had not been told that it had won it", (1,))]


def test_who_had_not_won_completes_nothing():
    story = Story().do(1, AGAIN, "claim", True).do(2, AGAIN, "claim", False, by="w2")
    story.do(3, AGAIN, "complete", by="w2", token=1)
    assert found(story) == [("completed by w2, which had not won it", (3, 2))]
    unsure = Story().call(1, AGAIN, "claim").lose(1).do(2, AGAIN, "complete", token=1)
    assert found(unsure) == []


def test_what_is_done_is_not_won_again():
    story = Story().do(1, AGAIN, "claim", True).call(2, AGAIN, "complete", token=1)
    story.do(3, AGAIN, "claim", True, by="w2").end(2)
    assert found(story) == []
    story.do(4, AGAIN, "claim", True, by="w3")
    assert found(story) == [("won by w3 after w1 had completed it", (4, 2))]


def test_one_token_has_one_result():
    story = Story().do(1, AGAIN, "claim", True).do(2, AGAIN, "complete", token=1, result=1)
    assert found(story.do(3, AGAIN, "complete", token=1, result=1)) == []
    story.do(4, AGAIN, "complete", token=1, result=True)
    assert found(story) == [("completed twice: by w1 and w1", (4, 2))]


def test_true_is_another_result_than_one_and_a_status_is_none():
    story = Story().do(1, SETUP, "call", 1).do(2, SETUP, "status", "done")
    assert found(story) == []
    assert len(found(story.do(3, SETUP, "call", True))) == 1
