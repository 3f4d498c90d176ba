"""What a worker does: campaign, publish decisions while it leads, and observe all the time."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Final, cast

from persidict.clock import SYSTEM_CLOCK, Clock
from persidict_sync.coordinator import Coordinator
from persidict_sync.election import Election
from persidict_sync.held import Held
from persidict_sync.lease import Lease, LeaseSettings
from scenarios.election.audit import NAME
from scenarios.election.observer import Observer
from scenarios.leases.ledger import Ledger
from scenarios.leases.tenure import Tenure
from scenarios.leases.terms import SETTINGS, TERMS
from scenarios.leases.turns import take_turns
from scenarios.leases.wall_clock import WallClockLease
from scenarios.worker import Worker

_OBSERVERS_POLL: Final = 0.5


def work(worker: Worker) -> None:
    """Campaign until every decision is published."""
    make = _wrong_election if worker.is_unsafe else _election
    candidate = _Candidate(worker, make(worker, SYSTEM_CLOCK, poll=TERMS.poll))
    with Observer(worker, name=NAME, election=partial(make, worker, poll=_OBSERVERS_POLL)):
        take_turns(worker, name=NAME, take=candidate.campaign, ledger=candidate.decisions)


class _Candidate:
    """A worker as a candidate; what it announces is new in each campaign."""

    def __init__(self, worker: Worker, election: Election) -> None:
        self._worker = worker
        self._election = election
        self._numbers = itertools.count(1)

    def campaign(self) -> _Leadership:
        """Wait until this worker leads."""
        value = f"{self._worker.name}'s campaign {next(self._numbers)}"
        return _Leadership(self._election, self._election.campaign(value))

    def decisions(self, heat: int, tenure: Tenure) -> Ledger:
        """The decisions of a heat, and in passing a look at who leads."""
        with self._worker.operation(NAME, "leader", token=tenure.token) as operation:
            operation.returns(self._election.leader())
        return Ledger(self._worker, heat=heat, tenure=tenure)


class _Leadership:
    """What a leader holds, and gives up by resigning."""

    def __init__(self, election: Election, held: Held) -> None:
        self._election = election
        self.token = held.token
        self.data = held.data
        self.check = held.check
        self.remaining = held.remaining

    def release(self) -> bool:
        """Resign."""
        return self._election.resign()


def _election(worker: Worker, clock: Clock, *, poll: float) -> Election:
    fleet = Coordinator(worker.store, owner=worker.name, clock=clock, listeners=[worker.log_belief])
    settings: LeaseSettings = {**SETTINGS, "poll": poll}
    return fleet.election("leader", **settings)


def _wrong_election(worker: Worker, clock: Clock, *, poll: float) -> Election:
    """An election over the wrong lease."""
    meet = partial(worker.rendezvous, task=NAME)
    lease = WallClockLease(
        worker.store, NAME, owner=worker.name, between=meet, clock=clock, poll=poll
    )
    return Election(cast("Lease", lease), clock=clock)
