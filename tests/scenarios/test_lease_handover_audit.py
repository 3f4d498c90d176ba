"""The audit of a lease that is handed over convicts every planted wrong, and nothing right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scenarios.lease_handover.audit import audit
from scenarios.leases.terms import LATEST_TAKEOVER, TERMS, about_takeover
from tests.scenarios.lease_history import WAIT, LeaseHistory


@pytest.fixture
def history():
    return LeaseHistory("lease/work")


def violations(history, **changed):
    return list(audit(history.evidence(**changed)).violations)


def test_a_right_history_passes(history):
    judged = audit(history.evidence())
    assert list(judged.violations) == []
    takeovers = judged.figures.pop("takeover_seconds")
    assert takeovers.keys() == {"after_kill", "after_freeze"}
    assert all(WAIT < seconds < WAIT + 0.1 for seconds in takeovers.values())
    assert judged.figures == {
        "done": 4,
        "tenures": 6,
        "tenures_lost": 2,
        "renewals": 2,
        "last_token": 10,
    }


def test_a_lease_acquired_while_another_holds_it(history):
    history.drop("w1", "released", 0)
    history.drop_call("w1", "release", 0)
    (text,) = violations(history)
    assert text.startswith("w2 acquired token 3 while it was held by w1 under token 1 for another")


@pytest.mark.parametrize("renews", [False, True])
def test_a_holder_that_says_no_more_holds_until_its_deadline(history, renews):
    """The killed one's successor must not come before that either."""
    until = history.killed_at + WAIT + 0.05
    if renews:
        history.change("w2", "renewed", until=until)
    else:
        history.drop("w2", "renewed")
        history.change("w2", "acquired", until=until)
    (text,) = violations(history)
    assert text.startswith("w3 acquired token 5 while it was held by w2 under token 3")


def test_a_renewal_that_is_logged_when_its_time_is_over_is_no_belief(history):
    at = history.continued_at + 0.001
    history.add("w1", "renewed", at=at, token=7, until=history.frozen_at + TERMS.tenure)
    assert violations(history) == []


def test_a_holder_that_is_told_of_its_loss_holds_no_more(history):
    history.change("w2", "renewed", until=history.now + 9.0)
    history.add("w2", "lost", at=history.killed_at + 0.1, token=3, reason="stolen")
    assert violations(history) == []


@pytest.mark.parametrize("token", [1, 3])
def test_a_token_that_does_not_rise(history, token):
    history.change("w3", "acquired", 0, token=token)
    assert f"w3 acquired token {token} after w2 had acquired 3" in violations(history)


def test_a_takeover_that_comes_too_late():
    (killed, frozen) = violations(LeaseHistory("lease/work", wait=LATEST_TAKEOVER))
    late = f"{LATEST_TAKEOVER + 0.03:.2f} s"
    assert killed == f"the takeover came {late} after the kill, later than {about_takeover()}"
    assert frozen == f"the takeover came {late} after the freeze, later than {about_takeover()}"


def test_nobody_takes_over(history):
    course = replace(history.course, killed_at=history.now)
    assert "nobody took over after the kill" in violations(history, course=course)


def test_a_thawed_holder_that_is_not_told_of_its_loss(history):
    history.change("w1", "return", -5, value=True)
    assert "w1 was not told, when it went on, that it had lost token 7" in violations(history)


def test_a_thawed_holder_that_does_not_check(history):
    history.drop_call("w1", "check", 1)
    assert "w1 was not told, when it went on, that it had lost token 7" in violations(history)


def test_a_thawed_holder_that_writes_under_its_stale_token():
    class Writes(LeaseHistory):
        def check(self, worker, *, is_held=True):
            super().check(worker, is_held=is_held)
            if not is_held:
                self.write(worker, "c", "ledger-1")

    texts = violations(Writes("lease/work"))
    assert "w1 went on and wrote register/ledger-1 under token 7" in texts
    assert "c was done twice: by w3 under token 8 and by w1 under token 7" in texts
    assert "ledger-1 has lost c by w1 under token 7" in texts


def test_no_record(history):
    assert violations(history, records={}) == ["the bucket holds no record of the lease"]


def test_a_record_of_another_token(history):
    history.body["token"] = 11
    assert violations(history) == ["the record shows token 11, and the last was 10"]


def test_a_record_that_was_written_once_more_or_less(history):
    for generation in (11, 13):
        history.generation = generation
        (text,) = violations(history)
        assert text.startswith(f"the record is of generation {generation}: since token 10 was")
        assert text.endswith("there should have been 2 writes")


def test_a_record_that_shows_a_holder_after_its_release(history):
    history.body["holder"], history.generation = "w1", 11
    assert violations(history) == ["the record shows w1 as the holder, and w1 has released it"]


def test_a_release_that_the_store_did_not_confirm_may_not_have_been_applied(history):
    history.change("w1", "return", -1, value=False)
    assert violations(history) == []
    history.body["holder"], history.generation = "w1", 11
    assert violations(history) == []


def test_a_task_that_was_not_done(history):
    assert violations(history, tasks="abcde") == ["e is in no ledger"]


def test_a_task_done_twice(history):
    history.acquire("w3", 13)
    history.do("w3", "d", "ledger-1")
    texts = violations(history)
    assert "d was done twice: by w1 under token 10 and by w3 under token 13" in texts
    assert "d is written down twice: by w1 under token 10 and by w3 under token 13" in texts


def test_an_acknowledged_line_that_was_lost(history):
    del history.ledgers["ledger-1"][0]
    assert violations(history) == ["ledger-1 has lost c by w3 under token 8", "c is in no ledger"]


def test_a_line_that_nobody_wrote(history):
    history.ledgers["ledger-1"].append(history.line("w3", "e"))
    texts = violations(history, tasks="abcde")
    assert "the ledgers show e by w3 under token 8, which nobody wrote" in texts


@pytest.mark.parametrize("outcome", [None, "unknown"])
def test_a_line_whose_write_nobody_knows_the_outcome_of_may_be_there_or_not(history, outcome):
    name = history.begin_write("w3", "e", "ledger-1")
    if outcome is not None:
        history.log("w3", outcome, id=name, error="OutcomeUnknownError")
    assert violations(history) == []
    history.ledgers["ledger-1"].insert(1, history.line("w3", "e"))
    assert violations(history, tasks="abcde") == []


def test_a_line_after_one_of_a_later_token(history):
    history.ledgers["ledger-1"].reverse()
    assert violations(history) == [
        "ledger-1: c by w3 under token 8 stands after d by w1 under token 10"
    ]


@pytest.mark.parametrize("value", [None, "x", [1], [{"task": "a"}], [{"task": [], "worker": "w1"}]])
def test_a_ledger_that_is_none(history, value):
    bucket = history.bucket() | {"ledger-2": value}
    assert violations(history, bucket=bucket) == [
        "ledger-2 lies under the run's prefix and is no ledger"
    ]


def test_an_item_that_is_no_ledger(history):
    bucket = history.bucket() | {"stray": []}
    assert violations(history, bucket=bucket) == [
        "stray lies under the run's prefix and is no ledger"
    ]


def test_a_worker_that_did_not_end_as_planned(history):
    history.drop("w3", "finished")
    assert violations(history) == ["w3 ended before its work was done, with exit status 0"]


def test_evidence_of_nothing_is_convicted(history):
    texts = violations(history, logs={"w1": [], "w2": [], "w3": []}, bucket={}, records={})
    assert "a is in no ledger" in texts
    assert "nobody took over after the kill" in texts
