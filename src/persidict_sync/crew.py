"""Threads that share one piece of work, and end together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final


class Crew:
    """Does the same work in one thread or several.

    When one fails, or the calling thread is interrupted, the others end what they have begun, and
    then that error is raised.

    Args:
        work: What each does until nothing is left, or `is_stopping`.
        size: How many do it; 1 is the calling thread itself.

    Attributes:
        is_stopping: Whether nothing new is to be begun.

    Raises:
        TypeError: `size` is no int.
        ValueError: It is less than 1.
    """

    def __init__(self, work: Callable[[], object], *, size: int) -> None:
        if type(size) is not int:
            raise TypeError(f"workers must be an int, not a {type(size).__name__}")
        if size < 1:
            raise ValueError(f"workers must be 1 or more, not {size}")
        self.is_stopping = False
        self._work: Final = work
        self._size: Final = size
        self._lock = threading.Lock()
        self._active = size
        self._has_ended = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do the work, and raise what ended it early."""
        if self._size == 1:
            self._work()
        else:
            self._run_in_threads()

    def _run_in_threads(self) -> None:
        threads = [threading.Thread(target=self._guarded, daemon=True) for _ in range(self._size)]
        try:
            for thread in threads:
                thread.start()
            self._wait_for(threads)
        except BaseException:
            self.is_stopping = True
            self._wait_for(threads)
            raise
        if self._error is not None:
            raise self._error

    def _wait_for(self, threads: list[threading.Thread]) -> None:
        # Not `join`: when one is interrupted, Python 3.11 takes the thread for ended. Nor only the
        # event: a thread whose start was interrupted may never set it.
        while not self._has_ended.wait(0.2) and any(thread.is_alive() for thread in threads):
            pass

    def _guarded(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where `run` was called
            with self._lock:
                self._error = self._error or error
            self.is_stopping = True
        with self._lock:
            self._active -= 1
            if not self._active:
                self._has_ended.set()
