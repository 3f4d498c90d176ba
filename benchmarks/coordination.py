"""What coordination costs, measured; prints Markdown tables.

Run it from the root of the project: `python -m benchmarks.coordination`. It starts an embedded S3
server of its own and counts what botocore is about to send, each attempt of each request. Time is
a clock that only waiting moves. It fails if an operation sends more than it may.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator

from benchmarks import costs
from benchmarks.costs import Prices
from benchmarks.counting import HEADER
from benchmarks.operations import SECTIONS
from benchmarks.sharing import CounterTable, SharedTasksTable
from benchmarks.stage import Figure, Stage
from persidict.testing import EmbeddedS3
from persidict.testing.command_line import status_of


def figures(server: EmbeddedS3) -> Iterator[tuple[str, list[Figure]]]:
    """The figures of each primitive, under its name; each in a bucket of its own."""
    for title, scenes in SECTIONS.items():
        found: list[Figure] = []
        for scene in scenes:
            stage = Stage(server)
            scene(stage)
            stage.close()
            found += stage.figures
        yield title, found


def _requests(server: EmbeddedS3) -> bool:
    are_kept = True
    for title, found in figures(server):
        _print(title, (*HEADER, *(figure.row for figure in found)))
        for figure in found:
            if not figure.is_kept:
                are_kept = False
                print(f"{figure.label}: at most {figure.most} may be sent", file=sys.stderr)
    return are_kept


def _shared(server: EmbeddedS3, prices: Prices, *, seeds: int) -> bool:
    tasks, counter = SharedTasksTable(seeds=seeds), CounterTable(seeds=seeds)
    for table in (tasks, counter):
        _print(table.title, table.lines())
        if not table.is_kept:
            print(f"{table.title}: it is not what was promised", file=sys.stderr)
    _print(
        f"At ${prices.write} for 1,000 PUT or LIST, and ${prices.read} for 1,000 GET",
        costs.lines(server, prices, tasks=tasks, counter=counter),
    )
    return tasks.is_kept and counter.is_kept


def _print(title: str, lines: Iterable[str]) -> None:
    print(f"\n### {title}\n", *lines, sep="\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="runs in virtual time for each row")
    parser.add_argument("--write-price", type=float, default=0.005, help="US $ for 1,000 PUT, LIST")
    parser.add_argument("--read-price", type=float, default=0.0004, help="US $ for 1,000 GET")
    parser.add_argument("--only-requests", action="store_true", help="leave virtual time out")
    return parser.parse_args()


def main() -> int:
    """Measure what coordination costs and print it; 0 if all is as promised."""
    given = _arguments()
    prices = Prices(write=given.write_price, read=given.read_price)
    with EmbeddedS3() as server:
        is_kept = _requests(server)
        if not given.only_requests:
            is_kept &= _shared(server, prices, seeds=given.seeds)
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(status_of(main))
