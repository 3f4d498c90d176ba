"""What a worker does: one add in each heat."""

from __future__ import annotations

from typing import Final

from persidict import BackendError, ConcurrencyConflictError
from persidict_sync.counter import Counter
from scenarios.midway import Midway
from scenarios.shares import shares_of
from scenarios.worker import Worker

NAME: Final = "tasks-done"


def work(worker: Worker) -> None:
    """Count one task of every heat."""
    midway = Midway(worker, written="counted")
    counter = midway.coordinator.counter(NAME)
    for heat, tasks in enumerate(worker.heats):
        worker.line_up(heat)
        (task,) = shares_of(tasks, worker=worker.name)
        try:
            _count(worker, counter, task=task, heat=heat, midway=midway)
        except (BackendError, ConcurrencyConflictError) as error:
            worker.tell(type(error).__name__)


def _count(worker: Worker, counter: Counter, *, task: str, heat: int, midway: Midway) -> None:
    with worker.operation(f"counter/{NAME}", "add", n=1) as operation:
        worker.log("note", task=task)
        with midway.stopping(task=task, heat=heat):
            total = _add_unsafely(worker, counter, task) if worker.is_unsafe else counter.add()
        operation.returns(total)


def _add_unsafely(worker: Worker, counter: Counter, task: str) -> int:
    total = counter.value() + 1
    worker.rendezvous(task=task)
    counter.reset(total)
    return total
