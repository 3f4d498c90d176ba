"""The arguments of `python -m scenarios simulate`, without what it needs to run."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

DESCRIPTION = """\
Runs the real primitives on the real dictionary over an object store in memory: one seed decides
every interleaving, delay, fault and clock, and no time passes. Checks the history of each seed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument(
        "--seeds", type=int, default=1000, metavar="N", help="how many seeds (default: 1000)"
    )
    parser.add_argument(
        "--first", type=int, default=0, metavar="K", help="the first of them (default: 0)"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="J",
        help="processes to run them in (default: one for each processor)",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="run this one alone and tell of it")
    parser.add_argument(
        "--history", type=Path, metavar="FILE", help="with --seed: write its history"
    )
    parser.add_argument(
        "--hours",
        type=float,
        metavar="H",
        help="run leases or permits alone for so many simulated hours, in runs of ten",
    )
    parser.add_argument("--bug", metavar="NAME", help="plant a bug, which must be found")
    parser.add_argument(
        "--no-shrink",
        dest="shrinks",
        action="store_false",
        help="do not look for a short schedule that fails in the same way",
    )
