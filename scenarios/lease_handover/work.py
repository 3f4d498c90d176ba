"""What a worker does: contend for one lease, and write to a plain ledger while it holds it."""

from __future__ import annotations

from functools import partial

from scenarios.lease_handover.audit import NAME
from scenarios.leases.ledger import Ledger
from scenarios.leases.tenure import Tenure
from scenarios.leases.terms import SETTINGS
from scenarios.leases.turns import take_turns
from scenarios.leases.wall_clock import WallClockLease
from scenarios.worker import Worker


def work(worker: Worker) -> None:
    """Take turns under the lease until every task is done."""

    def ledger(heat: int, tenure: Tenure) -> Ledger:
        return Ledger(worker, heat=heat, tenure=tenure)

    if worker.is_unsafe:
        wrong = WallClockLease(
            worker.store, NAME, owner=worker.name, between=partial(worker.rendezvous, task=NAME)
        )
        take_turns(worker, name=NAME, take=wrong.acquire, ledger=ledger)
    else:
        lease = worker.coordinator.lease("work", **SETTINGS)
        take_turns(worker, name=NAME, take=lease.acquire, ledger=ledger)
