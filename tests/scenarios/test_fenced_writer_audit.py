"""The audit of fenced writers: what it asks beyond what it asks of any lease."""

from __future__ import annotations

import pytest

from scenarios.fenced_writer.audit import NAME, audit
from tests.scenarios.lease_history import WAIT, LeaseHistory


@pytest.fixture
def history():
    return LeaseHistory(NAME, is_fenced=True)


def violations(history, **changed):
    return list(audit(history.evidence(**changed)).violations)


def test_a_right_history_passes(history):
    judged = audit(history.evidence())
    assert list(judged.violations) == []
    assert (judged.figures["done"], judged.figures["writes_refused"]) == (4, 1)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        ({"event": "failed", "error": "LeaseLost"}, "LeaseLost"),
        ({"event": "unknown", "error": "OutcomeUnknownError"}, "OutcomeUnknownError"),
        (None, "unknown"),
    ],
)
def test_a_thawed_writer_that_is_not_refused(history, end, outcome):
    failed = next(event for event in history.logs["w1"] if event.name == "failed")
    history.logs["w1"].remove(failed)
    if end is not None:
        history.add("w1", end.pop("event"), at=failed.at, id=failed["id"], **end)
    assert violations(history) == [
        f"w1 went on and wrote fenced/ledgers/ledger-1, which was to be refused as stale: {outcome}"
    ]


def test_a_thawed_writer_that_does_not_write(history):
    history.drop("w1", "failed")
    history.drop("w1", "call", 4)
    assert violations(history) == ["w1 went on and did not try to write"]


class LateWrite(LeaseHistory):
    """The thawed writer's write lands after its successor's, which it does not know of."""

    def log(self, worker, name, **fields):
        if name != "failed":
            super().log(worker, name, **fields)
            return
        super().log(worker, "return", id=fields["id"], value=True)
        self.ledgers["ledger-1"] = [self.line(worker, "c")]


def test_a_stale_write_that_lands():
    texts = violations(LateWrite(NAME, is_fenced=True))
    late, before = "c by w1 under token 7", "c by w3 under token 8"
    assert any(text.endswith("which was to be refused as stale: returned") for text in texts)
    assert f"ledger-1: {late} was applied after {before}" in texts
    assert f"ledger-1 has lost {before}" in texts


def test_a_write_that_is_acknowledged_late_and_was_applied_in_time(history):
    """Its worker was slow to see the answer; the ledger shows that it came first."""
    answers = {
        worker: next(
            event
            for event in history.logs[worker]
            if event.name == "return" and event["value"] is True
        )
        for worker in ("w1", "w3")
    }
    history.logs["w1"].remove(answers["w1"])
    history.add("w1", "return", at=answers["w3"].at + 0.005, **answers["w1"].fields)
    assert violations(history) == []
    history.ledgers["ledger-0"].reverse()
    text = "ledger-0: a by w1 under token 1 was applied after b by w3 under token 5"
    assert text in violations(history)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"token": 8}, "ledger-1 is stored under token 8, and 10 has written"),
        ({"generation": 3}, "ledger-1 shows 2 lines, and generation 3"),
    ],
)
def test_a_stored_form_that_does_not_agree(history, change, text):
    bucket = history.bucket()
    bucket["ledger-1"] |= change
    assert violations(history, bucket=bucket) == [text]


def test_a_ledger_without_a_token(history):
    bucket = history.bucket()
    bucket["ledger-1"] = bucket["ledger-1"]["value"]
    assert violations(history, bucket=bucket) == ["ledger-1 is stored without a token"]


def test_a_lease_that_two_held(history):
    history.change("w2", "renewed", until=history.killed_at + WAIT + 0.1)
    assert any("while it was held by w2" in text for text in violations(history))
