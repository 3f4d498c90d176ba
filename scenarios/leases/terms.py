"""The times of the leases that workers contend for, and how much work a heat and a turn have."""

from __future__ import annotations

from typing import Final

from persidict_sync.lease import LeaseSettings
from persidict_sync.watch import Terms
from scenarios.options import Options

# Renewed far more often than it would have to be, so that short turns are renewed, too.
TERMS: Final = Terms(2.5, renew_every=0.05, poll=0.15)
SETTINGS: Final[LeaseSettings] = {
    "ttl": TERMS.ttl,
    "renew_every": TERMS.renew_every,
    "poll": TERMS.poll,
}
SCHEDULING: Final = 1.5
"""Seconds by which a loaded machine may delay a takeover: requests under way, processes' turns."""
LATEST_TAKEOVER: Final = TERMS.patience(TERMS.ttl) + TERMS.poll + SCHEDULING

RESPITE: Final = 2 * TERMS.poll
"""Seconds for which a worker leaves the lease to others after its turn."""

_HEAT: Final = 25
_TURNS: Final = 4
_MIN_HEATS: Final = 4


def heat_size(options: Options) -> int:
    """Up to 25 tasks a heat, and at least four heats."""
    return min(_HEAT, max(1, options.tasks // _MIN_HEATS))


def turn_size(tasks: int) -> int:
    """How many of a heat's tasks a worker does before it hands over: a quarter."""
    return -(-tasks // _TURNS)


def about_takeover() -> str:
    """How long a takeover may take, and why, in words."""
    return (
        f"{LATEST_TAKEOVER:.2f} s (ttl {TERMS.ttl:g} s * {1 + 2 * TERMS.drift:g}, poll "
        f"{TERMS.poll:g} s, {SCHEDULING:g} s for scheduling)"
    )
