"""A worker's operations and what it holds, in its log as a history has them."""

from __future__ import annotations

import threading
import time
from multiprocessing import Pipe

import pytest

from persidict import BackendError, OutcomeUnknownError
from persidict_sync.errors import LeaseLost
from scenarios.journal import Journal, read_journal
from scenarios.stores import SQLiteAddress
from scenarios.worker import Orders, Worker


@pytest.fixture
def worker(tmp_path):
    orders = Orders(
        name="w1",
        seed="1",
        address=SQLiteAddress(tmp_path / "store.db"),
        heats=[],
        journal=tmp_path / "w1.jsonl",
    )
    journal = Journal(orders.journal)
    yield Worker(orders, line=Pipe()[0], journal=journal)
    journal.close()


@pytest.fixture
def logged(tmp_path):
    def logged():
        """What was logged after the start, without times."""
        events = read_journal(tmp_path / "w1.jsonl", worker="w1")[1:]
        return [(event.name, dict(event.fields)) for event in events]

    return logged


def test_a_call_is_logged_before_and_its_value_after(worker, logged):
    with worker.operation("counter/hits", "add", n=2) as operation:
        assert logged() == [
            ("call", {"id": "w1:1", "object": "counter/hits", "op": "add", "args": {"n": 2}})
        ]
        operation.returns(5)
    assert logged()[1:] == [
        ("return", {"id": "w1:1", "value": 5}),
        ("request", {"verb": "add", "status": "returned"}),
    ]


def test_every_call_has_an_id_of_its_own(worker, logged):
    for _ in range(2):
        with worker.operation("register/mode", "write", value="on"):
            pass
    ids = [fields["id"] for name, fields in logged() if name == "call"]
    assert ids == ["w1:1", "w1:2"]


def unknown():
    return OutcomeUnknownError("may be", backend="s3", operation="put", key="k", actual_etag=None)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (LeaseLost("nightly", token=3, reason="expired"), "failed"),
        (BackendError("no", backend="s3", operation="put", key="k"), "failed"),
        (unknown(), "unknown"),
        (KeyError("a bug"), "unknown"),
    ],
)
def test_an_error_passes_through_and_says_whether_it_is_certain(worker, logged, error, outcome):
    with pytest.raises(type(error)), worker.operation("lease/nightly", "check", token=3):
        raise error
    assert logged()[1:] == [
        (outcome, {"id": "w1:1", "error": type(error).__name__}),
        ("request", {"verb": "check", "status": outcome}),
    ]


def test_what_is_held_is_logged_when_it_is_renewed_and_when_it_is_lost(worker, logged):
    is_told = threading.Event()
    lease = worker.coordinator.lease("nightly", ttl=60.0, on_lost=lambda _: is_told.set())
    held = lease.acquire()
    held.renew()
    lease.break_(held.token)
    with pytest.raises(LeaseLost):
        held.renew()
    assert is_told.wait(60.0)
    (renewed, lost) = logged()
    assert renewed[0] == "renewed"
    assert 0 < renewed[1].pop("until") - time.monotonic() <= 54.0
    assert renewed[1] == {"object": "lease/nightly", "token": 1}
    assert lost == ("lost", {"object": "lease/nightly", "token": 1, "reason": "broken"})


def test_a_renewal_that_is_told_after_the_release_is_not_logged(worker, logged):
    lease = worker.coordinator.lease("nightly", ttl=60.0)
    held = lease.acquire()
    worker.log_release("lease/nightly", token=held.token)
    held.renew()
    held.release()
    assert logged() == [("released", {"object": "lease/nightly", "token": 1})]
