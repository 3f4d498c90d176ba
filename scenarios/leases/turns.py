"""How workers go through the heats: in turns, each under the lease, until all is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from scenarios.leases.ledger import Ledger
from scenarios.leases.tenure import Post, Tenure, tenure
from scenarios.leases.terms import RESPITE, turn_size
from scenarios.worker import Worker

Open = Callable[[int, Tenure], Ledger]
"""From the number of a heat and what is held to the heat's ledger."""


def take_turns(worker: Worker, *, name: str, take: Callable[[], Post], ledger: Open) -> None:
    """Walk all heats; contend for the lease as long as a heat has tasks that are not done.

    Args:
        worker: The worker.
        name: The lease, `kind/name`.
        take: Waits until it has acquired it.
        ledger: Opens a heat's ledger.
    """
    for heat, tasks in enumerate(worker.heats):
        worker.line_up(heat)
        while True:
            with tenure(worker, name=name, take=take) as held:
                if _turn(ledger(heat, held), tasks):
                    break
            # Whoever has just released it knows best that it is free, and would always win.
            time.sleep(RESPITE)


def _turn(ledger: Ledger, tasks: Sequence[str]) -> bool:
    """Do a turn's tasks, as long as the lease is held; whether none of the heat's is left."""
    left = ledger.left(tasks)
    share = left[: turn_size(len(tasks))]
    return all(ledger.do(task) for task in share) and len(share) == len(left)
