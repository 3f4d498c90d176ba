"""One operation of a worker, in its log as a history has it: a call, and what came of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict_sync.errors import AcquireTimeout, LeaseLost, RecordError, StaleTokenError

CERTAINLY_NOT_APPLIED: Final = (
    AcquireTimeout,
    BackendError,
    ConcurrencyConflictError,
    LeaseLost,
    RecordError,
    StaleTokenError,
)


class Log(Protocol):
    """What events are logged to, such as a `Journal`."""

    def log(self, name: str, /, **fields: Any) -> None:
        """Take one event."""


class Operation:
    """An operation under way.

    Attributes:
        value: What it returned; null in the log if it is never said.
        outcome: `returned`, `failed` (certainly not applied) or `unknown`, once it is over.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.outcome: str | None = None

    def returns(self, value: Any) -> None:
        """Say what it returned: any JSON."""
        self.value = value


class Operations:
    """The operations of one worker, numbered.

    Args:
        worker: Its name; ids begin with it, so they are unique in the history of all workers.
        journal: Its log.
    """

    def __init__(self, worker: str, *, journal: Log) -> None:
        self._worker = worker
        self._journal = journal
        self._numbers = itertools.count(1)

    @contextmanager
    def begin(self, object_: str, op: str, args: dict[str, Any]) -> Iterator[Operation]:
        """Log the call, and its end when the block ends; an exception passes through.

        A worker that is killed inside leaves the call open. What is not known for certain not to
        have been applied may have been.
        """
        name = f"{self._worker}:{next(self._numbers)}"
        self._journal.log("call", id=name, object=object_, op=op, args=args)
        operation = Operation()
        try:
            yield operation
        except Exception as error:
            is_open = isinstance(error, OutcomeUnknownError)
            is_certain = isinstance(error, CERTAINLY_NOT_APPLIED) and not is_open
            operation.outcome = "failed" if is_certain else "unknown"
            self._journal.log(operation.outcome, id=name, error=type(error).__name__)
            raise
        operation.outcome = "returned"
        self._journal.log("return", id=name, value=operation.value)
