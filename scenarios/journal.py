"""A worker's own log: one JSON object a line, each handed to the system before the next action."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scenarios.events import Event, parse_line

__all__ = ["Event", "Journal", "read_journal"]


class Journal:
    """The log that a worker writes; SIGKILL loses no event that it had logged.

    Its events are those of a history, and whatever else a scenario's own audit reads;
    `scenarios.history.merge` makes a history of the logs of all. Lines state no actor: whose log it
    is says so, except where a field `actor` says otherwise (the parent logs whom it struck).

    Args:
        path: The file; appended to.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def log(self, name: str, /, **fields: Any) -> None:
        """Write one event; it has left this process when this returns."""
        # Another thread's event must not come between the time and the line.
        with self._lock:
            line = json.dumps({"at": time.monotonic(), "event": name, **fields})
            self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_journal(path: Path, *, worker: str) -> Sequence[Event]:
    """The events of a log, in order; a last line torn by SIGKILL is no event.

    Raises:
        ValueError: A whole line is no event.
    """
    if not path.exists():
        return []
    *whole, _torn = path.read_bytes().split(b"\n")
    events = []
    for number, line in enumerate(whole, start=1):
        try:
            events.append(parse_line(line, actor=worker))
        except ValueError as error:
            where = f"{path.name}, line {number}"
            raise ValueError(f"{where}: no event of a worker's log ({error})") from error
    return events
