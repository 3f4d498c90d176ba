"""Runs of seeds: nothing is violated, every fault strikes, a seed is one history."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from scenarios.simulation.faults import KINDS
from scenarios.simulation.sweep import Terms, Totals, sweep

SEEDS = 10_000
CHUNK = 250
VIGILS = 12
"""Of ten simulated hours each."""

HASHES = """
import hashlib
from scenarios.events import line_of
from scenarios.simulation.draft import plan_of
from scenarios.simulation.judge import history_of
from scenarios.simulation.run import run

for seed in range(30):
    lines = map(line_of, history_of(run(plan_of(seed))))
    print(seed, hashlib.sha256(b"".join(lines)).hexdigest())
"""


# A quarter of a minute on a machine of its own; on a busy one, a few.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_nothing_is_violated(first):
    totals = Totals()
    for verdict in sweep(range(first, first + CHUNK)):
        totals.add(verdict)
    assert [(one.seed, one.violations) for one in totals.convicted] == []
    assert totals.operations >= 4 * 48 * CHUNK
    assert 0.25 <= totals.faults / totals.requests <= 0.35
    assert {kind: rate for kind, rate in totals.rates().items() if rate < 0.2} == {}
    assert list(totals.rates()) == list(KINDS)


@pytest.mark.parametrize("first", range(0, VIGILS, 3))
def test_hours_of_leases(first):
    totals = Totals()
    for verdict in sweep(range(first, first + 3), terms=Terms(is_vigil=True)):
        totals.add(verdict)
    assert [(one.seed, one.violations) for one in totals.convicted] == []
    assert totals.seconds >= 3 * 36_000
    assert totals.acquisitions >= 3 * 100


def test_a_seed_is_one_history_whatever_hashes_are_seeded_with():
    def hashes(seed):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.Popen(
            [sys.executable, "-c", HASHES],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    processes = [hashes("1"), hashes("2")]
    first, second = (process.communicate()[0].splitlines() for process in processes)
    assert len(first) == 30
    assert len(set(first)) == 30
    assert first == second


@pytest.mark.skipif(sys.platform != "linux", reason="looks for them in /proc")
def test_processes_end_with_a_parent_that_is_killed():
    command = [sys.executable, "-m", "scenarios", "simulate", "--seeds", "100000", "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as parent:
        try:
            workers = _children(parent.pid, at_least=3)
        finally:
            parent.kill()
    for worker in workers:
        with suppress(ProcessLookupError):
            ended = os.pidfd_open(worker)
            assert select.select([ended], [], [], 60.0)[0], f"{worker} goes on"
            os.close(ended)


def _children(pid, *, at_least):
    """Two workers, and who tracks what they share."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    while len(children := listed.read_text().split()) < at_least:
        os.sched_yield()
    return [int(child) for child in children]
