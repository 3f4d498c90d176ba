"""What `import persidict` costs, as a ratio to `import boto3`: whole processes, in turns.

python -m benchmarks.import_time --rounds 20
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

from persidict.testing.command_line import status_of


def seconds(statement: str) -> float:
    """Processor time of a process that runs `statement` and ends, in seconds."""
    before = os.times()
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def main() -> int:
    """Print the median of each, above that of an empty process, and their ratio."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="rounds to take the median of")
    rounds = parser.parse_args().rounds
    statements = {"nothing": "pass", "boto3": "import boto3", "persidict": "import persidict"}
    for statement in statements.values():
        seconds(statement)
    times: dict[str, list[float]] = {name: [] for name in statements}
    begin = time.perf_counter()
    for _ in range(rounds):
        for name, statement in statements.items():
            times[name].append(seconds(statement))
    median = {name: statistics.median(column) for name, column in times.items()}
    boto3, persidict = (median[name] - median["nothing"] for name in ("boto3", "persidict"))
    print(f"import boto3: {1e3 * boto3:.0f} ms, import persidict: {1e3 * persidict:.0f} ms")
    print(f"ratio: {persidict / boto3:.2f} ({rounds} rounds, {time.perf_counter() - begin:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(status_of(main))
