"""`LocalDict`: the conditional dictionary in the memory of one process."""

from __future__ import annotations

from typing import Any, Unpack

from persidict.jokers_and_status_flags import ValueType
from persidict.memory_store import Memory, MemoryStore
from persidict.persi_dict import PersiDict, Settings


class LocalDict(PersiDict[ValueType]):
    """A `PersiDict` in memory, atomic under threads; for tests, and to begin with.

    Not guaranteed: anything beyond this process; a forked child has a copy. A signal's handler must
    not use it: it might wait for the very thread that it has interrupted.

    Args:
        memory: What to share with other dictionaries; None for memory of its own.
        **settings: The arguments of `PersiDict`.

    Example:
        >>> d = LocalDict(serialization_format="json")
        >>> d["jobs", "1"] = {"state": "open"}
        >>> d["jobs", "1"]
        {'state': 'open'}
        >>> LocalDict(memory=d.memory, serialization_format="json") == d
        True
    """

    def __init__(self, *, memory: Memory | None = None, **settings: Unpack[Settings]) -> None:
        super().__init__(**settings)
        if not isinstance(memory, Memory | None):
            raise TypeError(f"memory must be a Memory or None, not a {type(memory).__name__}")
        self.memory = Memory() if memory is None else memory
        self._attach(MemoryStore(self.memory, clock=self._policy.clock))

    def _params(self) -> dict[str, Any]:
        return {**super()._params(), "memory": self.memory}
