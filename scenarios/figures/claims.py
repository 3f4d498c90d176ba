"""F5: of a million tasks none is claimed twice, and none is lost to its own owner."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final

from persidict.testing import EmbeddedS3, FaultKind, FaultPlan, FaultRule
from scenarios.figures.claiming import RIVALS, Audit, Tasks, bid, owners
from scenarios.figures.faults import Strikes, Striking
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.places import Bucket, File
from scenarios.figures.pool import Pool, processes

PROCESSES: Final = 8
LOST_SHARE: Final = 0.01
S3_SHARE: Final = 0.05
"""Of the tasks; the others are in a file."""
CHUNK: Final = 250
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of the system, used through tempfile

_RULES: Final = (
    FaultRule(kind=FaultKind.DROP_REPLY, probability=LOST_SHARE / 2, methods=("PUT",)),
    FaultRule(kind=FaultKind.RESET_REPLY, probability=LOST_SHARE / 2, methods=("PUT",)),
)


def measure(task: Task) -> Result:
    """Claim them over S3 and in a file, and compare what each was told with the records."""
    over_s3 = max(1, round(S3_SHARE * task.size))
    audit, strikes = Audit(), Strikes()
    with EmbeddedS3() as server, _file() as file, processes(PROCESSES, plant=task.plant) as pool:
        bucket = Bucket(server.endpoint_url, server.create_bucket())
        remote = Tasks(bucket, 0, over_s3)
        local = Tasks(file, over_s3, task.size - over_s3)
        with Striking(server.control, FaultPlan(task.seed, _RULES), strikes=strikes):
            claim(remote, pool=pool, audit=audit, task=task)
            requests = server.control.log(with_entries=False).total
        claim(local, pool=pool, audit=audit, task=task)
        for each in (remote, local):
            for tasks, owned_by in pool.run(
                owners, ((part,) for part in each.chunks(_chunk(each)))
            ):
                audit.judge(tasks, owned_by)
    strikes.add("lost-in-a-file", count=audit.lost, of=audit.answered)
    return Result(
        counted={
            "tasks": task.size,
            "of them over S3 and HTTP": over_s3,
            "processes": PROCESSES,
            **audit.counted(),
            "HTTP requests": requests,
        },
        violations=audit.violations,
        faults=strikes.all(),
    )


def claim(tasks: Tasks, *, pool: Pool, audit: Audit, task: Task) -> None:
    """Have several processes go for each of the tasks, which all are told of by the audit."""
    jobs: Iterator[tuple[Any, ...]] = chain.from_iterable(
        ((part, rival, task.seed, LOST_SHARE) for rival in range(RIVALS))
        for part in tasks.chunks(_chunk(tasks))
    )
    for bids in pool.run(bid, jobs):
        audit.add(bids)
        if bids.owner.endswith(".0"):
            task.progress.add(bids.tasks.count)


def _chunk(tasks: Tasks) -> int:
    """So many for a job that all processes have something to do."""
    return max(1, min(CHUNK, tasks.count // PROCESSES))


@contextmanager
def _file() -> Iterator[File]:
    """A file in memory where there is such a folder: the disk is not what is measured."""
    folder = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="figures-", dir=folder) as path:
        yield File(f"{path}/store.sqlite")


CLAIMS: Final = Figure(
    name="F5",
    summary=f"{PROCESSES} processes, 1% of the replies lost: no task is claimed twice, none is "
    "reported lost to its own owner",
    unit="tasks",
    small=2_000,
    full=1_000_000,
    measure=measure,
)
