"""What a worker has logged is there, whatever becomes of the worker."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from scenarios.journal import Event, Journal, read_journal


def test_events_come_back_in_order(tmp_path):
    with closing(Journal(tmp_path / "w1.jsonl")) as journal:
        journal.log("claiming", task="a", claim="1")
        journal.log("won", task="a", claim="1")
    first, second = read_journal(tmp_path / "w1.jsonl", worker="w1")
    assert (first.actor, first.name, first["task"]) == ("w1", "claiming", "a")
    assert second.name == "won"
    assert first.at <= second.at


def test_an_event_has_left_the_process_when_log_returns(tmp_path):
    with closing(Journal(tmp_path / "w1.jsonl")) as journal:
        journal.log("claiming")
        assert (tmp_path / "w1.jsonl").read_bytes().endswith(b"\n")


def test_a_torn_last_line_is_no_event(tmp_path):
    path = tmp_path / "w1.jsonl"
    with closing(Journal(path)) as journal:
        journal.log("won")
    with path.open("ab") as file:
        file.write(b'{"at": 1.0, "event": "ru')
    assert [event.name for event in read_journal(path, worker="w1")] == ["won"]


@pytest.mark.parametrize("line", [b"nonsense", b"[]", b'{"at": 1.0}', b'{"event": "won"}'])
def test_a_whole_line_that_is_no_event_is_an_error_that_names_it(tmp_path, line):
    (tmp_path / "w1.jsonl").write_bytes(line + b"\n")
    with pytest.raises(ValueError, match=r"w1\.jsonl, line 1"):
        read_journal(tmp_path / "w1.jsonl", worker="w1")


def test_a_worker_that_never_logged_has_no_events(tmp_path):
    assert read_journal(tmp_path / "w1.jsonl", worker="w1") == []


def test_fields_are_read_by_name():
    assert Event("w1", "won", fields={"task": "a"})["task"] == "a"


def test_events_of_several_threads_are_in_the_order_of_time(tmp_path):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with closing(Journal(tmp_path / "w1.jsonl")) as journal, ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: journal.log("won", task=number), range(2000)))
    finally:
        sys.setswitchinterval(interval)
    times = [event.at for event in read_journal(tmp_path / "w1.jsonl", worker="w1")]
    assert len(times) == 2000
    assert times == sorted(times)
