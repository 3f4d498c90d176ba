"""Programs of a few lines, each run by an interpreter of its own from start to end."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def program(text, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
