"""What happened, as data: one event for each, which logs, statistics and histories consume.

The library is quiet until asked. Events go to listeners, and as one line each to the stdlib logger
`persidict_sync` through structlog; nothing is printed and structlog is not configured.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

LOGGER: Final = "persidict_sync"

_logger: Final = logging.getLogger(LOGGER)
_logger.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        name: What, such as `"acquired"`, `"renewed"`, `"lost"`, `"conflict"`, `"settled"`.
        kind: The kind of primitive, such as `"lease"`.
        key: The primitive's name.
        owner: Whose it was.
        at: When, in seconds on the owner's monotonic clock.
        fields: What else is known of it; never a value that a user stored.
    """

    name: str
    kind: str
    key: str
    owner: str
    at: float
    fields: Mapping[str, Any] = field(default_factory=dict)


Listener: TypeAlias = Callable[[Event], None]


def log(event: Event) -> None:
    """The listener that every coordinator has: one line at level INFO, if anyone listens there."""
    if not _logger.isEnabledFor(logging.INFO):
        return
    import structlog

    structlog.wrap_logger(_logger, wrapper_class=structlog.stdlib.BoundLogger).info(
        event.name, kind=event.kind, key=event.key, owner=event.owner, **event.fields
    )
