"""Every call that is made through a recorder is in the history, and how it ended."""

from __future__ import annotations

from contextlib import closing

import pytest

from persidict import BackendError, OutcomeUnknownError
from persidict_sync.coordinator import Coordinator
from scenarios.history import merge
from scenarios.journal import Journal, read_journal
from scenarios.recorder import Recorder


class Killed(BaseException):
    """What ends an actor."""


def failing(error):
    def function():
        raise error

    return function


REFUSED = BackendError("no", backend="s3", operation="put", key=None)
UNKNOWN = OutcomeUnknownError("?", backend="s3", operation="put", key=None, actual_etag=None)


def test_a_worker_log_becomes_a_history(tmp_path):
    hits = Coordinator("memory:").counter("hits")
    with closing(Journal(tmp_path / "w1.jsonl")) as journal:
        recorder = Recorder(journal.log, actor="w1")
        assert recorder.call("counter/hits", "add", lambda: hits.add(3), args={"n": 3}) == 3
        for error in (UNKNOWN, REFUSED, Killed()):
            with pytest.raises(type(error)):
                recorder.call("counter/hits", "add", failing(error), args={"n": 1})
    history = merge([read_journal(tmp_path / "w1.jsonl", worker="w1")])
    assert [(done.outcome, done.error, done.value) for done in history.operations] == [
        ("returned", None, 3),
        ("unknown", "OutcomeUnknownError", None),
        ("failed", "BackendError", None),
        ("unknown", None, None),
    ]
    assert len({done.id for done in history.operations}) == 4


def test_a_value_that_is_no_json_is_stated_as_its_caller_says():
    events = []
    recorder = Recorder(lambda name, **fields: events.append((name, fields)), actor="w1")
    lease = Coordinator("memory:").lease("nightly")
    held = recorder.call(
        "lease/nightly", "try_acquire", lease.try_acquire, shown=lambda held: held and held.token
    )
    assert events[-1] == ("return", {"id": "w1.1", "value": 1})
    held.release()
