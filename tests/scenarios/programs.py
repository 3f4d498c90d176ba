"""Worker programs and a scenario around them, importable by spawned processes."""

from __future__ import annotations

import signal
import sqlite3
import threading
from contextlib import closing

from scenarios.claim_race.work import work
from scenarios.fates import check_fates
from scenarios.scenario import Audit, Evidence, Scenario
from scenarios.worker import Worker


def hold_one(worker: Worker) -> None:
    worker.log("run")
    worker.checkpoint(task="t", heat=1)
    worker.tell("went-on")


def lock_the_store(worker: Worker) -> None:
    """Stands in a transaction at its checkpoint, and ends it when the process goes on."""
    with closing(sqlite3.connect(worker.store.get_params()["path"])) as connection:
        connection.execute("BEGIN IMMEDIATE")
        signal.signal(signal.SIGCONT, lambda *_: connection.rollback())
        worker.checkpoint(task="t", heat=1)
        worker.tell("went-on")


def hang(worker: Worker) -> None:
    worker.log("run", task="t")
    worker.tell("begun")
    threading.Event().wait()


def first_crashes(worker: Worker) -> None:
    if worker.name == "w1":
        raise RuntimeError("a bug of its own")
    work(worker)


def others_come_late(worker: Worker) -> None:
    """Workers that would not meet between read and write, if nobody made them."""
    task = worker.heats[0][0]
    worker.line_up(0)
    if worker.name == "w1":
        worker.store["w1-has-read"] = True
    else:
        while "w1-has-read" not in worker.store:
            pass
        for _ in range(200):
            worker.store.get("w1-has-read")
    if task not in worker.store:
        worker.rendezvous(task=task)
        worker.store[task] = worker.name
        worker.log("run", task=task)


def audit_fates(evidence: Evidence) -> Audit:
    return Audit([check_fates(evidence)])


def scenario(program) -> Scenario:
    return Scenario(
        name="planted",
        summary="",
        story="",
        unsafe_story="",
        strikes="",
        program=program,
        audit=audit_fates,
    )
