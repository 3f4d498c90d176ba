"""Ctrl-C in a real process: what a run has begun is given back or finished, as the policy says."""

from __future__ import annotations

import json
import signal

import pytest

from persidict_sync.coordinator import Coordinator
from tests.sync.programs import program

TASKS = [f"t{number}" for number in range(50)]
RECLAIM = {"on_owner_death": "reclaim", "ttl": 60.0, "max_attempts": 2}

RUN = """
    import json, os, signal, sys
    from persidict_sync.coordinator import Coordinator

    def tell(*arguments):
        print("interrupted", flush=True)
        signal.default_int_handler(*arguments)

    def function(task):
        print(task, flush=True)
        os.read(0, 1)

    address, policy, tasks, workers = sys.argv[1:]
    signal.signal(signal.SIGINT, tell)
    claims = Coordinator(address, owner="worker").claims("frames", **json.loads(policy))
    claims.run(function, json.loads(tasks), workers=int(workers))
"""


@pytest.fixture
def frames(address):
    with Coordinator(address, owner="operator") as fleet:
        yield lambda policy: fleet.claims("frames", **policy)


def run_until_begun(address, policy, *, workers):
    """A process that runs all tasks, and those that each of its workers has begun."""
    process = program(RUN, address, json.dumps(policy), json.dumps(TASKS), workers)
    return process, [process.stdout.readline().strip() for _ in range(workers)]


@pytest.mark.parametrize(
    ("policy", "status"),
    [({}, "failed"), ({"on_owner_death": "manual"}, "failed"), (RECLAIM, "requeued")],
)
def test_what_is_run_in_the_main_thread_is_given_back(address, frames, policy, status):
    process, (task,) = run_until_begun(address, policy, workers=1)
    process.send_signal(signal.SIGINT)
    shown, errors = process.communicate(timeout=60)
    assert (process.returncode, shown) == (-signal.SIGINT, "interrupted\n")
    assert errors.endswith("KeyboardInterrupt\n")
    claims = frames(policy)
    (found,) = claims.tasks()
    assert found.task == task
    assert (found.status, found.attempts, found.owner) == (status, 1, "worker")
    assert found.error == "KeyboardInterrupt: "
    ran = []
    claims.run(ran.append, TASKS)
    assert set(TASKS) - set(ran) == (set() if policy is RECLAIM else {task})


@pytest.mark.parametrize("policy", [{}, RECLAIM])
def test_what_threads_run_is_finished_and_nothing_else_is_begun(address, frames, policy):
    process, begun = run_until_begun(address, policy, workers=2)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    shown, errors = process.communicate("..", timeout=60)
    assert process.returncode == -signal.SIGINT
    assert errors.endswith("KeyboardInterrupt\n")
    # A thread may have finished its task before the main thread came to say that it is over.
    begun += shown.split()
    assert 2 <= len(begun) <= 4
    claims = frames(policy)
    assert sorted("/".join(task) for task in claims.done()) == sorted(begun)
    assert len(list(claims.keys())) == len(begun)
