"""What all commands have in common: where they may write, and how they end."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

UNREAD: Final = 2
INTERRUPTED: Final = 130


def status_of(main: Callable[[], int]) -> int:
    """The exit status of a command: its own, 130 after Ctrl-C, 2 if its output was closed.

    The last two end it without a traceback; of an interrupt, a line on stderr tells. Characters
    that stdout or stderr cannot encode are written as escapes.

    Args:
        main: Runs the command.

    Example:
        >>> status_of(lambda: 0)
        0
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return main()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes both when it exits, and would complain and end with 120.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        return UNREAD


def check_output(option: str, path: Path | None) -> None:
    """See that a file can be written, before the long work whose result it is to hold.

    Not guaranteed: that it still can be when the work is done.

    Args:
        option: What names it, such as `--json`.
        path: The file, there or not; None: nothing is written.

    Raises:
        ValueError: It is a folder, or lies in none, or may not be written.

    Example:
        >>> check_output("--json", Path("no-such-folder/found.json"))
        Traceback (most recent call last):
        ValueError: --json must name a file in an existing folder, not no-such-folder/found.json
    """
    if path is None:
        return
    if path.is_dir() or not path.parent.is_dir():
        raise ValueError(f"{option} must name a file in an existing folder, not {path}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"{option} must name a file that may be written; {path} may not")
