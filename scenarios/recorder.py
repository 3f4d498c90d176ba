"""Operations as they are called, written down as a history's events."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Final, Protocol, TypeVar

from persidict import OutcomeUnknownError

T = TypeVar("T")


class Log(Protocol):
    """Where events go, such as `Journal.log` or `Worker.log`: it knows whose they are and when."""

    def __call__(self, name: str, /, **fields: Any) -> None:
        """Take one event."""


def _as_it_is(value: Any) -> Any:
    return value


class Recorder:
    """Calls what it is given, and writes down the call and how it ended.

    An `OutcomeUnknownError` is written as unknown, every other `Exception` as failed: that is what
    the primitives promise. Whatever ends the actor itself writes nothing, and so is unknown, too.

    Args:
        log: Where the events go.
        actor: Who calls; ids begin with it, so that they are unique in the history of all.
    """

    def __init__(self, log: Log, *, actor: str) -> None:
        self._log: Final = log
        self._actor: Final = actor
        self._numbers: Final = count(1)

    def call(
        self,
        object: str,  # noqa: A002 - the field's name in the format
        op: str,
        function: Callable[[], T],
        *,
        args: dict[str, Any] | None = None,
        shown: Callable[[T], Any] = _as_it_is,
    ) -> T:
        """Call a function as one operation; returns and raises what it does.

        Args:
            object: On what, as kind and name.
            op: What.
            function: Does it.
            args: With what; JSON.
            shown: From what it returned to what the history states as its value; JSON.
        """
        identity = f"{self._actor}.{next(self._numbers)}"
        self._log("call", id=identity, object=object, op=op, args=args or {})
        try:
            value = function()
        except Exception as error:
            outcome = "unknown" if isinstance(error, OutcomeUnknownError) else "failed"
            self._log(outcome, id=identity, error=type(error).__name__)
            raise
        self._log("return", id=identity, value=shown(value))
        return value
