"""`SQLiteDict`: the conditional dictionary in one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Unpack

from persidict.jokers_and_status_flags import ValueType
from persidict.persi_dict import PersiDict, Settings
from persidict.sqlite_store import SQLiteStore
from persidict.store_around import StoreAround


class SQLiteDict(PersiDict[ValueType]):
    """A `PersiDict` in one file, shared by any number of processes and threads of one machine.

    Atomic and durable: what was acknowledged is there after `kill -9` and after a power cut,
    as far as the disk keeps what it confirms. A fork waits until no thread is inside SQLite; where
    that lasts longer than 5 s, for another process keeps the file locked, every call ends in
    `BackendError` in the child. Not guaranteed: anything on a network file system, whose locks
    SQLite cannot trust; and forks of programs that also use SQLite otherwise. Nor that anyone can
    write while a process is frozen in the middle of a write: others can read, and
    their writes end in `BackendError`, until it is thawed or killed.

    The constructor opens the file, and creates it if it is not there. Should it be deleted or moved
    later, every call ends in `BackendError`; what has taken its place is used in its stead.

    Args:
        path: The file; SQLite keeps `-wal` and `-shm` files beside it.
        **settings: The arguments of `PersiDict`.

    Raises:
        BackendError: The file cannot be opened, or is another application's.
        ValueError: The path is empty or `:memory:`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     d = SQLiteDict(folder + "/jobs.db", serialization_format="json")
        ...     d["1"] = "open"
        ...     SQLiteDict(folder + "/jobs.db", serialization_format="json")["1"]
        'open'
    """

    def __init__(self, path: str | os.PathLike[str], **settings: Unpack[Settings]) -> None:
        super().__init__(**settings)
        text = os.fspath(path)
        if text in ("", ":memory:"):
            raise ValueError("path must name a file; for memory use LocalDict")
        self.path = str(Path(text).absolute())
        self._attach(SQLiteStore(Path(self.path), policy=self._policy))

    def close(self) -> None:
        """Close idle connections to the file; the next operation opens one again."""
        store = self._items.store.store
        while isinstance(store, StoreAround):
            store = store.inner
        assert isinstance(store, SQLiteStore)
        store.close()

    def _params(self) -> dict[str, Any]:
        return {**super()._params(), "path": self.path}
