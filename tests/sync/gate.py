"""A store that holds a write until a test lets it go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from persidict import Memory
from persidict.memory_store import MemoryStore
from tests.contract.places import InMemory
from tests.sync.around import Around


class Gate(Around):
    """A store whose next write waits, once it is armed, until the test opens the gate."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(Memory(), clock=InMemory().clock))
        self.is_armed = False
        self.is_waiting = threading.Event()
        self.is_open = threading.Event()
        self.puts = 0
        self.answer: Callable[[Any], Any] = lambda answer: answer

    def pass_on(self, verb: str, call: Callable[[], Any]) -> Any:
        if verb != "put":
            return call()
        self.puts += 1
        if not self.is_armed:
            return call()
        self.is_armed = False
        self.is_waiting.set()
        assert self.is_open.wait(30.0)
        return self.answer(call())
