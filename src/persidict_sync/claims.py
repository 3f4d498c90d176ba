"""Claims: each task of many is begun by one worker, and three answers to an owner's death."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from persidict import NonEmptySafeStrTuple, OutcomeUnknownError
from persidict_sync.cas import Cell, Known, Refused, Updated
from persidict_sync.claim import Claim
from persidict_sync.claim_state import (
    DEAD,
    OPEN,
    Bid,
    ClaimState,
    OwnerDeath,
    check_policy,
    claimed,
    requeued,
)
from persidict_sync.context import Context
from persidict_sync.tasks import Task, Tasks, task_of, text_of
from persidict_sync.worker import Life

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts
    from persidict_sync.run import Progress

TaskT = TypeVar("TaskT", bound="KeyParts")


class Claims(Tasks):
    """Claims of tasks: whoever gets one runs the task, and nobody else does.

    Guaranteed, under `on_owner_death="never"`: at most one `claim` of a task ever returns a claim,
    whatever replies are lost, and it returns it to the caller whose write was applied. Under
    `"manual"`: one at a time, and after an operator's `requeue` one more. Under `"reclaim"`: a
    task whose owner died or failed is claimed again, up to `max_attempts` times: at least once,
    not exactly once. In each case its result is committed once, under the token of its claim.

    Not guaranteed: that every task is run. Under `"never"` a task whose owner died stays open, and
    `orphaned` lists it. A `claim` that raises must not be followed by running the task.

    What a task was claimed under stays with it: an object with another `on_owner_death` neither
    claims it again nor requeues it.

    Each process shows that it is alive with one liveness lease, which is renewed as long as it has
    a claim; its claims name it.

    Requests: `claim` 1 when won, 2 when lost (the second names the winner), 3 under `"reclaim"`
    when the owner has to be watched; in the background 1 for the first claim of a process, and 1
    for every third of `ttl`. `complete` and `fail` 1. Listing: one for each task, and one for
    every 1,000.

    Args:
        context: What the coordinator's primitives share.
        name: One safe string.
        on_owner_death: `"never"`, `"manual"` or `"reclaim"`, as above.
        ttl: Seconds without a renewal after which an owner counts as dead, by whoever watches it.
            Required under `"reclaim"`; 120 by default.
        max_attempts: How often a task may be claimed under `"reclaim"`, 1 or more; required there,
            and of no meaning elsewhere.
        folder: The first part of all keys, among the coordinator's.

    Raises:
        ValueError: The name is unsafe, `on_owner_death` is none of the three, or the others do not
            go with it.
        TypeError: An argument is of the wrong type.

    Example:
        >>> from persidict_sync.coordinator import Coordinator
        >>> frames = Coordinator("memory:").claims("frames")
        >>> claim = frames.claim("frame-7")
        >>> frames.claim("frame-7") is None
        True
        >>> claim.complete({"pixels": 640})
        >>> frames.result("frame-7")
        {'pixels': 640}
    """

    def __init__(
        self,
        context: Context,
        name: str,
        *,
        on_owner_death: OwnerDeath = "never",
        ttl: float | None = None,
        max_attempts: int | None = None,
        folder: str = ClaimState.kind,
    ) -> None:
        check_policy(on_owner_death, ttl=ttl, max_attempts=max_attempts)
        super().__init__(context, name, on_owner_death=on_owner_death, ttl=ttl, folder=folder)
        self.max_attempts: Final = max_attempts
        self._begin()
        self._lives_lock = threading.Lock()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._life = Life(self.context, terms=self.terms)
        # Claims that may have landed, by their identities, with the life that they name.
        self._doubts: dict[NonEmptySafeStrTuple, dict[str, _Bidder]] = {}

    def __repr__(self) -> str:
        return f"<Claims {self.name!r}, on_owner_death={self.on_owner_death!r}>"

    def claim(self, task: KeyParts) -> Claim | None:
        """Claim a task; None if it is or was somebody's, and may not be claimed again.

        A claim whose reply was lost is returned all the same, to the one who won it. After an
        `OutcomeUnknownError` do not run the task; calling `claim` again finds out.

        Args:
            task: One or more safe strings.

        Raises:
            OutcomeUnknownError: It may or may not have been claimed; do not run it.
            ValueError: The task is unsafe as a key.
            TypeError: The task is no string or sequence of strings.
            RecordError: The task's record is damaged or foreign.
            BackendError: The store could not be asked, and nothing was claimed.
        """
        found = self.contend(task)
        return found if isinstance(found, Claim) else None

    def contend(self, task: KeyParts, *, take_over: bool = True) -> Claim | Task:
        """Claim a task as `claim` does, or tell whose it is; raises as `claim` does.

        Args:
            task: One or more safe strings.
            take_over: Whether to look if its owner is dead, under `"reclaim"`.
        """
        key = NonEmptySafeStrTuple(task)
        found = self._contended(key, base=None, died=None)
        if isinstance(found, Claim):
            return found
        found_task = task_of(key, _sure(found))
        if take_over and self.is_abandoned(found_task):
            found = self._contended(key, base=found, died=found_task.token)
            if isinstance(found, Claim):
                return found
            found_task = task_of(key, _sure(found))
        self.context.tell(
            "claim-lost", self._cell(key), status=found_task.status, holder=found_task.owner
        )
        return found_task

    def requeue(self, task: KeyParts) -> bool:
        """Let a task that is open, failed or dead be claimed once more; for operators.

        Its owner's claim ends: what that completes from now on is refused. Make sure that it is
        dead, or that running the task twice at the same time is harmless.

        Returns:
            Whether it was requeued; False if it is done, requeued already or was never claimed.

        Raises:
            RuntimeError: It was claimed under `"never"`, where nothing is begun twice.
            OutcomeUnknownError: It may or may not have been requeued; repeat the call.
            RecordError: The record is damaged or foreign.
            BackendError: The store could not be asked.
        """
        cell = self._cell(NonEmptySafeStrTuple(task))
        outcome = cell.update(requeued, deadline=self.context.deadline())
        if isinstance(outcome, Updated):
            self.context.tell("requeued", cell, token=outcome.state.token)
            return True
        if outcome.reason == "never":
            raise RuntimeError(
                f"The task {text_of(NonEmptySafeStrTuple(task))!r} was claimed under "
                "on_owner_death='never', so it is never begun again. Give what is left of it "
                "another name."
            )
        return False

    def run(
        self,
        function: Callable[[TaskT], Any],
        tasks: Iterable[TaskT],
        *,
        workers: int = 1,
        progress: Callable[[Progress], object] | None = None,
    ) -> Progress:
        """Run a function over all tasks, together with everyone else who does so.

        Returns when no task is left that may be begun; under `"reclaim"`, when all are done or
        dead. A task whose function raises has failed, with the error's type and text, and the
        others go on. What others have claimed is theirs, so they may be running it still.

        Every worker begins elsewhere. One whose tasks have run out looks, in one request for
        every 1,000 tasks claimed, where the longest run of unclaimed ones is, and takes a share of
        it: few claims are lost to others, and nobody idles while there is something to do.
        Under `"never"` 16 processes over 2,000 tasks make about 1.08 requests for each task, and
        one more to complete it. Under the other policies each process reads, at the end, each
        task that others have claimed.

        At an interrupt (Ctrl-C), or any other exception that is no `Exception`: what is being run
        in this thread is given back (`Claim.give_back`: under `"never"` and `"manual"` it has
        failed); with more workers, which nothing can interrupt, what they are running is finished
        first. Then it is raised.

        Args:
            function: Gets a task and returns its result, any JSON.
            tasks: All the tasks; every process should be given the same ones.
            workers: How many threads run tasks; 1 runs them in this one.
            progress: Called after each task, and whenever more is known, with counts.

        Returns:
            The counts at the end.

        Raises:
            ValueError: A task is unsafe as a key, or there are no workers.
            TypeError: An argument is of the wrong type.
            RecordError: A record is damaged or foreign.
            BackendError: The store could not be asked.

        Example:
            >>> from persidict_sync.coordinator import Coordinator
            >>> frames = Coordinator("memory:").claims("frames")
            >>> frames.run(len, ["a", "bb", "ccc"])
            Progress(total=3, done=3, failed=0, elsewhere=0)
            >>> frames.result("ccc")
            3
        """
        from persidict_sync.run import Run

        return Run(self, function, tasks, workers=workers, progress=progress).outcome()

    def _contended(
        self, key: NonEmptySafeStrTuple, *, base: Known[ClaimState] | None, died: int | None
    ) -> Claim | Known[ClaimState]:
        cell, life, since = self._cell(key), self._enter(), self.context.clock.monotonic()
        bid = Bid(
            claim=self.context.clock.nonce().hex(),
            worker=life.worker,
            owner=self.context.owner,
            ttl=self.terms.ttl,
            on_owner_death=self.on_owner_death,
            max_attempts=self.max_attempts,
        )
        mine, earlier = _Bidder(life, since), list(self._doubts.get(key, {}))
        winner: _Bidder | None = None
        try:
            outcome = cell.update(
                partial(claimed, bid=bid, died=died),
                base=base or cell.absent(),
                deadline=self.context.deadline(),
            )
            winner = self._winner(key, _sure(outcome.known), {bid.claim: mine}, earlier)
        except BaseException as error:
            # It may have landed, and if so it is nobody else's.
            if isinstance(error, OutcomeUnknownError) or not isinstance(error, Exception):
                with self._lives_lock:
                    self._doubts.setdefault(key, {})[bid.claim] = mine
            raise
        finally:
            if winner is None or winner.life is not life:
                life.settled()
        if winner is None or not self._is_won(winner, by=life):
            self._tell_dead(cell, outcome)
            return outcome.known
        return self._won(key, cell, outcome.known, winner)

    def _winner(
        self,
        key: NonEmptySafeStrTuple,
        state: ClaimState,
        own: dict[str, _Bidder],
        earlier: Iterable[str],
    ) -> _Bidder | None:
        """Who of this process has won the task; told to one of all threads that ask for it."""
        with self._lives_lock:
            doubts = self._doubts.pop(key, {})
            winner = (own | doubts).get(state.claim)
            # What was in doubt before the record was looked at, and is not there, never will be.
            left = doubts.keys() - {*earlier, state.claim}
            if left:
                self._doubts[key] = {claim: doubts[claim] for claim in left}
        return winner if state.status == OPEN else None

    def _is_won(self, winner: _Bidder, *, by: Life) -> bool:
        """Whether a claim may be had that this call, or one before it, has won."""
        return winner.life is by or winner.life.enter() or self.on_owner_death != "reclaim"

    def _won(
        self,
        key: NonEmptySafeStrTuple,
        cell: Cell[ClaimState],
        known: Known[ClaimState],
        winner: _Bidder,
    ) -> Claim:
        winner.life.begin(winner.since)
        state = _sure(known)
        self.context.tell("claimed", cell, token=state.token, attempts=state.attempts)
        return Claim(
            text_of(key),
            cell,
            known,
            context=self.context,
            life=winner.life,
            max_attempts=self.max_attempts,
        )

    def _tell_dead(
        self, cell: Cell[ClaimState], outcome: Updated[ClaimState] | Refused[ClaimState]
    ) -> None:
        if isinstance(outcome, Updated) and outcome.state.status == DEAD:
            self.context.tell("dead", cell, token=outcome.state.token)

    def _tell_lost(self, key: NonEmptySafeStrTuple, task: Task) -> None:
        self.context.tell("claim-lost", self._cell(key), status=task.status, holder=task.owner)

    def _enter(self) -> Life:
        """The life that a claim is to name; it lasts until that is settled."""
        with self._lives_lock:
            if os.getpid() != self._process:
                self._begin()
            while not self._life.enter():
                self._life = Life(self.context, terms=self.terms)
            return self._life


@dataclass(frozen=True, slots=True)
class _Bidder:
    """Who made a bid, and when it was first sent."""

    life: Life
    since: float


def _sure(known: Known[ClaimState]) -> ClaimState:
    assert known.state is not None
    return known.state
