"""The claim of whoever runs a task."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from persidict_sync.cell import Cell
from persidict_sync.claim_state import (
    DEAD,
    DONE,
    FAILED,
    REQUEUED,
    ClaimState,
    completed,
    error_text,
    failed,
    given_back,
)
from persidict_sync.context import Context
from persidict_sync.errors import LeaseLost, RecordTooLargeError, StaleTokenError
from persidict_sync.outcome import Known, Transition, Updated
from persidict_sync.resident import Resident

if TYPE_CHECKING:
    from persidict_sync.worker import Life


class Claim(Resident):
    """A task that this process has claimed, and runs.

    Guaranteed: its result is committed at most once, under its token; a `complete` under a token
    that was overtaken is refused. Under `on_owner_death="never"` nobody else ever gets a claim of
    this task. Not guaranteed, under `"reclaim"`: that nobody else runs the task at the same time,
    when this process was paused or cut off; `check` tells as soon as this process can know.

    Attributes:
        task: The task.
        token: The fencing token, which rises with every claim of the task.
        attempts: How often the task was claimed, this time included.

    Example:
        >>> from persidict_sync import Coordinator
        >>> claim = Coordinator("memory:").claims("frames").claim("frame-7")
        >>> claim.token
        1
        >>> claim.complete({"pixels": 640})
    """

    def __init__(
        self,
        task: str,
        cell: Cell[ClaimState],
        known: Known[ClaimState],
        *,
        context: Context,
        life: Life,
        max_attempts: int | None,
    ) -> None:
        state = known.state
        assert state is not None
        self.task: Final = task
        self.token: Final = state.token
        self.attempts: Final = state.attempts
        self._identity: Final = state.claim
        self._policy: Final = state.on_owner_death
        self._cell = cell
        self._known = known
        self._context = context
        self._life = life
        self._max_attempts = max_attempts
        self._process = os.getpid()
        # Reentrant: a signal's handler may settle what this thread is settling; the record decides.
        self._lock = threading.RLock()
        self._is_settled = False
        self._tried: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Claim {self.task!r}, token {self.token}>"

    def check(self) -> None:
        """Return if the task is still this claim's, as far as this process can know; no request.

        Under `"never"` nobody can take it. Under `"manual"` an operator can, and `complete` tells.

        Raises:
            LeaseLost: It was settled before; or it was claimed by the process that this one was
                forked from; or, under `"reclaim"`, this worker could not show in time that it is
                alive, and others may claim the task.
        """
        self._check_ours()
        if self._policy == "reclaim" and (reason := self._life.reason) is not None:
            raise LeaseLost(self.task, self.token, reason)

    def _check_ours(self) -> None:
        if os.getpid() != self._process:
            raise LeaseLost(self.task, self.token, "forked")
        if self._is_settled:
            raise LeaseLost(self.task, self.token, "settled")

    def complete(self, result: Any = None) -> None:
        """Commit the result; one request.

        After an `OutcomeUnknownError` or an interrupt it may be called again, with the same result.

        Args:
            result: Any JSON; 60 KiB of it fit. Store what may be larger under a key of a dictionary
                first, and complete with the key.

        Raises:
            StaleTokenError: The task was claimed again, or requeued; nothing was committed.
            LeaseLost: It was settled before, or is a parent process's, or its record is gone;
                nothing was committed.
            OutcomeUnknownError: The result may or may not have been committed.
            TypeError: The result is no JSON; nothing was committed.
            RecordTooLargeError: The result is too large; nothing was committed, and the task stays
                claimed: call it again with less.
            RecordError: The result is no JSON, or has a number that overflows a 64-bit float, or
                the record is damaged; nothing was committed.
            BackendError: The store refused, and nothing was committed.
            ConcurrencyConflictError: The store kept refusing for conflicts; nothing was committed.
        """
        try:
            self._settle("completed", {DONE}, partial(completed, token=self.token, result=result))
        except RecordTooLargeError as error:
            raise RecordTooLargeError(
                f"{error.problem}. Its task stays claimed until it is completed with less, or "
                "failed",
                error.key,
            ) from None

    def fail(self, error: BaseException | str) -> str:
        """Record that the task has failed, and why; one request.

        Under `"never"` and `"manual"` it stays `failed`, under `"manual"` until an operator
        requeues it. Under `"reclaim"` it may be claimed again, until `max_attempts`: then it is
        `dead`.

        Args:
            error: Its type and text are stored, up to 1,000 characters.

        Returns:
            `"failed"` or `"dead"`.

        Raises:
            StaleTokenError: As of `complete`, as the others.
        """
        limit = self._max_attempts if self._policy == "reclaim" else None
        text = error_text(error)
        transition = partial(failed, token=self.token, error=text, max_attempts=limit)
        return self._settle("failed", {FAILED, DEAD}, transition)

    def give_back(self, error: BaseException | str) -> str:
        """Let others claim the task at once, as an attempt that did not come to an end.

        Under `"never"` and `"manual"`, where what was begun is not begun again by itself, this is
        `fail`. One request; returns and raises as `fail` does.

        A signal's handler may call it while `complete` is under way in the same thread: one of the
        two settles the claim, and the other raises `LeaseLost`. Not promised: that a handler can
        use the store at any moment; one that raises an exception, as Ctrl-C does, always can.
        """
        if self._policy != "reclaim":
            return self.fail(error)
        transition = partial(
            given_back,
            token=self.token,
            error=error_text(error),
            max_attempts=self._max_attempts,
        )
        return self._settle("given-back", {REQUEUED, DEAD}, transition)

    def abandon(self) -> None:
        """Let it be, settled or not, as whoever has come to no end with it must; no request.

        What is not settled stays open, or what was in doubt lands. New claims of this process name
        another liveness lease, so that the owner of this one counts as dead in time.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            if not self._is_settled:
                self._life.retire()
                self._is_settled = True
        self._life.settled(self._identity)

    def _settle(
        self, event: str, becomes: Collection[str], transition: Transition[ClaimState]
    ) -> str:
        # First: another thread may have held the lock when this process was forked.
        self._check_ours()
        with self._lock:
            # Not `check`: as long as the token is the highest, the result is welcome.
            self._check_ours()
            # Before it is sent: an interrupt leaves it in doubt, just as a lost reply does.
            is_again, self._tried = event in self._tried, self._tried | {event}
            outcome = self._cell.update(
                transition, deadline=self._context.deadline(), base=self._known
            )
            self._known = outcome.known
            if not isinstance(outcome, Updated):
                self._refuse(outcome.reason, in_doubt=becomes if is_again else ())
            self._is_settled = True
        self._life.settled(self._identity)
        settled = outcome.state if isinstance(outcome, Updated) else outcome.known.state
        assert settled is not None
        self._context.tell(event, self._cell, token=self.token, status=settled.status)
        return settled.status

    def _refuse(self, reason: str, *, in_doubt: Collection[str]) -> None:
        state = self._known.state
        # Nobody else settles under this token: what was in doubt has landed.
        if reason == "settled" and state is not None and state.status in in_doubt:
            return
        self._is_settled = True
        self._life.settled(self._identity)
        if reason == "stale":
            assert state is not None
            self._context.tell("stale", self._cell, token=self.token, highest=state.token)
            raise StaleTokenError(self.task, self.token, state.token)
        raise LeaseLost(self.task, self.token, "settled" if reason == "settled" else "broken")


def surely(settle: Callable[[], str]) -> str:
    """Settle a claim, also when an interrupt comes, which is raised afterwards."""
    try:
        return settle()
    except Exception:
        raise
    except BaseException:
        with suppress(Exception):
            settle()
        raise
