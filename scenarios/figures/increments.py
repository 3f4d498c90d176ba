"""F6: a counter's total is what was acknowledged and what was settled, to the last one."""

from __future__ import annotations

from typing import Final

from persidict.testing import EmbeddedS3, FaultKind, FaultPlan, FaultRule
from scenarios.figures.counting import Additions, add, total_of
from scenarios.figures.faults import Strikes, Striking
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.places import Bucket
from scenarios.figures.pool import processes

PROCESSES: Final = 4
NAME: Final = "hits"
CHUNK: Final = 50
_LOST_SHARE: Final = 0.01
_RULES: Final = (
    FaultRule(kind=FaultKind.DROP_REPLY, probability=_LOST_SHARE / 2, methods=("PUT",)),
    FaultRule(kind=FaultKind.RESET_REPLY, probability=_LOST_SHARE / 2, methods=("PUT",)),
)


def measure(task: Task) -> Result:
    """Add over S3, and compare the total with what each was told."""
    done, strikes = Additions(), Strikes()
    with EmbeddedS3() as server, processes(PROCESSES, plant=task.plant) as pool:
        bucket = Bucket(server.endpoint_url, server.create_bucket())
        jobs = [(bucket, NAME, min(CHUNK, task.size - at)) for at in range(0, task.size, CHUNK)]
        with Striking(server.control, FaultPlan(task.seed, _RULES), strikes=strikes):
            for each in pool.run(add, jobs):
                done.add(each)
                task.progress.add(len(each.totals))
            requests = server.control.log(with_entries=False).total
        (total,) = pool.run(total_of, [(bucket, NAME)])
    violations = done.problems(total)
    if done.unknown or done.failed:
        violations.append(f"{done.unknown:,} additions are unknown, {done.failed:,} failed")
    return Result(
        counted={
            "increments": task.size,
            "processes": PROCESSES,
            "acknowledged": done.acknowledged,
            "settled": done.settled,
            "unknown": done.unknown,
            "failed, not counted": done.failed,
            "total": total,
            "HTTP requests": requests,
        },
        violations=violations,
        faults=strikes.all(),
    )


INCREMENTS: Final = Figure(
    name="F6",
    summary=f"{PROCESSES} processes add to one counter, 1% of the replies lost: the total is what "
    "was acknowledged and settled, and nothing is unknown",
    unit="increments",
    small=400,
    full=100_000,
    measure=measure,
)
