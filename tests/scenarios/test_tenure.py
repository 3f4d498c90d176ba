"""A tenure, from acquiring to release or loss, in the log of its worker."""

from __future__ import annotations

from multiprocessing import Pipe

import pytest
import tenacity

from persidict import BackendError
from persidict_sync.errors import LeaseLost
from scenarios.journal import Journal, read_journal
from scenarios.leases.tenure import tenure
from scenarios.stores import SQLiteAddress
from scenarios.worker import Orders, Worker


class Post:
    """In place of what is held."""

    token = 7
    data = "hello"

    def __init__(self):
        self.is_lost = False

    def check(self):
        if self.is_lost:
            raise LeaseLost("work", token=7, reason="expired")

    def remaining(self):
        return 0.0 if self.is_lost else 1.5

    def release(self):
        return True


@pytest.fixture
def worker(tmp_path):
    here, there = Pipe()
    address = SQLiteAddress(tmp_path / "store.db")
    journal = Journal(tmp_path / "w1.jsonl")
    orders = Orders(name="w1", seed="1", address=address, heats=[], journal=tmp_path / "w1.jsonl")
    yield Worker(orders, line=here, journal=journal)
    journal.close()
    there.close()


@pytest.fixture
def logged(tmp_path):
    def logged():
        events = read_journal(tmp_path / "w1.jsonl", worker="w1")[1:]
        return [event for event in events if event.name != "request"]

    return logged


def held(worker, post, **options):
    return tenure(worker, name="lease/work", take=lambda: post, **options)


def test_a_tenure_that_is_released(worker, logged):
    with held(worker, Post()) as one:
        assert one.is_held()
    call, answer, acquired, check, is_held, released, release, freed = logged()
    assert (call.name, call["op"], answer["value"]) == ("call", "acquire", 7)
    assert (acquired.name, acquired["token"], acquired["data"]) == ("acquired", 7, "hello")
    assert answer.at + 1.5 <= acquired["until"] <= acquired.at + 1.5
    assert (check["op"], check["args"], is_held["value"]) == ("check", {"token": 7}, True)
    assert (released.name, released["token"]) == ("released", 7)
    assert (release["op"], freed["value"]) == ("release", True)


def test_it_says_how_many_may_hold_at_once(worker, logged):
    with held(worker, Post()), held(worker, Post(), permits=3):
        assert [one["permits"] for one in logged() if one.name == "acquired"] == [1, 3]


def test_what_is_lost_is_not_released(worker, logged):
    post = Post()
    with held(worker, post) as one:
        post.is_lost = True
        assert not one.is_held()
        with pytest.raises(LeaseLost):
            one.check()
    assert [event["op"] for event in logged() if event.name == "call"] == [
        "acquire",
        "check",
        "check",
    ]
    assert "released" not in {event.name for event in logged()}


def test_what_is_lost_while_it_is_being_released(worker, logged):
    class Lost(Post):
        def release(self):
            raise LeaseLost("work", token=7, reason="stolen")

    with held(worker, Lost()):
        pass
    assert [event.name for event in logged()[-3:]] == ["released", "call", "failed"]


def unanswered():
    return BackendError("too slow", backend="S3", operation="get")


def test_a_store_that_is_too_busy_is_asked_again(worker, logged, monkeypatch):
    monkeypatch.setattr(tenacity.nap.time, "sleep", lambda _: None)
    answers = iter([unanswered(), unanswered(), Post()])

    def take():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with tenure(worker, name="lease/work", take=take):
        pass
    assert [event.name for event in logged()[:6]] == ["call", "failed"] * 2 + ["call", "return"]


def test_a_store_that_never_answers_is_not_asked_for_ever(worker, monkeypatch):
    monkeypatch.setattr(tenacity.nap.time, "sleep", lambda _: None)

    def take():
        raise unanswered()

    with pytest.raises(BackendError), tenure(worker, name="lease/work", take=take):
        pass
