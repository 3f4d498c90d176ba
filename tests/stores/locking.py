"""Another program's lock on a file, and the writes that meet it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from persidict import SQLiteDict


@contextmanager
def locked(path: Path, *, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """Another program is writing to the file."""
    with closing(
        sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    ) as connection:
        connection.execute(f"BEGIN {kind}")
        yield connection


WRITES: dict[str, Callable[[SQLiteDict[int]], Any]] = {
    "assign": lambda d: d.__setitem__("a", 2),
    "delete": lambda d: d.__delitem__("a"),
    "pop": lambda d: d.pop("a"),
    "setdefault": lambda d: d.setdefault("b", 2),
    "transform": lambda d: d.transform_item("a", transformer=lambda _: 2),
    "clear": lambda d: d.clear(),
}
