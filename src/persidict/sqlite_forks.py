"""Forks: they wait until no thread is inside SQLite, or their child must keep out of it.

What a child inherits of SQLite in use makes it take the parent's locks on the file for its own, and
locks in memory that nobody releases any more: its writes would be lost, or it would hang.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Final

LONGEST: Final = 5.0
"""Seconds that a fork waits for threads that are inside SQLite."""
_POLL: Final = 0.001


class ForkedInsideError(sqlite3.OperationalError):
    """This process was forked while a thread of its parent was inside SQLite."""

    advice = "Start such processes by spawn, or fork them before other threads use SQLite."

    def __init__(self) -> None:
        super().__init__("this process was forked while a thread of its parent was inside SQLite")


# These are changed in one step each: a lock would be held when a signal's handler wants it.
_uses: dict[object, int] = {}
"""The threads that are inside SQLite, each as often as it is."""
_forks: dict[int, threading.Event] = {}
"""The threads that are about to fork, and what is set when they have."""
_must_keep_out = False
_turn = threading.RLock()
"""Of those who fork: each closes what nobody uses, and none forks while another does that."""


@contextmanager
def inside_sqlite() -> Iterator[None]:
    """Have forks wait until the block has ended, and wait for those that are under way.

    Raises:
        ForkedInsideError: SQLite cannot be used in this process.
    """
    use = object()
    try:
        _enter(use)
        yield
    finally:
        _uses.pop(use, None)


def _enter(use: object) -> None:
    if _must_keep_out:
        raise ForkedInsideError
    me = threading.get_ident()
    while True:
        # First said, then looked: whoever is about to fork does it the other way round.
        _uses[use] = me
        under_way = next((is_over for by, is_over in [*_forks.items()] if by != me), None)
        if under_way is None:
            return
        del _uses[use]
        if not under_way.wait(LONGEST):
            # Perhaps it waits for this thread. Its child will keep out.
            _uses[use] = me
            return


def before_fork(close_idle: Callable[[], None]) -> None:
    """Wait until no thread is inside SQLite, and keep all out of it until the fork is over.

    Args:
        close_idle: Closes all connections that nobody uses.
    """
    me = threading.get_ident()
    until = monotonic() + LONGEST
    _turn.acquire(timeout=LONGEST)
    _forks[me] = threading.Event()
    # A handler of a signal may fork in the midst of its own thread's use, which does not end.
    while _uses and me not in [*_uses.values()] and monotonic() < until:
        sleep(_POLL)
    close_idle()


def _after_fork_in_parent() -> None:
    is_over = _forks.pop(threading.get_ident(), None)
    if is_over is not None:
        is_over.set()
    with suppress(RuntimeError):
        _turn.release()


def _after_fork_in_child() -> None:
    global _must_keep_out, _turn  # noqa: PLW0603 - a process has one of each
    _must_keep_out = _must_keep_out or bool(_uses)
    _turn = threading.RLock()
    _uses.clear()
    _forks.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
