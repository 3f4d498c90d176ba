"""The audit of an election: what it asks beyond what it asks of any lease."""

from __future__ import annotations

import pytest

from scenarios.election.audit import NAME, audit
from tests.scenarios.lease_history import WAIT, LeaseHistory


class ElectionHistory(LeaseHistory):
    """Every leader asks who leads; w1 and w3 observe."""

    def acquire(self, worker, token):
        super().acquire(worker, token)
        self.call(worker, NAME, "leader", self.announced(worker), token=token)

    def live(self):
        super().live()
        for value in ("w1, 1", "w2, 3", "w3, 8"):
            self.log("w1", "observed", object=NAME, value=value)
        for value in ("w3, 5", "w1, 10"):
            self.log("w3", "observed", object=NAME, value=value)


@pytest.fixture
def history():
    return ElectionHistory(NAME)


def violations(history, **changed):
    return list(audit(history.evidence(**changed)).violations)


def test_a_right_history_passes(history):
    judged = audit(history.evidence())
    assert list(judged.violations) == []
    assert (judged.figures["done"], judged.figures["tenures"]) == (4, 6)
    assert judged.figures["terms_observed"] == 5


def test_two_leaders_of_one_term(history):
    history.change("w3", "acquired", 0, token=3)
    assert "w3 acquired token 3 after w2 had acquired 3" in violations(history)


def test_two_leaders_at_once(history):
    history.change("w2", "renewed", until=history.killed_at + WAIT + 0.1)
    assert any("while it was held by w2" in text for text in violations(history))


def test_a_leader_that_is_told_of_another(history):
    own = next(event for event in history.logs["w3"] if event.fields.get("value") == "w3, 5")
    history.logs["w3"].remove(own)
    history.add("w3", "return", at=own.at, id=own["id"], value="w2, 3")
    assert violations(history) == ["w3 led term 5 as 'w3, 5', and the leader was 'w2, 3'"]


def test_a_leader_that_is_told_of_another_when_it_leads_no_more(history):
    history.call("w3", NAME, "leader", "w1, 10", token=8)
    assert violations(history) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("w3, 5", "w3 was told of term 5 after term 10"),
        ("w1, 10", "w3 was told of term 10 after term 10"),
        ("w9, 99", "w3 was told of a leader that nobody was: 'w9, 99'"),
        (None, "w3 was told of a leader that nobody was: None"),
    ],
)
def test_an_observer_that_is_told_wrong(history, value, text):
    history.log("w3", "observed", object=NAME, value=value)
    assert violations(history) == [text]


def test_an_observer_that_is_never_told_anything(history):
    history.drop("w3", "observed")
    history.drop("w3", "observed")
    assert violations(history) == ["w3 was never told of a leader"]


def test_a_thawed_leader_that_is_not_told_of_its_loss(history):
    history.drop_call("w1", "check", 1)
    assert "w1 was not told, when it went on, that it had lost token 7" in violations(history)


def test_a_decision_that_was_lost_and_a_record_that_does_not_agree(history):
    del history.ledgers["ledger-1"]
    history.body["token"] = 3
    texts = violations(history)
    assert "ledger-1 has lost c by w3 under token 8" in texts
    assert "the record shows token 3, and the last was 10" in texts
