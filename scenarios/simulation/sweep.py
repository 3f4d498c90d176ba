"""Many seeds, on several cores, and what they come to."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from scenarios.checks.violation import Violation
from scenarios.simulation.bugs import BUGS
from scenarios.simulation.draft import plan_of
from scenarios.simulation.faults import KINDS
from scenarios.simulation.judge import violations
from scenarios.simulation.plan import Plan
from scenarios.simulation.run import run
from scenarios.simulation.vigil import HOURS, vigil_of
from scenarios.words import many

CHUNK: Final = 20
"""Seeds that a process runs before it reports."""


@dataclass(frozen=True)
class Verdict:
    """What one seed has shown.

    Attributes:
        seed: Which.
        operations: How many were begun.
        requests: How many were sent.
        faults: How many requests were struck, and processes.
        acquisitions: How often something was acquired.
        seconds: How much simulated time went by.
        kinds: Which kinds of faults struck.
        violations: What is wrong.
    """

    seed: int
    operations: int
    requests: int
    faults: int
    acquisitions: int
    seconds: float
    kinds: frozenset[str]
    violations: Sequence[Violation]


@dataclass(frozen=True)
class Terms:
    """What all seeds of a sweep have in common.

    Attributes:
        bug: Which bug is planted.
        is_vigil: Whether plans are of many hours, about leases or permits alone.
    """

    bug: str | None = None
    is_vigil: bool = False

    def plan(self, seed: int) -> Plan:
        """The plan of a seed."""
        return vigil_of(seed) if self.is_vigil else plan_of(seed)

    @property
    def about(self) -> dict[str, Any]:
        """What a history says of it: the options, without which a seed is another run."""
        bug: dict[str, Any] = {"bug": self.bug} if self.bug else {}
        return bug | ({"hours": HOURS} if self.is_vigil else {})

    def planted(self) -> AbstractContextManager[object]:
        """Has the code make the bug."""
        return BUGS[self.bug].planted() if self.bug else nullcontext()


SHORT: Final = Terms()


def verdict_on(plan: Plan) -> Verdict:
    """Run a plan and check its history."""
    outcome = run(plan)
    return Verdict(
        seed=plan.seed,
        operations=outcome.operations,
        requests=outcome.requests,
        faults=outcome.strikes.total(),
        acquisitions=sum(name == "acquired" for _, _, name, _ in outcome.lines),
        seconds=outcome.seconds,
        kinds=frozenset(outcome.strikes),
        violations=violations(outcome),
    )


def _verdicts(seeds: range, terms: Terms) -> Iterator[Verdict]:
    with terms.planted():
        for seed in seeds:
            yield verdict_on(terms.plan(seed))


def _all_verdicts(seeds: range, terms: Terms) -> list[Verdict]:
    return list(_verdicts(seeds, terms))


def _end_with_parent() -> None:
    """Let no process wait for work from one that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def sweep(seeds: range, *, jobs: int = 1, terms: Terms = SHORT) -> Iterator[Verdict]:
    """The verdicts on seeds, in their order.

    Args:
        seeds: Which.
        jobs: How many processes run them.
        terms: What they have in common.
    """
    if jobs == 1:
        yield from _verdicts(seeds, terms)
        return
    size = 1 if terms.is_vigil else CHUNK
    chunks = (seeds[begin : begin + size] for begin in range(0, len(seeds), size))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent) as pool:
        begun = [pool.submit(_all_verdicts, chunk, terms) for chunk in islice(chunks, 2 * jobs)]
        try:
            while begun:
                yield from begun.pop(0).result()
                begun += [pool.submit(_all_verdicts, chunk, terms) for chunk in islice(chunks, 1)]
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass
class Totals:
    """What the verdicts so far come to."""

    seeds: int = 0
    operations: int = 0
    requests: int = 0
    faults: int = 0
    acquisitions: int = 0
    seconds: float = 0.0
    fired: Counter[str] = field(default_factory=Counter)
    convicted: list[Verdict] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def add(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self.seeds += 1
        self.operations += verdict.operations
        self.requests += verdict.requests
        self.faults += verdict.faults
        self.acquisitions += verdict.acquisitions
        self.seconds += verdict.seconds
        self.fired.update(verdict.kinds)
        if verdict.violations:
            self.convicted.append(verdict)

    def rates(self) -> Mapping[str, float]:
        """In which share of the seeds each kind of fault struck."""
        return {kind: self.fired[kind] / max(1, self.seeds) for kind in KINDS}

    def shown(self) -> Iterator[str]:
        """As lines for people."""
        took = time.monotonic() - self.began
        yield (
            f"{many(self.seeds, 'seed')} in {took:.1f} s: {self.seeds / took:.1f} seeds/s, "
            f"{many(self.operations, 'operation')}, {many(self.requests, 'request')}, "
            f"{self.faults / max(1, self.requests):.0%} struck, "
            f"{many(self.acquisitions, 'acquisition')}, {self.seconds / 3600:,.1f} simulated hours"
        )
        yield "share of seeds in which each kind of fault struck:"
        for kind, rate in self.rates().items():
            yield f"  {kind:<20}{rate:6.1%}"
        yield f"violations: {sum(len(one.violations) for one in self.convicted)}" + (
            f" in {many(len(self.convicted), 'seed')}" if self.convicted else ""
        )
