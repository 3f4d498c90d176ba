"""The command line: list, run, check; exit status 0 pass, 1 fail, 2 misuse, 130 interrupted."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from scenarios.checks.all import check_all
from scenarios.conduct import Run
from scenarios.ground import UnusableStoreError
from scenarios.history import read_history
from scenarios.options import Options
from scenarios.registry import SCENARIOS
from scenarios.screen import Screen
from scenarios.simulation.arguments import DESCRIPTION, add_arguments

PASS: Final = 0
FAIL: Final = 1
MISUSE: Final = 2
INTERRUPTED: Final = 130

_EPILOG: Final = """\
stores:
  embedded                   an S3 server of this run's own on 127.0.0.1 (needs the extra `testing`)
  s3://bucket/prefix?endpoint_url=URL&region=NAME
                             S3, or anything that speaks it; both parameters may be left out.
                             Credentials come from where the AWS SDK finds them (better), or from
                             aws_access_key_id=, aws_secret_access_key=, aws_session_token=
  sqlite:///relative/path    one file; four slashes for an absolute path
  sqlite:                    a temporary file

Every run works under a prefix of its own, and leaves there what it wrote.

exit status: 0 the audit held; 1 it did not; 2 the run could not begin; 130 interrupted
"""

_OPTIONS: Final[Mapping[str, tuple[Callable[[str], object], str, str]]] = {
    "workers": (int, "N", "worker processes, 3 to 64"),
    "tasks": (int, "N", "units of work, more than workers"),
    "seed": (int, "N", "what all planned choices are drawn from"),
    "store": (str, "URL", "where they race, see below"),
    "json": (Path, "FILE", "write the result as a JSON object"),
    "logs": (Path, "DIR", "keep the workers' logs there"),
    "patience": (float, "SECONDS", "silence after which a worker is ended as hung"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.command == "list":
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:<16}{scenario.summary}")
        return PASS
    if parsed.command == "check":
        return _check(parsed.history)
    if parsed.command == "simulate":
        return _simulate(parsed)
    try:
        options = Options(**{name: vars(parsed)[name] for name in Options.__dataclass_fields__})
        run = Run(SCENARIOS[parsed.scenario], options, screen=Screen(sys.stdout))
    except ValueError as error:
        return _refuse(str(error))
    return _report(run, json_file=options.json)


def _check(path: Path) -> int:
    try:
        report = check_all(read_history(path))
    except (OSError, ValueError) as error:
        return _refuse(str(error))
    print(*report.shown(), sep="\n")
    return FAIL if report.violations else PASS


def _simulate(parsed: argparse.Namespace) -> int:
    try:
        from scenarios.simulation.command import main as simulate  # noqa: PLC0415 - needs greenlet
    except ModuleNotFoundError as error:
        return _refuse(f"simulate needs the package {error.name}, of the group `dev`")
    try:
        return simulate(parsed)
    except (OSError, ValueError) as error:
        return _refuse(str(error))


def _report(run: Run, *, json_file: Path | None) -> int:
    if sys.platform == "win32":
        return _refuse("scenarios need SIGKILL and SIGSTOP, which this system does not have")
    try:
        with _ended_by_sigterm():
            report = run.report()
    except (OSError, UnusableStoreError) as error:
        return _refuse(str(error))
    Screen(sys.stdout).say(report.summary())
    if json_file is not None:
        json_file.write_text(json.dumps(report.to_json(), indent=2) + "\n", encoding="utf-8")
    if report.audit is None:
        return INTERRUPTED
    return PASS if report.verdict == "pass" else FAIL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenarios",
        description="Real processes race over one store while faults strike; an audit judges.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="list the scenarios")
    check = commands.add_parser("check", help="check a history, see docs/history.md")
    check.add_argument("history", type=Path, metavar="HISTORY.jsonl")
    simulate = commands.add_parser(
        "simulate",
        help="simulate processes, network and clocks, from a seed",
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    add_arguments(simulate)
    run = commands.add_parser(
        "run",
        help="run a scenario and audit it",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    run.add_argument("scenario", choices=SCENARIOS, metavar="NAME", help="see `list`")
    defaults = vars(Options())
    for name, (kind, metavar, text) in _OPTIONS.items():
        default = defaults[name]
        shown = "" if default is None else f" (default: {default})"
        run.add_argument(
            f"--{name}", type=kind, default=default, metavar=metavar, help=text + shown
        )
    run.add_argument(
        "--unsafe",
        action="store_true",
        help="run the planted wrong variant, which the audit must convict",
    )
    return parser


def _refuse(text: str) -> int:
    print(f"python -m scenarios: {text}", file=sys.stderr)
    return MISUSE


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Have SIGTERM end the run as Ctrl-C does, so that no frozen worker is left behind."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
