"""Threads that run one at a time, in the order of a clock that only sleeping moves."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from persidict import LocalDict, Memory
from persidict.clock import NONCE_BYTES
from persidict.memory_store import MemoryStore
from tests.contract.places import DictOver
from tests.sync.around import Around


class VirtualTime:
    """A `Clock` for any number of threads: the same seed gives the same run, in no time at all."""

    def __init__(self, *, seed: int) -> None:
        self.now = 0.0
        self._random = random.Random(seed)
        self._sleepers: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_000_000_000.0 + self.now

    def uniform(self, low: float, high: float, /) -> float:
        return self._random.uniform(low, high)

    def nonce(self) -> bytes:
        return self._random.randbytes(NONCE_BYTES)

    def sleep(self, seconds: float, /) -> None:
        mine = self._at(self.now + seconds)
        self._wake_next()
        mine.wait()

    def run(self, *functions: Callable[[], object]) -> None:
        """Run all functions at once, each in a thread; raise what one of them raises."""
        errors: list[BaseException] = []

        def body(function: Callable[[], object], turn: threading.Event) -> None:
            turn.wait()
            try:
                function()
            except BaseException as error:  # noqa: BLE001 - raised again below
                errors.append(error)
            self._wake_next()

        threads = [
            threading.Thread(target=body, args=(function, self._at(self.now)), daemon=True)
            for function in functions
        ]
        for thread in threads:
            thread.start()
        self._wake_next()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _at(self, when: float) -> threading.Event:
        event = threading.Event()
        heapq.heappush(self._sleepers, (when, next(self._numbers), event))
        return event

    def _wake_next(self) -> None:
        if self._sleepers:
            self.now, _, event = heapq.heappop(self._sleepers)
            event.set()


class Distant(Around):
    """A store whose every request takes `latency` seconds, more or less, half of it each way."""

    def __init__(self, memory: Memory, *, clock: VirtualTime, latency: float) -> None:
        super().__init__(MemoryStore(memory, clock=clock))
        self.requests: Counter[str] = Counter()
        self._clock = clock
        self._latency = latency

    def pass_on(self, verb: str, call: Callable[[], Any]) -> Any:
        self.requests[verb] += 1
        self._clock.sleep(self._latency * self._clock.uniform(0.3, 0.7))
        answer = call()
        self._clock.sleep(self._latency * self._clock.uniform(0.3, 0.7))
        return answer

    def dictionary(self) -> DictOver:
        return DictOver(store=self, clock=self._clock, serialization_format="json")


__all__ = ["Distant", "LocalDict", "VirtualTime"]
