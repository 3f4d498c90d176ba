"""The one check of what callers give as seconds that must go by."""

from __future__ import annotations

import threading
from typing import Final

LONGEST: Final = threading.TIMEOUT_MAX / 2
"""Twice as much is all that a thread can wait at once, which depends on the system."""


def checked_seconds(value: object, *, name: str) -> float:
    """An argument in seconds.

    Args:
        value: The argument.
        name: What errors call it.

    Raises:
        ValueError: It is not more than 0, or more than any wait can last.
        TypeError: It is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be seconds, a number, not a {type(value).__name__}")
    if not 0 < value <= LONGEST:
        raise ValueError(
            f"{name} must be more than 0 and at most {LONGEST:.0f} seconds, not {value!r}"
        )
    return float(value)
