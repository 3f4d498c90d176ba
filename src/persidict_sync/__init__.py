"""Coordination over the conditional dictionary of `persidict`.

Everything begins with a `Coordinator`, whose methods give the primitives. Their classes are here
for annotations, and so are those of what they give, such as `Held`, `Claim` and `Version`; each is
loaded when it is asked for first.

Example:
    >>> from persidict_sync import Coordinator, Held
    >>> def report(held: Held) -> str:
    ...     return f"{held.name} under token {held.token}"
    >>> with Coordinator("memory:").lease("nightly") as held:
    ...     report(held)
    'nightly under token 1'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError, __version__
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import (
    AcquireTimeout,
    LeaseLost,
    NotDoneError,
    OwnerDied,
    RecordError,
    RecordTooLargeError,
    StaleTokenError,
    TaskFailedError,
)
from persidict_sync.events import Event, Listener
from persidict_sync.stats import Stats

__all__ = [
    "AcquireTimeout",
    "BackendError",
    "Change",
    "Claim",
    "Claims",
    "ConcurrencyConflictError",
    "Coordinator",
    "Counter",
    "Election",
    "Event",
    "Fence",
    "Fenced",
    "Held",
    "Holder",
    "Lease",
    "LeaseLost",
    "LeaseSettings",
    "Listener",
    "Lock",
    "NotDoneError",
    "Once",
    "OutcomeUnknownError",
    "OwnerDeath",
    "OwnerDied",
    "Progress",
    "RecordError",
    "RecordTooLargeError",
    "Semaphore",
    "Sequence",
    "SharedValue",
    "StaleTokenError",
    "Stats",
    "Task",
    "TaskFailedError",
    "Version",
    "__version__",
]

if TYPE_CHECKING:
    from persidict_sync.claim import Claim
    from persidict_sync.claim_state import OwnerDeath
    from persidict_sync.claims import Claims
    from persidict_sync.counter import Counter
    from persidict_sync.election import Election
    from persidict_sync.fenced import Fence, Fenced
    from persidict_sync.held import Held
    from persidict_sync.lease import Holder, Lease, LeaseSettings
    from persidict_sync.lock import Lock
    from persidict_sync.once import Once
    from persidict_sync.run import Progress
    from persidict_sync.semaphore import Semaphore
    from persidict_sync.sequence import Sequence
    from persidict_sync.tasks import Task
    from persidict_sync.value import SharedValue
    from persidict_sync.value_state import Change
    from persidict_sync.value_watch import Version
else:
    # Loading all of them makes an import take half as long again.
    _HOMES: Final = {
        "Change": "value_state",
        "Claim": "claim",
        "Claims": "claims",
        "Counter": "counter",
        "Election": "election",
        "Fence": "fenced",
        "Fenced": "fenced",
        "Held": "held",
        "Holder": "lease",
        "Lease": "lease",
        "LeaseSettings": "lease",
        "Lock": "lock",
        "Once": "once",
        "OwnerDeath": "claim_state",
        "Progress": "run",
        "Semaphore": "semaphore",
        "Sequence": "sequence",
        "SharedValue": "value",
        "Task": "tasks",
        "Version": "value_watch",
    }

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
