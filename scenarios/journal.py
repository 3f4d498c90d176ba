"""A worker's own log: one JSON object a line, each handed to the system before the next action."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class Journal:
    """The log that a worker writes; SIGKILL loses no event that it had logged.

    Args:
        path: The file; appended to.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def log(self, name: str, /, **fields: Any) -> None:
        """Write one event; it has left this process when this returns."""
        line = json.dumps({"at": time.monotonic(), "event": name, **fields})
        self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True)
class Event:
    """One line of a worker's log; `at` is in seconds of this machine's monotonic clock."""

    worker: str
    name: str
    at: float = 0.0
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]


def read_journal(path: Path, *, worker: str) -> Sequence[Event]:
    """The events of a log, in order; a last line torn by SIGKILL is no event.

    Raises:
        ValueError: A whole line is no event.
    """
    if not path.exists():
        return []
    *whole, _torn = path.read_bytes().split(b"\n")
    return [
        _parse(line, worker=worker, where=f"{path.name}, line {number}")
        for number, line in enumerate(whole, start=1)
    ]


def _parse(line: bytes, *, worker: str, where: str) -> Event:
    try:
        fields = json.loads(line)
        return Event(worker, fields.pop("event"), fields.pop("at"), fields)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{where}: no event of a worker's log") from error
