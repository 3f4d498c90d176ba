"""A worker's observer: logs every leader that it is told of, and ends with its context."""

from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest

from persidict_sync.coordinator import Coordinator
from scenarios.election.observer import Observer


class Log:
    """In place of a worker: what it is to log can be waited for."""

    def __init__(self):
        self.lines = SimpleQueue()

    def log(self, name, **fields):
        self.lines.put((name, fields))


def test_it_logs_leader_after_leader_and_ends_with_its_context(tmp_path):
    address = f"sqlite:///{tmp_path / 'fleet.db'}"
    log = Log()

    def observed(clock):
        return Coordinator(address, clock=clock).election("leader", poll=0.01)

    with Coordinator(address) as fleet:
        election = fleet.election("leader")
        election.campaign("a")
        with Observer(log, name="election/leader", election=observed):
            assert log.lines.get(timeout=60.0) == (
                "observed",
                {"object": "election/leader", "value": "a"},
            )
            election.resign()
            election.campaign("b")
            assert log.lines.get(timeout=60.0)[1]["value"] == "b"
    assert "observer" not in {thread.name for thread in threading.enumerate()}


def test_what_goes_wrong_in_it_is_raised_when_it_ends():
    class Broken:
        def observe(self):
            raise RuntimeError("a bug of its own")

    with (
        pytest.raises(RuntimeError, match="a bug of its own"),
        Observer(Log(), name="election/leader", election=lambda _: Broken()),
    ):
        pass
