"""How many permits there are, and their times."""

from __future__ import annotations

from typing import Final

from persidict_sync.watch import Terms
from scenarios.leases.terms import TERMS as LEASE_TERMS
from scenarios.options import Options

NAME: Final = "permits"
TARGET: Final = f"semaphore/{NAME}"
INSIDE: Final = f"{TARGET}/inside"
"""Where unsafe workers meet again, each with a permit in hand."""

TERMS: Final = Terms(LEASE_TERMS.ttl, renew_every=0.5, poll=0.05)
SCHEDULING: Final = 1.5
"""Seconds by which a loaded machine may delay it: requests, conflicts, processes' turns."""
LATEST_RETURN: Final = TERMS.patience(TERMS.ttl) + 1.5 * TERMS.poll + SCHEDULING

FROZEN_SECONDS: Final = TERMS.patience(TERMS.ttl) + 0.5
"""Long enough for others to take the permit of a frozen one."""


def as_many_as_workers(options: Options) -> int:
    """So many tasks has a heat."""
    return options.workers


def permits_for(workers: int) -> int:
    """Three for every eight workers."""
    return max(1, 3 * workers // 8)


def one_too_many(options: Options) -> int:
    """One worker more than there are permits."""
    return permits_for(options.workers) + 1


def about_return() -> str:
    """How long a permit may take to come back, and why, in words."""
    return (
        f"{LATEST_RETURN:.2f} s (ttl {TERMS.ttl:g} s * {1 + 2 * TERMS.drift:g}, poll "
        f"{1.5 * TERMS.poll:g} s, {SCHEDULING:g} s for scheduling)"
    )
