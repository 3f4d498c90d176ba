"""What a worker does: hold the lease in turn, and write to a fenced ledger under its token."""

from __future__ import annotations

from scenarios.fenced_writer.audit import NAME
from scenarios.fenced_writer.ledgers import FencedLedger, UnfencedLedger
from scenarios.leases.ledger import Ledger
from scenarios.leases.tenure import Tenure
from scenarios.leases.terms import SETTINGS
from scenarios.leases.turns import take_turns
from scenarios.worker import Worker


def work(worker: Worker) -> None:
    """Take turns under the lease until every task is done."""
    kind = UnfencedLedger if worker.is_unsafe else FencedLedger

    def ledger(heat: int, tenure: Tenure) -> Ledger:
        return kind(worker, heat=heat, tenure=tenure)

    lease = worker.coordinator.lease("writer", **SETTINGS)
    take_turns(worker, name=NAME, take=lease.acquire, ledger=ledger)
