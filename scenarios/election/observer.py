"""A worker's second eye: it observes the election while the worker does something else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from persidict.clock import Clock, SystemClock
from persidict_sync.election import Election
from scenarios.worker import Worker


class StoppedError(Exception):
    """Whoever slept is not to go on."""


class StoppableClock(SystemClock):
    """The system's clock, whose sleepers can be told to stop."""

    def __init__(self) -> None:
        super().__init__()
        self._stopped = threading.Event()

    def sleep(self, seconds: float, /) -> None:
        """Block this thread for `seconds`.

        Raises:
            StoppedError: `stop` was called.
        """
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """Wake all sleepers, and let nobody sleep any more."""
        self._stopped.set()


class Observer:
    """Logs every leader that it is told of, in a thread, from entering to leaving the context.

    Args:
        worker: Whose eye it is.
        name: The election, `kind/name`.
        election: Makes the election that it observes, on that clock.
    """

    def __init__(self, worker: Worker, *, name: str, election: Callable[[Clock], Election]) -> None:
        self._worker = worker
        self._name = name
        self._clock = StoppableClock()
        self._election = election(self._clock)
        self._thread = threading.Thread(target=self._observe, name="observer", daemon=True)
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._clock.stop()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _observe(self) -> None:
        try:
            for value in self._election.observe():
                self._worker.log("observed", object=self._name, value=value)
        except StoppedError:
            return
        except Exception as error:  # noqa: BLE001 - raised where the worker ends
            self._error = error
