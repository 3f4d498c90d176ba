"""What a planted bug is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True)
class Bug:
    """A mistake that the real code does not make, as a change of it.

    Attributes:
        name: How it is called.
        summary: What is wrong, in a sentence.
        planted: Has the code make it, for as long as the context lasts.
        takes_hours: Whether it shows only where leases or permits are held for hours.
    """

    name: str
    summary: str
    planted: Callable[[], AbstractContextManager[object]]
    takes_hours: bool = False


def replacing(target: Any, **attributes: Any) -> Callable[[], AbstractContextManager[object]]:
    """Replaces attributes of a class or module."""
    return lambda: patch.multiple(target, **attributes)


def all_of(
    *planted: Callable[[], AbstractContextManager[object]],
) -> Callable[[], AbstractContextManager[object]]:
    """Plants several changes at once."""

    @contextmanager
    def plant() -> Iterator[None]:
        if not planted:
            yield
            return
        with planted[0](), all_of(*planted[1:])():
            yield

    return plant
