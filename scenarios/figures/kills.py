"""F9: what the killed have held is taken over in time, and what they had begun stays begun."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from persidict.testing import EmbeddedS3
from persidict_sync.watch import Terms
from scenarios.figures.figure import Figure, Plant, Result, Task
from scenarios.figures.places import Bucket, File, Place
from scenarios.figures.pool import Pool, processes
from scenarios.figures.prey import Prey
from scenarios.figures.survivors import Taken, Wanted, look, run_rest, take
from scenarios.figures.victims import PERMITS, Work, hold_lease, hold_permit, run_tasks
from scenarios.words import many, times

AT_A_TIME: Final = 20
SHORT: Final = 2.0
LONG: Final = 3.0
"""Seconds of ttl, of few kills and of many."""
_MANY: Final = 100
PATIENCE: Final = 60.0
EARLY: Final = 0.2
"""The share that is killed while it begins, or while it acquires."""
TASKS: Final = 100
"""For each process that runs tasks."""


@dataclass
class Tally:
    """What the rounds have shown.

    Attributes:
        bound: Seconds within which what a killed process held must be taken over.
        counts: How many of which.
        takeovers: Seconds from each kill, or first look, until another held.
        violations: What was not as it must be.
    """

    bound: float
    counts: Counter[str] = field(default_factory=Counter)
    takeovers: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def measure(task: Task) -> Result:
    """Kill round after round: every other one over S3, the others in a file."""
    ttl = SHORT if task.size < _MANY else LONG
    tally, rng = Tally(bound_of(ttl)), random.Random(f"kills of {task.seed}")
    rounds = max(2, -(-task.size // AT_A_TIME))
    with (
        tempfile.TemporaryDirectory(prefix="figures-") as folder,
        EmbeddedS3() as server,
        processes(1, plant=task.plant) as pool,
    ):
        bucket = Bucket(server.endpoint_url, server.create_bucket())
        for number in range(rounds):
            place: Place = bucket if number % 2 else File(f"{folder}/round-{number}.sqlite")
            count = task.size // rounds + (number < task.size % rounds)
            Round(place, f"r{number}", Path(folder), ttl=ttl, plant=task.plant, rng=rng).run(
                count, pool, tally
            )
            task.progress.add(count)
    ordered = sorted(tally.takeovers)
    return Result(
        counted={
            "kill -9": task.size,
            **tally.counts,
            "seconds of ttl": ttl,
            "takeover within, seconds": tally.bound,
            "takeover, seconds, median": round(ordered[len(ordered) // 2], 2),
            "takeover, seconds, longest": round(ordered[-1], 2),
        },
        violations=tally.violations,
    )


def bound_of(ttl: float) -> float:
    """Seconds, from the kill or from the first look of who takes over, whichever is later."""
    return 1.5 * ttl + Terms(ttl).poll


class Round:
    """Some processes that are killed, and one that lives on.

    Args:
        place: Where they work.
        name: The round's.
        folder: For a file that is not the store's.
        ttl: Of what they hold, in seconds.
        plant: Called first in each of them.
        rng: What the moments are drawn from.
    """

    def __init__(
        self,
        place: Place,
        name: str,
        folder: Path,
        *,
        ttl: float,
        plant: Plant | None,
        rng: random.Random,
    ) -> None:
        self._place = place
        self._name = name
        self._begun = folder / f"{name}.begun"
        self._plant = plant
        self._ttl = ttl
        self._rng = rng

    def run(self, count: int, pool: Pool, tally: Tally) -> None:
        """Start so many, kill them, and see what becomes of what they held."""
        runners = max(1, count // 5)
        permits = PERMITS * max(1, (count - runners) // 8)
        holders = [*self._holders(count - runners - permits, permits)]
        work = Work(self._name, self._ttl, TASKS * runners, self._begun)
        running = [self._runner(work) for _ in range(runners)]
        for each in (*holders, *running):
            each.await_told(PATIENCE)
        for each in running:
            each.kill_in(self._rng.uniform(0.0, 0.3))
        [*pool.run(look, [(self._place, [each.wanted for each in holders], self._ttl, PATIENCE)])]
        taking = pool.start(take)
        for each in holders:
            each.kill_in(self._rng.uniform(0.0, self._ttl / 2))
        for each in (*holders, *running):
            each.bury()
        taken, problems = taking.result(2 * PATIENCE)
        tally.violations += problems
        self._judge(holders, taken, tally=tally)
        for orphaned in pool.run(run_rest, [(self._place, work)]):
            self._judge_tasks(orphaned, work.count, runners=runners, tally=tally)

    def _holders(self, leases: int, permits: int) -> Iterator[Prey]:
        for number in range(leases):
            wanted = Wanted(f"{self._name}-lease-{number}", is_lease=True)
            yield self._start(Prey(wanted), hold_lease, wanted.name, self._ttl)
        for number in range(permits):
            wanted = Wanted(f"{self._name}-permits-{number // PERMITS}", is_lease=False)
            yield self._start(Prey(wanted), hold_permit, wanted.name, self._ttl)

    def _start(self, prey: Prey, function: object, *args: object) -> Prey:
        prey.start(self._plant, function, self._place, *args)
        if self._rng.random() < EARLY:
            prey.kill_in(self._rng.uniform(0.0, 0.3))
        return prey

    def _runner(self, work: Work) -> Prey:
        prey = Prey(None)
        prey.start(self._plant, run_tasks, self._place, work)
        return prey

    def _judge(self, holders: Sequence[Prey], taken: Sequence[Taken], *, tally: Tally) -> None:
        groups: dict[Wanted, tuple[list[Prey], list[Taken]]] = {}
        for prey, each in zip(holders, taken, strict=True):
            assert prey.wanted is not None
            mine = groups.setdefault(prey.wanted, ([], []))
            mine[0].append(prey)
            mine[1].append(each)
        for wanted, (dead, ended) in groups.items():
            kind = "leases" if wanted.is_lease else "permits"
            for prey in dead:
                how = "that were held" if prey.has_held else "that were being acquired"
                tally.counts[f"{kind} {how}"] += 1
                tally.counts["lost before the kill"] += prey.has_lost
            tally.violations += [
                f"{wanted.name}: {problem}" for problem in self._problems(dead, ended, tally=tally)
            ]

    def _judge_tasks(
        self, orphaned: Sequence[str], tasks: int, *, runners: int, tally: Tally
    ) -> None:
        begun = Counter(self._begun.read_text(encoding="ascii").split())
        tally.counts["processes that ran tasks"] += runners
        tally.counts["tasks begun"] += begun.total()
        tally.counts["tasks of the dead, not run again"] += len(orphaned)
        where = f"{self._name} ({type(self._place).__name__.lower()})"
        for name, count in begun.items():
            if count > 1:
                tally.violations.append(f"{where}: {name} was begun {times(count)}")
        if missing := tasks - len({*begun, *orphaned}):
            tally.violations.append(f"{where}: neither begun nor orphaned: {many(missing, 'task')}")
        if len(orphaned) > runners:
            tally.violations.append(
                f"{where}: {many(len(orphaned), 'task')} orphaned, of {many(runners, 'owner')}"
            )

    def _problems(
        self, dead: Sequence[Prey], taken: Sequence[Taken], *, tally: Tally
    ) -> Iterator[str]:
        """What is wrong with how what these held was taken over, the n-th after the n-th kill."""
        killed = sorted(each.killed_at for each in dead)
        acquired = sorted(each.acquired for each in taken if each.acquired is not None)
        if len(acquired) < len(taken):
            yield f"{len(taken) - len(acquired)} of {len(taken)} were never taken over"
        looked = max(each.looked for each in taken)
        for death, at in zip(killed, acquired, strict=False):
            seconds = at - max(death, looked)
            tally.takeovers.append(seconds)
            if seconds > tally.bound:
                yield f"taken over after {seconds:.2f} s"
        highest = max((each.token for each in dead), default=0)
        renewed = sorted(each.last_renewal for each in dead if each.has_held)
        for each in taken:
            if each.acquired is None:
                continue
            if each.token <= highest:
                yield f"taken over under token {each.token}, after {highest}"
            if len(renewed) == len(dead) and each.acquired < renewed[0] + self._ttl:
                yield f"taken over {each.acquired - renewed[0]:.2f} s after the last renewal"


KILLS: Final = Figure(
    name="F9",
    summary="kill -9 at random points: takeover within 1.5 ttl and a poll, no "
    "permit leaks, what was begun is not begun again",
    unit="kills",
    small=12,
    full=1_000,
    measure=measure,
)
