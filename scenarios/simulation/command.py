"""`python -m scenarios simulate`: many seeds, or one and its history."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from persidict.testing.command_line import check_output
from scenarios.history import write_history
from scenarios.simulation.bugs import BUGS
from scenarios.simulation.judge import history_of, violations
from scenarios.simulation.run import run
from scenarios.simulation.shrink import shrunk
from scenarios.simulation.story import schedule, told
from scenarios.simulation.sweep import Terms, Totals, Verdict, sweep
from scenarios.simulation.vigil import HOURS
from scenarios.words import many

PASS, FAIL = 0, 1


def main(parsed: argparse.Namespace) -> int:
    """Run the command; returns the exit status.

    Raises:
        ValueError: There is no bug of that name, or a number is out of its range.
    """
    _check(parsed)
    if parsed.bug is not None and parsed.bug not in BUGS:
        raise ValueError(f"there is no bug {parsed.bug!r}; there are {', '.join(BUGS)}")
    terms = Terms(bug=parsed.bug, is_vigil=parsed.hours is not None)
    if parsed.seed is not None:
        return _one(parsed.seed, terms=terms, history=parsed.history, shrinks=parsed.shrinks)
    seeds = parsed.seeds if parsed.hours is None else math.ceil(parsed.hours / HOURS)
    return _many(
        range(parsed.first, parsed.first + seeds),
        jobs=parsed.jobs,
        terms=terms,
        shrinks=parsed.shrinks,
    )


def _check(parsed: argparse.Namespace) -> None:
    for name, least in (("seeds", 1), ("first", 0), ("jobs", 1), ("seed", 0)):
        number = getattr(parsed, name)
        if number is not None and number < least:
            raise ValueError(f"--{name} must be {least} or more, not {number}")
    if parsed.hours is not None and not 0 < parsed.hours < math.inf:
        raise ValueError(f"--hours must be more than 0 and finite, not {parsed.hours:g}")
    if parsed.history is not None and parsed.seed is None:
        raise ValueError("--history is written of one seed; name it with --seed")
    check_output("--history", parsed.history)


def _many(seeds: range, *, jobs: int, terms: Terms, shrinks: bool) -> int:
    totals = Totals()
    for verdict in sweep(seeds, jobs=jobs, terms=terms):
        if verdict.violations:
            _tell(verdict, terms=terms)
            if shrinks and not totals.convicted:
                _shrink(verdict.seed, terms=terms, check=verdict.violations[0].check)
        totals.add(verdict)
    print(*totals.shown(), sep="\n")
    if terms.bug and not totals.convicted:
        print(f"the bug {terms.bug!r} was not found")
    return FAIL if totals.convicted else PASS


def _one(seed: int, *, terms: Terms, history: Path | None, shrinks: bool) -> int:
    with terms.planted():
        outcome = run(terms.plan(seed))
        found = violations(outcome)
    print(*schedule(outcome.plan), sep="\n")
    if history is not None:
        write_history(history, history_of(outcome, **terms.about))
    for one in found:
        print(f"{one.check}: {one.object} at {one.at:.4f} s: {one.text}")
    print(
        f"{many(outcome.operations, 'operation')}, {many(outcome.requests, 'request')}, "
        f"{many(len(found), 'violation')}"
    )
    if found and shrinks:
        _shrink(seed, terms=terms, check=found[0].check)
    return FAIL if found else PASS


def _tell(verdict: Verdict, *, terms: Terms) -> None:
    for one in verdict.violations:
        print(f"seed {verdict.seed}: {one.check}: {one.object} at {one.at:.4f} s: {one.text}")
    planted = f" --bug {terms.bug}" if terms.bug else ""
    hours = f" --hours {HOURS:g}" if terms.is_vigil else ""
    again = f"python -m scenarios simulate --seed {verdict.seed}{hours}{planted}"
    print(f"  again: {again}", flush=True)


def _shrink(seed: int, *, terms: Terms, check: str) -> None:
    with terms.planted():
        short = shrunk(terms.plan(seed), check=check)
    print(f"the shortest schedule found that fails {check!r}, in {many(short.runs, 'run')}:")
    print(*schedule(short.plan), sep="\n")
    print(*told(short.outcome), sep="\n")
    for one in short.violations:
        print(f"{one.check}: {one.object} at {one.at:.4f} s: {one.text}", flush=True)
