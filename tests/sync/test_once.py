"""What runs once in a whole fleet."""

from __future__ import annotations

import os
import threading
from collections import Counter

import pytest

from persidict import OutcomeUnknownError
from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import OwnerDied, RecordError, RecordTooLargeError, TaskFailedError
from tests.sync.fleets import Fleet


@pytest.fixture
def fleet(place):
    return Fleet(place)


def test_the_first_runs_and_all_get_the_result(fleet):
    ran = Counter()

    def function(rows, *, why):
        ran[rows] += 1
        return {"rows": rows, "why": why}

    calls = [fleet.member().once(("migrate", "7"))(function) for _ in range(3)]
    assert [call(1, why="first") for call in calls] == [{"rows": 1, "why": "first"}] * 3
    assert calls[0](2, why="late") == {"rows": 1, "why": "first"}
    assert ran == {1: 1}
    calls[0](1, why="")["rows"] = "changed"
    assert calls[0](1, why="")["rows"] == 1
    assert calls[0].__name__ == "function"


def test_who_comes_meanwhile_waits(fleet):
    begun, waiting = threading.Event(), threading.Event()
    member = fleet.member()

    def function():
        begun.set()
        assert waiting.wait(timeout=60)
        return 7

    def sleep(seconds):
        waiting.set()
        runner.join(timeout=60)

    runner = threading.Thread(target=member.once("migrate")(function))
    runner.start()
    assert begun.wait(timeout=60)
    other = fleet.member()
    fleet.clock.sleep = sleep
    assert other.once("migrate")(function)() == 7


def test_who_fails_is_told_and_so_are_the_others(fleet):
    def function():
        raise ValueError("no space")

    call, other = (fleet.member().once("migrate")(function) for _ in range(2))
    with pytest.raises(ValueError, match="no space"):
        call()
    for _ in range(2):
        with pytest.raises(TaskFailedError, match="ValueError: no space") as failure:
            other()
    assert (failure.value.task, failure.value.status) == ("migrate", "failed")


@pytest.mark.parametrize("result", [object(), (1, 2), "x" * 70_000])
def test_a_result_that_cannot_be_stored_is_a_failure(fleet, result):
    call, other = (fleet.member().once("migrate")(lambda: result) for _ in range(2))
    with pytest.raises((TypeError, RecordTooLargeError)) as error:
        call()
    with pytest.raises(TaskFailedError, match=type(error.value).__name__):
        other()


class Killed(BaseException):
    pass


def begun_and_died(fleet, monkeypatch):
    """As after SIGKILL: begun, and nothing after that."""
    member = fleet.member()
    with monkeypatch.context() as patch:
        patch.setattr("persidict_sync.claim.Claim.fail", lambda *_: None)

        def function():
            raise Killed

        with pytest.raises(Killed):
            member.once("migrate", ttl=30.0)(function)()


def test_it_is_never_run_again_when_its_runner_died(fleet, monkeypatch):
    begun_and_died(fleet, monkeypatch)
    other = fleet.member().once("migrate", ttl=30.0)(lambda: 7)
    with pytest.raises(OwnerDied) as died:
        other()
    assert (died.value.name, died.value.owner) == ("migrate", "worker-1")
    assert 33.0 <= fleet.clock.monotonic() <= 36.0
    with pytest.raises(OwnerDied):
        other()


def test_a_timeout_is_a_timeout(fleet, monkeypatch):
    begun_and_died(fleet, monkeypatch)
    with pytest.raises(TimeoutError, match="'worker-1' was still running"):
        fleet.member().once("migrate", timeout=10.0)(lambda: 7)()
    assert fleet.clock.monotonic() == pytest.approx(10.0)


def test_who_waits_is_told_that_the_record_was_deleted(fleet, monkeypatch):
    begun_and_died(fleet, monkeypatch)
    other = fleet.member()
    records = other._context.records

    def sleep(seconds):
        fleet.clock.advance(20.0)
        (key,) = [key for key in records if key.strings[-1] == "migrate"]
        del records[key]

    monkeypatch.setattr(fleet.clock, "sleep", sleep)
    with pytest.raises(RecordError, match="deleted while its result was waited for"):
        other.once("migrate", ttl=30.0)(lambda: 7)()


def test_an_unknown_start_runs_nothing(fleet, monkeypatch):
    member = fleet.member()
    records = type(member._context.records)

    def lost(self, key, **settings):
        fleet.clock.advance(1000.0)
        raise OutcomeUnknownError("lost", backend="x", operation="put", key=key, actual_etag=None)

    ran = []
    with monkeypatch.context() as patch:
        patch.setattr(records, "set_item_if", lost)
        with pytest.raises(OutcomeUnknownError):
            member.once("migrate")(lambda: ran.append(1))()
    assert ran == []


def test_it_does_not_wait_for_itself():
    fleet = Coordinator("memory:")

    @fleet.once("migrate")
    def function():
        return function()

    with pytest.raises(RuntimeError, match="calls itself"):
        function()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_waits_for_its_parent_as_any_other():
    fleet = Coordinator("memory:", clock=ManualClock())
    reader, writer = os.pipe()

    @fleet.once("migrate", timeout=1.0)
    def function():
        if os.fork() == 0:
            try:
                with pytest.raises(TimeoutError):
                    function()
                os.write(writer, b"waited")
            finally:
                os._exit(0)

    function()
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "waited"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": "a/b"}, ValueError),
        ({"name": 7}, TypeError),
        ({"name": "a", "ttl": 0}, ValueError),
        ({"name": "a", "timeout": -1}, ValueError),
        ({"name": "a", "timeout": "1"}, TypeError),
    ],
)
def test_wrong_arguments(arguments, error):
    with pytest.raises(error):
        Coordinator("memory:").once(**arguments)


def test_only_functions_run():
    with pytest.raises(TypeError, match="what once decorates must be callable, not a int"):
        Coordinator("memory:").once("a")(7)
