"""Real runs of the scenarios about leases; most of their time is waiting for a dead one's ttl."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scenarios.checks.all import check_all
from scenarios.history import merge
from scenarios.journal import read_journal
from scenarios.leases.terms import LATEST_TAKEOVER

ROOT = Path(__file__).parents[2]
SMALL = ["--workers", "3", "--tasks", "12"]


@pytest.fixture
def run_all(tmp_path):
    """Runs a scenario several times side by side; by store and seed, what each came to."""

    def run(name, store, seed, arguments):
        path = tmp_path / f"{store.rstrip(':')}-{seed}.json"
        command = [sys.executable, "-m", "scenarios", "run", name, *SMALL, "--store", store]
        command += ["--seed", str(seed), "--json", str(path), "--logs", str(tmp_path)]
        command += arguments
        ended = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
        )
        assert path.exists(), ended.stderr
        return ended.returncode, json.loads(path.read_text())

    def run_all(name, *runs, arguments=()):
        with ThreadPoolExecutor(len(runs)) as pool:
            results = [pool.submit(run, name, *one, arguments) for one in runs]
            return {one: result.result() for one, result in zip(runs, results, strict=True)}

    return run_all


@pytest.mark.parametrize("name", ["lease-handover", "election", "fenced-writer"])
def test_the_audit_holds(run_all, name):
    results = run_all(name, ("sqlite:", 1), ("embedded", 2))
    for status, result in results.values():
        assert (status, result["verdict"], result["violations"]) == (0, "pass", [])
        assert (result["scenario"], result["done"], result["tasks"]) == (name, 12, 12)
        assert result["tenures_lost"] >= 2
        for seconds in result["takeover_seconds"].values():
            assert 0 < seconds <= LATEST_TAKEOVER
        assert result["faults"]["continued"] is True
        assert result["requests_are"] in ("operations", "HTTP requests")
        assert result["requests"]
        checked = check_all(history_in(Path(result["logs"])))
        assert checked.violations == []
        names = {line.check for line in checked.lines}
        assert names >= {"linearizable", "mutual exclusion", "rising tokens"}


def history_in(folder):
    return merge(read_journal(path, worker=path.stem) for path in folder.glob("*.jsonl"))


CONVICTED = {
    "lease-handover": ["acquired token 1 after"],
    "election": ["acquired token 1 after"],
    "fenced-writer": ["which was to be refused", "was applied after", "has lost"],
}
"""By its own audit."""
BROKEN = {
    "lease-handover": {"mutual exclusion", "rising tokens"},
    "election": {"mutual exclusion", "rising tokens"},
    "fenced-writer": {"linearizable", "fenced writes"},
}
"""By the checks of its history."""


@pytest.mark.parametrize("name", CONVICTED)
def test_the_wrong_variant_is_convicted_for_every_seed(run_all, name):
    runs = [("sqlite:", 1), ("sqlite:", 2), ("embedded", 3)]
    for status, result in run_all(name, *runs, arguments=["--unsafe"]).values():
        assert (status, result["verdict"]) == (1, "fail")
        assert not any(" crashed:" in text for text in result["violations"])
        for text in CONVICTED[name]:
            assert any(text in violation for violation in result["violations"])
        found = check_all(history_in(Path(result["logs"]))).violations
        assert {violation.check for violation in found} >= BROKEN[name]
