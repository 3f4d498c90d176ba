"""Bids for tasks: at most one wins, and whoever made it is told so, also when replies are lost."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import partial
from typing import Final

from persidict import NonEmptySafeStrTuple, OutcomeUnknownError
from persidict_sync.cas import Cell, Known, Refused, Updated
from persidict_sync.claim import Claim
from persidict_sync.claim_state import DEAD, OPEN, Bid, ClaimState, claimed
from persidict_sync.tasks import Task, Tasks, task_of, text_of
from persidict_sync.worker import Life


class Bids:
    """The bids of this process for the tasks of one name.

    Args:
        tasks: The tasks, under which policy, and for how long an owner is alive.
        max_attempts: How often a task may be claimed under `"reclaim"`.
    """

    def __init__(self, tasks: Tasks, *, max_attempts: int | None) -> None:
        self._tasks: Final = tasks
        self._context: Final = tasks.context
        self._max_attempts: Final = max_attempts
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._life = Life(self._context, terms=self._tasks.terms)
        # Bids that may have landed, by the claims that they would be, with the life that they name.
        self._doubts: dict[NonEmptySafeStrTuple, dict[str, _Bidder]] = {}

    def contend(self, key: NonEmptySafeStrTuple, *, take_over: bool) -> Claim | Task:
        """Claim a task, or tell whose it is; `Claims.contend` documents it."""
        found = self._bid(key, base=None, died=None)
        if isinstance(found, Claim):
            return found
        task = task_of(key, _sure(found))
        if take_over and self._tasks.is_abandoned(task):
            found = self._bid(key, base=found, died=task.token)
            if isinstance(found, Claim):
                return found
            task = task_of(key, _sure(found))
        self._context.tell(
            "claim-lost", self._tasks.cell(key), status=task.status, holder=task.owner
        )
        return task

    def _bid(
        self, key: NonEmptySafeStrTuple, *, base: Known[ClaimState] | None, died: int | None
    ) -> Claim | Known[ClaimState]:
        cell, claim = self._tasks.cell(key), self._context.clock.nonce().hex()
        life, since = self._enter(claim), self._context.clock.monotonic()
        bid = Bid(
            claim=claim,
            worker=life.worker,
            owner=self._context.owner,
            ttl=self._tasks.terms.ttl,
            on_owner_death=self._tasks.on_owner_death,
            max_attempts=self._max_attempts,
        )
        mine, earlier = _Bidder(claim, life, since), frozenset(self._doubts.get(key, {}))
        winner: _Bidder | None = None
        try:
            outcome = cell.update(
                partial(claimed, bid=bid, died=died),
                base=base or cell.absent(),
                deadline=self._context.deadline(),
            )
            state = _sure(outcome.known)
            doubtful = self._taken(key, state.claim, known_before=earlier)
            if state.status == OPEN:
                winner = mine if state.claim == bid.claim else doubtful
        except BaseException as error:
            # It may have landed, and if so it is nobody else's.
            if isinstance(error, OutcomeUnknownError) or not isinstance(error, Exception):
                with self._lock:
                    self._doubts.setdefault(key, {})[bid.claim] = mine
            raise
        finally:
            if winner is None or winner.life is not life:
                life.settled(claim)
        if winner is None or not self._is_won(winner, by=life):
            self._tell_dead(cell, outcome)
            return outcome.known
        return self._won(key, cell, outcome.known, winner)

    def _taken(
        self, key: NonEmptySafeStrTuple, claim: str, *, known_before: frozenset[str]
    ) -> _Bidder | None:
        """Whose bid in doubt this claim was; of all threads that ask, one is told."""
        with self._lock:
            doubts = self._doubts.pop(key, {})
            bidder = doubts.pop(claim, None)
            # What was in doubt before the record was looked at, and is not there, never will be.
            left = {one: doubts[one] for one in doubts if one not in known_before}
            if left:
                self._doubts[key] = left
            return bidder

    def _is_won(self, winner: _Bidder, *, by: Life) -> bool:
        """Whether a claim may be had that this call, or one before it, has won."""
        return (
            winner.life is by
            or winner.life.rejoin(winner.claim)
            or self._tasks.on_owner_death != "reclaim"
        )

    def _won(
        self,
        key: NonEmptySafeStrTuple,
        cell: Cell[ClaimState],
        known: Known[ClaimState],
        winner: _Bidder,
    ) -> Claim:
        winner.life.begin(winner.since)
        state = _sure(known)
        self._context.tell("claimed", cell, token=state.token, attempts=state.attempts)
        return Claim(
            text_of(key),
            cell,
            known,
            context=self._context,
            life=winner.life,
            max_attempts=self._max_attempts,
        )

    def _tell_dead(
        self, cell: Cell[ClaimState], outcome: Updated[ClaimState] | Refused[ClaimState]
    ) -> None:
        if isinstance(outcome, Updated) and outcome.state.status == DEAD:
            self._context.tell("dead", cell, token=outcome.state.token)

    def _enter(self, claim: str) -> Life:
        """The life that a claim is to name; it lasts until that is settled."""
        with self._lock:
            if os.getpid() != self._process:
                self._begin()
            while not self._life.enter(claim):
                self._life = Life(self._context, terms=self._tasks.terms)
            return self._life


@dataclass(frozen=True, slots=True)
class _Bidder:
    """Who made a bid, and when it was first sent."""

    claim: str
    life: Life
    since: float


def _sure(known: Known[ClaimState]) -> ClaimState:
    assert known.state is not None
    return known.state
