"""`python -m persidict.testing.conformance`: checks a store of S3's kind."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from persidict.bucket_address import FORM, parse_bucket
from persidict.exceptions import BackendError
from persidict.testing.command_line import check_output, status_of
from persidict.testing.conformance.check_store import check_store
from persidict.testing.conformance.findings import Finding

CONFORMS: Final = 0
DOES_NOT: Final = 1
NOT_CHECKED: Final = 2
_EPILOG: Final = f"""\
address:
  {FORM}

Credentials come from where the AWS SDK finds them. The bucket must be there, or create_bucket=true
has it created. Everything is written under a prefix of its own and deleted again.

exit status: 0 nothing wrong was found; 1 something was; 2 it was not checked, or nobody read on;
130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the store that the command line names; the exit status."""
    options = _parser().parse_args(arguments)
    try:
        check_output("--json", options.json)
        d = parse_bucket(options.address).open()
        found = check_store(d, rounds=options.rounds, racers=options.racers, tell=_tell)
    except (BackendError, ValueError) as error:
        sys.stderr.write(f"not checked: {error}\n")
        return NOT_CHECKED
    _say(str(found).partition("\n\n")[2])
    if options.json is not None:
        options.json.write_text(json.dumps(found.to_json(), indent=2) + "\n", encoding="utf-8")
    return CONFORMS if found.conforms else DOES_NOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m persidict.testing.conformance",
        description="Find out whether a store keeps what conditional operations rely on.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("address", metavar="s3://BUCKET", help="an address, see below")
    parser.add_argument("--rounds", type=int, default=100, metavar="N", help="of each race")
    parser.add_argument("--racers", type=int, default=16, metavar="N", help="in each race")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings as JSON")
    return parser


def _tell(finding: Finding) -> None:
    mark = "ok  " if finding.holds else "FAIL"
    _say(f"{mark}  {finding.check:<40}  {finding.seen}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(status_of(main))
