"""Bids for tasks: at most one wins, and whoever made it is told so, also when replies are lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from persidict import (
    BackendError,
    ConcurrencyConflictError,
    NonEmptySafeStrTuple,
    OutcomeUnknownError,
)
from persidict_sync.cell import Cell
from persidict_sync.claim import Claim
from persidict_sync.claim_state import DEAD, OPEN, Bid, ClaimState, claimed
from persidict_sync.doubts import Bidder, Doubts
from persidict_sync.errors import RecordError
from persidict_sync.outcome import Known, Refused, Updated
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
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._life = Life(self._context, terms=self._tasks.terms)
        self._doubts = Doubts()
        self._process = os.getpid()

    def contend(
        self,
        key: NonEmptySafeStrTuple,
        *,
        take_over: bool,
        hand: Callable[[Claim], object] = lambda _: None,
    ) -> Claim | Task:
        """Claim a task, or tell whose it is; `Claims.contend` documents it.

        Args:
            key: The task.
            take_over: As of `Claims.contend`.
            hand: Is given the claim as well: an interrupt may come before it is returned.
        """
        # First of all: another thread may have held a lock when this process was forked.
        if os.getpid() != self._process:
            self._begin()
        found = self._bid(key, base=None, died=None, hand=hand)
        if isinstance(found, Claim):
            return found
        task = task_of(key, _sure(found))
        if take_over and self._tasks.is_abandoned(task):
            found = self._bid(key, base=found, died=task.token, hand=hand)
            if isinstance(found, Claim):
                return found
            task = task_of(key, _sure(found))
        self._context.tell(
            "claim-lost", self._tasks.cell(key), status=task.status, holder=task.owner
        )
        return task

    def abandon(self, key: NonEmptySafeStrTuple) -> None:
        """Do not keep alive what may have been claimed, by bids in doubt, and may never be run."""
        for bidder in self._doubts.open(key):
            bidder.life.retire()

    def _bid(
        self,
        key: NonEmptySafeStrTuple,
        *,
        base: Known[ClaimState] | None,
        died: int | None,
        hand: Callable[[Claim], object],
    ) -> Claim | Known[ClaimState]:
        cell, claim = self._tasks.cell(key), self._context.clock.nonce().hex()
        earlier = frozenset(one.claim for one in self._doubts.open(key))
        winner: Bidder | None = None
        try:
            mine = self._enter(key, claim)
            outcome = cell.update(
                partial(claimed, bid=self._terms_of(mine), died=died),
                base=base or cell.absent(),
                deadline=self._context.deadline(),
            )
            winner = self._winner(key, _sure(outcome.known), mine=mine, known_before=earlier)
            if winner is None:
                self._tell_dead(cell, outcome)
                found: Claim | Known[ClaimState] = outcome.known
            else:
                found = self._won(key, cell, outcome.known, winner)
                hand(found)
            # The last step: until here an interrupt leaves it to the next call of this process.
            self._doubts.conclude(key, call=claim, won=winner)
            return found
        except BaseException as error:
            if winner is not None:
                self._doubts.add(key, winner)
            self._doubts.leave(key, call=claim, may_land=not _is_refusal(error))
            self._life.settled(claim)
            raise

    def _enter(self, key: NonEmptySafeStrTuple, claim: str) -> Bidder:
        """A bid to be, and the life that it is to name, which lasts until that is settled."""
        with self._lock:
            while not self._life.enter(claim):
                self._life = Life(self._context, terms=self._tasks.terms)
            mine = Bidder(claim, self._life, self._context.clock.monotonic(), call=claim)
        # It may land as soon as it is sent, whatever becomes of this call.
        self._doubts.add(key, mine)
        return mine

    def _terms_of(self, bidder: Bidder) -> Bid:
        return Bid(
            claim=bidder.claim,
            worker=bidder.life.worker,
            owner=self._context.owner,
            ttl=self._tasks.terms.ttl,
            on_owner_death=self._tasks.on_owner_death,
            max_attempts=self._max_attempts,
        )

    def _winner(
        self,
        key: NonEmptySafeStrTuple,
        state: ClaimState,
        *,
        mine: Bidder,
        known_before: frozenset[str],
    ) -> Bidder | None:
        """Whose claim this call, or one before it, has won, if it may be had."""
        doubtful = self._taken(key, state.claim, call=mine.claim, known_before=known_before)
        winner = mine if state.claim == mine.claim else doubtful
        if winner is None or state.status != OPEN:
            return None
        lasts = winner.life.rejoin(winner.claim) or winner.life is mine.life
        return winner if lasts or self._tasks.on_owner_death != "reclaim" else None

    def _taken(
        self, key: NonEmptySafeStrTuple, claim: str, *, call: str, known_before: frozenset[str]
    ) -> Bidder | None:
        return self._doubts.take(key, claim, call=call, known_before=known_before)

    def _won(
        self,
        key: NonEmptySafeStrTuple,
        cell: Cell[ClaimState],
        known: Known[ClaimState],
        winner: Bidder,
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


def _is_refusal(error: BaseException) -> bool:
    """Whether it says for certain that nothing was written; an interrupt says nothing."""
    is_certain = isinstance(error, BackendError | ConcurrencyConflictError | RecordError)
    return is_certain and not isinstance(error, OutcomeUnknownError)


def _sure(known: Known[ClaimState]) -> ClaimState:
    assert known.state is not None
    return known.state
