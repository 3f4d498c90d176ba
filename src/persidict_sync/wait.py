"""The one way to wait: look, and look again, until there is something or the time is up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from persidict.clock import Clock
from persidict_sync.seconds import LONGEST

T = TypeVar("T")


def poll_until(
    look: Callable[[], T | None],
    *,
    clock: Clock,
    deadline: float | None,
    next_poll: Callable[[], float],
    spread: float = 0.0,
    tell_waited: Callable[[float], object] = lambda _: None,
) -> T | None:
    """What `look` finds, or None at the deadline; it looks at least once, and once at the end.

    Args:
        look: One look; None means: not yet.
        clock: What is asked for the time, for randomness and to sleep.
        deadline: On the clock's monotonic scale; None waits for ever.
        next_poll: Seconds until another look makes sense.
        spread: Up to so many seconds, at random, are added to each pause, so that those who wait
            for the same thing do not look at the same time.
        tell_waited: Is told at the end for how many seconds it paused, if it did.
    """
    waited = 0.0
    try:
        while True:
            found = look()
            if found is not None:
                return found
            left = None if deadline is None else deadline - clock.monotonic()
            if left is not None and left <= 0:
                return None
            pause = next_poll() + clock.uniform(0.0, spread)
            began = clock.monotonic()
            clock.sleep(pause if left is None else min(pause, left))
            waited += clock.monotonic() - began
    finally:
        if waited:
            tell_waited(waited)


def checked_timeout(timeout: float | None) -> float | None:
    """A `timeout=` argument: seconds, 0 or more, or None for ever.

    Raises:
        ValueError: It is negative or not a number.
        TypeError: It is no number.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout must be seconds or None, not a {type(timeout).__name__}")
    if not timeout >= 0:
        raise ValueError(f"timeout must be 0 seconds or more, or None for ever; not {timeout!r}")
    return float(min(timeout, LONGEST))
