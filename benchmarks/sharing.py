"""What it costs to share, in virtual time: many tasks, and one counter."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from typing import Final

from tests.sync.contests import DURATIONS, LATENCY, CounterContest, SharedTasks

WORKERS: Final = 16
TASKS: Final = 2_000
ADDS: Final = (1, 10)
MOST_PER_TASK: Final = 1.10
MOST_SPREAD: Final = 3.0


class SharedTasksTable:
    """`Claims.run` by 16 processes over 2,000 tasks, for tasks of several lengths.

    Args:
        seeds: How many runs to make of each.
    """

    title: Final = f"`Claims.run`: {WORKERS} workers, {TASKS:,} tasks"

    def __init__(self, *, seeds: int) -> None:
        self._runs = {
            length: [
                SharedTasks(workers=WORKERS, tasks=TASKS, seed=seed, duration=duration)
                for seed in range(seeds)
            ]
            for length, duration in DURATIONS.items()
        }

    def lines(self) -> Iterator[str]:
        """The table."""
        yield (
            f"| a task takes (a request takes {1000 * LATENCY:.0f} ms) | requests per task "
            "besides `complete`: mean | worst | PUT | LIST | GET |"
        )
        yield "| --- | ---: | ---: | ---: | ---: | ---: |"
        for length, runs in self._runs.items():
            per_task = [run.requests_per_task for run in runs]
            verbs = self._verbs(runs)
            verbs["put"] -= 1
            by_verb = " | ".join(f"{verbs[verb]:.3f}" for verb in ("put", "list", "get"))
            mean, worst = statistics.mean(per_task), max(per_task)
            yield f"| {length} | {mean:.3f} | {worst:.3f} | {by_verb} |"

    @property
    def is_kept(self) -> bool:
        """Whether no run sent more than it may, and each task was run once."""
        runs = [run for same in self._runs.values() for run in same]
        return all(
            run.requests_per_task <= MOST_PER_TASK and set(run.runs.values()) == {1} for run in runs
        )

    @property
    def per_task(self) -> dict[str, float]:
        """Requests per task by verb, `complete` included, where tasks are of all lengths."""
        return self._verbs(self._runs["of all lengths"])

    @staticmethod
    def _verbs(runs: list[SharedTasks]) -> dict[str, float]:
        total: Counter[str] = Counter()
        for run in runs:
            total.update(run.store.requests)
        return _divided(total, by=TASKS * len(runs))


class CounterTable:
    """16 processes that add to one counter at the same time.

    Args:
        seeds: How many contests to hold for each row.
    """

    title: Final = f"Counter: {WORKERS} processes add at the same time"

    def __init__(self, *, seeds: int) -> None:
        self._contests = {
            adds: [
                CounterContest(seed=seed, contenders=WORKERS, adds=adds, latency=LATENCY)
                for seed in range(seeds)
            ]
            for adds in ADDS
        }

    def lines(self) -> Iterator[str]:
        """The table."""
        yield "| additions of each | slowest / median: median | worst | requests per addition |"
        yield "| ---: | ---: | ---: | ---: |"
        for adds, contests in self._contests.items():
            spreads = [contest.spread for contest in contests]
            cost = statistics.mean(contest.requests_per_add for contest in contests)
            yield (
                f"| {adds} | {statistics.median(spreads):.2f} | {max(spreads):.2f} | {cost:.1f} |"
            )

    @property
    def is_kept(self) -> bool:
        """Whether nobody was slower than may be, and every addition was counted once."""
        return all(
            contest.spread <= MOST_SPREAD
            and sorted(contest.totals) == list(range(1, WORKERS * adds + 1))
            for adds, contests in self._contests.items()
            for contest in contests
        )

    @property
    def per_add(self) -> dict[str, float]:
        """Requests per addition by verb, where each adds several times."""
        total: Counter[str] = Counter()
        contests = self._contests[max(ADDS)]
        for contest in contests:
            total.update(contest.store.requests)
        return _divided(total, by=sum(len(contest.totals) for contest in contests))


def _divided(total: Counter[str], *, by: int) -> dict[str, float]:
    return {verb: count / by for verb, count in total.items()}
