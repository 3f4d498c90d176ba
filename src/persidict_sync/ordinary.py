"""Functions that run when they are called, as opposed to those that only make something to run."""

from __future__ import annotations

import functools
import inspect
from types import MethodType
from typing import Any, Final

_MAKERS: Final = (
    (inspect.iscoroutinefunction, "an async function", "asyncio.run"),
    (inspect.isasyncgenfunction, "an async generator function", "asyncio.run"),
    (inspect.isgeneratorfunction, "a generator function", "list"),
)


def check_ordinary(function: object, *, what: str) -> None:
    """Raise unless it can be called, and has run when the call returns.

    Not guaranteed: that every function which returns a coroutine or a generator is found out; it
    is if it was defined as such, also behind `functools.partial` or as `__call__` of its class.

    Args:
        function: Anything.
        what: What errors call it, such as `"function"`.

    Raises:
        TypeError: It cannot be called, or a call only makes a coroutine or a generator.

    Example:
        >>> check_ordinary(len, what="function")
        >>> async def load():
        ...     return 5
        >>> check_ordinary(load, what="function")
        Traceback (most recent call last):
            ...
        TypeError: function is an async function: a call runs nothing of it. Give one that runs \
it, as by asyncio.run.
    """
    if not callable(function):
        raise TypeError(f"{what} must be callable, not a {type(function).__name__}")
    called = _inner(function)
    for one in (called, _inner(type(called).__call__)):
        for is_maker, kind, runner in _MAKERS:
            if is_maker(one):
                raise TypeError(
                    f"{what} is {kind}: a call runs nothing of it. Give one that runs it, as by "
                    f"{runner}."
                )


def _inner(function: Any) -> Any:
    """What is called in the end."""
    while True:
        match function:
            case functools.partial():
                function = function.func
            case MethodType() | staticmethod():
                function = function.__func__
            case _:
                return function
