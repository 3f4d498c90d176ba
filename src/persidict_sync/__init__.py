"""Coordination over the conditional dictionary of `persidict`.

Everything begins with a `Coordinator`; the primitives that it gives are in modules of their names.
"""

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError, __version__
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import (
    AcquireTimeout,
    LeaseLost,
    NotDoneError,
    OwnerDied,
    RecordError,
    StaleTokenError,
    TaskFailedError,
)
from persidict_sync.events import Event

__all__ = [
    "AcquireTimeout",
    "BackendError",
    "ConcurrencyConflictError",
    "Coordinator",
    "Event",
    "LeaseLost",
    "NotDoneError",
    "OutcomeUnknownError",
    "OwnerDied",
    "RecordError",
    "StaleTokenError",
    "TaskFailedError",
    "__version__",
]
