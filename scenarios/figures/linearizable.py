"""F4: whatever fails between real processes and the store, every history is linearizable."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from persidict.testing import EmbeddedS3
from scenarios.checks.linearizability import check_linearizability
from scenarios.figures.actor import Log, act
from scenarios.figures.faults import Strikes, Striking
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.places import Bucket
from scenarios.figures.pool import Pool, processes
from scenarios.figures.schedule import plan
from scenarios.history import merge, write_history

PROCESSES: Final = 4
OPERATIONS: Final = 200
LANES: Final = 2
"""So many schedules at a time, each with processes and a server of its own."""


@dataclass
class _Tally:
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    linearizable: int = 0
    requests: int = 0
    strikes: Strikes = field(default_factory=Strikes)
    lock: threading.Lock = field(default_factory=threading.Lock)


def measure(task: Task) -> Result:
    """Run the schedules, and search an order for every history."""
    tally, numbers = _Tally(), iter(range(task.size))
    lanes = min(LANES, task.size)
    with ThreadPoolExecutor(lanes) as threads:
        for lane in [threads.submit(_lane, numbers, task, tally) for _ in range(lanes)]:
            lane.result()
    return Result(
        counted={
            "schedules": task.size,
            "processes of each": PROCESSES,
            "operations": tally.outcomes.total(),
            **{name: tally.outcomes[name] for name in ("returned", "failed", "unknown")},
            "histories linearizable": tally.linearizable,
            "HTTP requests": tally.requests,
        },
        violations=tally.violations,
        faults=tally.strikes.all(),
    )


def _lane(numbers: Iterator[int], task: Task, tally: _Tally) -> None:
    with EmbeddedS3() as server, processes(PROCESSES, plant=task.plant) as pool:
        bucket = Bucket(server.endpoint_url, server.create_bucket())
        while (number := _next(numbers, tally)) is not None:
            strikes = Strikes()
            faults = plan(task.seed, number)
            with Striking(server.control, faults, strikes=strikes) as control:
                logs = _play(bucket, number, task=task, pool=pool)
                control.release_late()
            logs += pool.run(act, [(bucket, f"s{number}", "end", task.seed, 0)])
            (judged,) = pool.run(judge, [(logs, number, task.seed)])
            with tally.lock:
                tally.outcomes.update(judged.outcomes)
                tally.linearizable += judged.is_linearizable
                tally.violations += judged.violations
                tally.strikes.update(strikes)
                task.progress.add()
            for text in judged.violations:
                task.progress.tell(text)
        with tally.lock:
            tally.requests += server.control.log(with_entries=False).total


def _next(numbers: Iterator[int], tally: _Tally) -> int | None:
    with tally.lock:
        return next(numbers, None)


def _play(bucket: Bucket, number: int, *, task: Task, pool: Pool) -> list[Log]:
    names = [f"p{place}" for place in range(1, PROCESSES + 1)]
    jobs = [(bucket, f"s{number}", name, task.seed, OPERATIONS) for name in names]
    return [*pool.run(act, jobs)]


@dataclass(frozen=True)
class Judged:
    """What one history shows.

    Attributes:
        outcomes: How many operations returned, failed, or are unknown.
        violations: Why it is not linearizable, and what nobody should have had to expect.
    """

    outcomes: Counter[str]
    violations: Sequence[str]
    is_linearizable: bool = True


def judge(logs: Sequence[Log], number: int, seed: int) -> Judged:
    """Search an order of the operations on each object; a history without one is kept."""
    crashes = [f"schedule {number}:\n{text}" for log in logs for text in log.crashes]
    history = merge((log.events for log in logs), scenario=f"F4, schedule {number}", seed=seed)
    outcomes = Counter[str](operation.outcome for operation in history.operations)
    found = check_linearizability(history)
    if not found:
        return Judged(outcomes, crashes)
    folder = Path(tempfile.mkdtemp(prefix="figures-F4-"))
    write_history(folder / "history.jsonl", history)
    texts = "; ".join(f"{each.object}: {each.text}" for each in found)
    crashes.append(f"schedule {number} ({folder}/history.jsonl): {texts}")
    return Judged(outcomes, crashes, is_linearizable=False)


LINEARIZABLE: Final = Figure(
    name="F4",
    summary=f"schedules of {PROCESSES} processes with {OPERATIONS} operations each, through every "
    "kind of fault: every history is linearizable for each key",
    unit="schedules",
    small=2,
    full=1_000,
    measure=measure,
)
