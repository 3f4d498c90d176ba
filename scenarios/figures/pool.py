"""Processes that do what is measured; forked from one that has imported everything before."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from typing import Any, Final, TypeVar

from scenarios.figures.figure import Plant

T = TypeVar("T")

PATIENCE: Final = 300.0
"""Seconds in which one of the jobs must have ended."""


class HungError(Exception):
    """No job ended within the patience; the processes have been killed."""


def context() -> ForkServerContext:
    """Processes of it are forked from a single-threaded one, which is cheap and safe."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["scenarios.figures.preloaded"])
    return found


class Pool:
    """So many processes at a time; get it from `processes`."""

    def __init__(self, executor: ProcessPoolExecutor, *, size: int, patience: float) -> None:
        self._executor = executor
        self._size = size
        self._patience = patience

    def start(self, function: Callable[..., T], *job: Any) -> Future[T]:
        """Have one job done."""
        return self._executor.submit(function, *job)

    def run(self, function: Callable[..., T], jobs: Iterable[tuple[Any, ...]]) -> Iterator[T]:
        """What the function returns for each job, as they end; they begin in order.

        Raises:
            HungError: For `PATIENCE` seconds none of them has ended.
            concurrent.futures.process.BrokenProcessPool: A process died.
            Exception: What the function raised.
        """
        waiting = deque(jobs)
        pending: set[Future[T]] = set()
        while waiting or pending:
            while waiting and len(pending) < 2 * self._size:
                pending.add(self._executor.submit(function, *waiting.popleft()))
            ended, pending = wait(pending, self._patience, return_when=FIRST_COMPLETED)
            if not ended:
                raise HungError(f"no job has ended for {self._patience:.0f} s")
            for future in ended:
                yield future.result()


@contextmanager
def processes(
    size: int,
    *,
    plant: Plant | None = None,
    jobs_each: int | None = None,
    patience: float = PATIENCE,
) -> Iterator[Pool]:
    """A pool; none of its processes outlives the block.

    Args:
        size: How many processes at a time.
        plant: Called first in each of them.
        jobs_each: How many jobs one does before another takes its place; None: no bound.
        patience: Seconds in which one of the jobs must have ended.
    """
    before = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        size,
        mp_context=context(),
        initializer=_begin,
        initargs=(plant,),
        max_tasks_per_child=jobs_each,
    )
    try:
        yield Pool(executor, size=size, patience=patience)
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _begin(plant: Plant | None) -> None:
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if plant is not None:
        plant()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
