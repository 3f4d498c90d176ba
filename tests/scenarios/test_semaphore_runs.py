"""Real runs of the semaphore: processes, signals, stores."""

from __future__ import annotations

import json

import pytest

from scenarios.checks.exclusion import permits_of
from scenarios.cli import main
from scenarios.history import read_history
from scenarios.semaphore.terms import LATEST_RETURN, TARGET


@pytest.fixture
def run(tmp_path):
    def run(*arguments):
        path = tmp_path / "result.json"
        status = main(["run", "semaphore", "--json", str(path), *arguments])
        return status, json.loads(path.read_text())

    return run


@pytest.mark.parametrize(
    ("store", "workers", "permits"), [("sqlite:", "6", 2), ("embedded", "3", 1)]
)
def test_permits_are_never_too_many_and_come_back(run, store, workers, permits, tmp_path, capsys):
    history = tmp_path / "history.jsonl"
    arguments = ["--store", store, "--workers", workers, "--tasks", "25", "--seed", "1"]
    status, result = run(*arguments, "--history", str(history))
    assert (status, result["verdict"], result["violations"]) == (0, "pass", [])
    assert (result["permits"], result["most_at_once"]) == (permits, permits)
    # The dead one's, and the frozen one's, which was frozen for longer than it lasts.
    assert result["tenures_lost"] >= 2
    assert result["faults"]["continued"] is True
    assert 0 < result["permit_back_seconds"]["after_kill"] <= LATEST_RETURN
    assert "PASS" in capsys.readouterr().out
    assert permits_of(read_history(history)) == {TARGET: permits}
    assert main(["check", str(history)]) == 0


@pytest.mark.parametrize(("store", "seed"), [("sqlite:", "1"), ("sqlite:", "2"), ("embedded", "3")])
def test_counting_then_writing_is_convicted(run, store, seed, capsys):
    size = ["--workers", "3", "--tasks", "12"]
    status, result = run("--store", store, "--seed", seed, *size, "--unsafe")
    assert (status, result["verdict"]) == (1, "fail")
    shown = capsys.readouterr().out
    assert "more than 1 that held a permit" in shown
    assert any(" was told " in text for text in result["violations"])
