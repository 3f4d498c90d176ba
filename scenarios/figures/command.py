"""`python -m scenarios figures`: lists the figures, or measures one of them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from persidict.testing.command_line import check_output
from scenarios.figures.figure import Figure, Plant, Result, Task
from scenarios.figures.machine import machine
from scenarios.figures.pool import HungError
from scenarios.figures.progress import Progress
from scenarios.figures.registry import FIGURES
from scenarios.options import LARGEST_SEED
from scenarios.words import many

PASS: Final = 0
FAIL: Final = 1
MISUSE: Final = 2
_SHOWN: Final = 10
_WIDEST: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure, measured.

    Args:
        figure: Which.
        size: At which size.
        seed: By which seed.
        result: What came of it.
        began: When, by the date of this machine.
        seconds: How long it took.
        machine: What it was measured on.
    """

    figure: Figure
    size: int
    seed: int
    result: Result
    began: datetime
    seconds: float
    machine: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "figure": self.figure.name,
            "summary": self.figure.summary,
            "size": self.size,
            "unit": self.figure.unit,
            "full": self.size >= self.figure.full,
            "seed": self.seed,
            "began": self.began.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 1),
            "machine": dict(self.machine),
            "counted": dict(self.result.counted),
            "faults": {
                kind: {"count": fired.count, "of": fired.of, "rate": round(fired.rate, 5)}
                for kind, fired in self.result.faults.items()
            },
            "violations": [*self.result.violations],
            "reached": not self.result.violations,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        width = max(map(len, [*self.result.counted, *self.result.faults, "violations"]))
        for name, value in self.result.counted.items():
            yield f"  {name:<{width}}  {_shown(value)}"
        for kind, fired in self.result.faults.items():
            yield f"  {kind:<{width}}  {fired.count:,} of {fired.of:,} ({fired.rate:.2%})"
        yield f"  {'seconds':<{width}}  {self.seconds:.1f}"
        yield f"  {'violations':<{width}}  {len(self.result.violations):,}"
        yield from (f"    {text[:_WIDEST]}" for text in self.result.violations[:_SHOWN])
        if (more := len(self.result.violations) - _SHOWN) > 0:
            yield f"    … and {more:,} more; --json FILE lists them"
        yield f"{self.figure.name} {'not ' if self.result.violations else ''}reached"


def measured(
    figure: Figure,
    *,
    size: int,
    seed: int,
    say: Callable[[str], object] = lambda _: None,
    plant: Plant | None = None,
) -> Measured:
    """Measure a figure; processes that hang or die do not reach it."""
    on, began, clock = machine(), datetime.now(UTC), time.monotonic()
    say(f"{figure.name}: {figure.summary}")
    say(f"  {size:,} {figure.unit}, seed {seed}, on {_words(on)}")
    progress = Progress(size, unit=figure.unit, say=say)
    try:
        result = figure.measure(Task(size=size, seed=seed, progress=progress, plant=plant))
    except (HungError, BrokenProcessPool) as error:
        result = Result(counted={"done": progress.done}, violations=[str(error)])
    return Measured(
        figure=figure,
        size=size,
        seed=seed,
        result=result,
        began=began,
        seconds=time.monotonic() - clock,
        machine=on,
    )


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "figures", help="list the figures, or measure one of them", allow_abbrev=False
    )
    parser.add_argument("figure", nargs="?", choices=FIGURES, metavar="NAME", help="such as F6")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full", action="store_true", help="the size that the figure asks for")
    size.add_argument("--size", type=_natural, metavar="N", help="in the figure's unit")
    parser.add_argument("--seed", type=_seed, default=7, metavar="N", help="default: 7")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Do what the subcommand asks for; the exit status."""
    if options.figure is None:
        for figure in FIGURES.values():
            print(f"{figure.name:<5}{figure.summary}")
            print(f"{'':<5}{figure.small:,} {figure.unit} or, --full, {figure.full:,}")
        return PASS
    figure = FIGURES[options.figure]
    try:
        check_output("--json", options.json)
    except ValueError as error:
        print(error, file=sys.stderr)
        return MISUSE
    size = options.size or (figure.full if options.full else figure.small)
    found = measured(figure, size=size, seed=options.seed, say=lambda line: print(line, flush=True))
    print(*found.lines(), sep="\n", flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(found.to_json(), indent=2) + "\n", encoding="utf-8")
    return FAIL if found.result.violations else PASS


def _natural(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number <= LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must lie in 0..{LARGEST_SEED}")
    return number


def _words(on: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {on[name]}" for name in ("python", "boto3", "moto") if name in on)
    return f"{many(on['cores'], 'core')}, {on['memory_gb']} GB, load {on['load']}, {versions}"


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
