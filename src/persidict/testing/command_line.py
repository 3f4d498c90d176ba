"""How a command ends that is interrupted, or whose output nobody reads any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

UNREAD: Final = 2
INTERRUPTED: Final = 130


def status_of(main: Callable[[], int]) -> int:
    """The exit status of a command: its own, 130 after Ctrl-C, 2 if its output was closed.

    The last two end it without a traceback; of an interrupt, a line on stderr tells.

    Args:
        main: Runs the command.

    Example:
        >>> status_of(lambda: 0)
        0
    """
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
