"""The command line; exit status 0 pass, 1 fail, 2 misuse, 130 interrupted."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from persidict.testing.command_line import INTERRUPTED
from scenarios.checks.all import EXAMPLES, check_all
from scenarios.conduct import Run
from scenarios.figures import command as figures
from scenarios.ground import UnusableStoreError
from scenarios.history import History, read_history, write_history
from scenarios.options import Options
from scenarios.pictures.commands import write_page, write_picture
from scenarios.registry import SCENARIOS
from scenarios.report import Report
from scenarios.screen import Screen
from scenarios.simulation.arguments import DESCRIPTION, add_arguments

PASS: Final = 0
FAIL: Final = 1
MISUSE: Final = 2

_EPILOG: Final = """\
stores:
  embedded                   an S3 server of this run's own on 127.0.0.1 (needs the extra `testing`)
  s3://bucket/prefix?endpoint_url=URL&region=NAME
                             S3, or anything that speaks it; both parameters may be left out.
                             The bucket must be there, or &create_bucket=true has it created.
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
    "history": (Path, "FILE", "write what happened, as docs/history.md says"),
    "report": (Path, "FILE.html", "write a page of pictures, which opens offline"),
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
    if parsed.command in _ON_HISTORIES:
        return _on_history(parsed)
    if parsed.command == "simulate":
        return _simulate(parsed)
    if parsed.command == "figures":
        return figures.run(parsed)
    try:
        options = Options(**{name: vars(parsed)[name] for name in Options.__dataclass_fields__})
        run = Run(SCENARIOS[parsed.scenario], options, screen=Screen(sys.stdout))
    except ValueError as error:
        return _refuse(str(error))
    return _report(run, options)


def _on_history(parsed: argparse.Namespace) -> int:
    drawing = getattr(parsed, "drawing", None)
    if drawing is not None and drawing.resolve() == parsed.history.resolve():
        return _refuse(f"{drawing} is the history itself; name another file to write")
    try:
        return _ON_HISTORIES[parsed.command](read_history(parsed.history), parsed)
    except (OSError, ValueError) as error:
        return _refuse(str(error))


def _check(history: History, parsed: argparse.Namespace) -> int:
    report = check_all(history)
    if not report.lines:
        return _refuse("no check applies: the history has no operation or belief that any knows")
    print(*report.shown(most=None if parsed.all else EXAMPLES), sep="\n")
    return FAIL if report.violations else PASS


def _draw_page(history: History, parsed: argparse.Namespace) -> int:
    return FAIL if write_page(parsed.drawing, history).is_convicted else PASS


def _draw_picture(history: History, parsed: argparse.Namespace) -> int:
    write_picture(parsed.drawing, history, object_=parsed.object)
    return PASS


_ON_HISTORIES: Final[Mapping[str, Callable[[History, argparse.Namespace], int]]] = {
    "check": _check,
    "report": _draw_page,
    "picture": _draw_picture,
}


def _simulate(parsed: argparse.Namespace) -> int:
    try:
        from scenarios.simulation.command import main as simulate  # noqa: PLC0415 - needs greenlet
    except ModuleNotFoundError as error:
        return _refuse(f"simulate needs the package {error.name}, of the group `dev`")
    try:
        return simulate(parsed)
    except (OSError, ValueError) as error:
        return _refuse(str(error))


def _report(run: Run, options: Options) -> int:
    if sys.platform == "win32":
        return _refuse("scenarios need SIGKILL and SIGSTOP, which this system does not have")
    try:
        with _ended_by_sigterm():
            report = run.report()
    except (OSError, UnusableStoreError) as error:
        return _refuse(str(error))
    Screen(sys.stdout).say(report.summary())
    try:
        _write(report, options)
    except (OSError, ValueError) as error:
        return _refuse(str(error))
    if report.audit is None:
        return INTERRUPTED
    return PASS if report.verdict == "pass" else FAIL


def _write(report: Report, options: Options) -> None:
    """Write what was asked for; of an interrupted run there is no history."""
    if options.json is not None:
        options.json.write_text(json.dumps(report.to_json(), indent=2) + "\n", encoding="utf-8")
    if options.history is not None and report.history is not None:
        write_history(options.history, report.history)
    if options.report is not None and report.history is not None:
        findings = report.audit.findings if report.audit else None
        write_page(options.report, report.history, findings=findings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenarios",
        description="Real processes race over one store while faults strike; an audit judges.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="list the scenarios")
    _add_commands_on_histories(commands)
    simulate = commands.add_parser(
        "simulate",
        help="simulate processes, network and clocks, from a seed",
        description=DESCRIPTION,
        allow_abbrev=False,
    )
    add_arguments(simulate)
    figures.add_to(commands)
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


def _add_commands_on_histories(commands: Any) -> None:
    check = commands.add_parser("check", help="check a history, see docs/history.md")
    page = commands.add_parser("report", help="check a history and draw a page about it")
    picture = commands.add_parser("picture", help="draw who held what when, as one SVG file")
    for parser in (check, page, picture):
        parser.add_argument("history", type=Path, metavar="HISTORY.jsonl")
    check.add_argument("--all", action="store_true", help="show every violation")
    page.add_argument("drawing", type=Path, metavar="FILE.html")
    picture.add_argument("drawing", type=Path, metavar="FILE.svg")
    picture.add_argument(
        "--object", metavar="KIND/NAME", help="what was held (default: what was held most often)"
    )


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
