"""A worker's run over many tasks, of which a fleet shares the claims."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from persidict import NonEmptySafeStrTuple, OutcomeUnknownError
from persidict_sync.bids import Bids
from persidict_sync.claim import Claim, surely
from persidict_sync.claim_state import DEAD, DONE, FAILED, OPEN, REQUEUED
from persidict_sync.crew import Crew
from persidict_sync.errors import LeaseLost, RecordError, StaleTokenError
from persidict_sync.ordinary import check_ordinary
from persidict_sync.pace import Pace
from persidict_sync.route import Board, Gap
from persidict_sync.tasks import Task, Tasks

PATIENCE: Final = 12
"""A gap whose tasks will be begun within so many requests' time is left to who walks there."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        total: How many tasks there are.
        done: How many this process has completed.
        failed: How many have failed in this process.
        elsewhere: How many others are known to have claimed.
    """

    total: int
    done: int
    failed: int
    elsewhere: int


class Run:
    """One call of `Claims.run`; the arguments are documented there."""

    def __init__(
        self,
        records: Tasks,
        bids: Bids,
        function: Callable[[Any], Any],
        tasks: Iterable[Any],
        *,
        workers: int,
        progress: Callable[[Progress], object] | None,
    ) -> None:
        check_ordinary(function, what="function")
        if progress is not None:
            check_ordinary(progress, what="progress")
        if isinstance(tasks, str):
            raise TypeError("tasks must be several tasks, not one string")
        named = {NonEmptySafeStrTuple(task): task for task in tasks}
        # All processes must go round in the same order, and a set has another one in each.
        self._keys = sorted(named)
        self._tasks = [named[key] for key in self._keys]
        self._numbers = {key: number for number, key in enumerate(self._keys)}
        self._records = records
        self._bids = bids
        self._clock = records.context.clock
        self._function = function
        self._crew = Crew(self._work, size=workers)
        self._progress = progress
        self._lock = threading.RLock()
        self._board = Board(len(self._keys), uniform=self._clock.uniform)
        self._round, self._request = Pace(), Pace()
        self._doubtful: deque[int] = deque()
        self._again: deque[int] = deque()
        self._settled: set[int] = set()
        self._gone: set[int] = set()
        self._running: set[int] = set()
        self._done = self._failed = 0
        self._has_scanned = False
        self._is_in_vain = False

    def outcome(self) -> Progress:
        """Run until nothing is left, or raise what ended it."""
        try:
            self._crew.run()
        finally:
            for number in self._doubtful:
                self._bids.abandon(self._keys[number])
        return self._counts()

    def _work(self) -> None:
        at: int | None = None
        while not self._crew.is_stopping and (number := self._next(at)) is not None:
            at = number if self._try(number) else None
        while not self._crew.is_stopping and (number := self._once_more()) is not None:
            self._try(number, take_over=True)

    def _next(self, at: int | None) -> int | None:
        """The next task to try, marked so that no other thread does; None if there is none."""
        pause = 0.0
        while True:
            self._clock.sleep(pause)
            with self._lock:
                number = None if at is None else self._board.after(at)
                if number is None:
                    number, pause = self._elsewhere(may_pause=pause == 0.0)
                if number is not None:
                    self._board.mark(number)
                    self._running.add(number)
                if number is not None or not pause:
                    return number

    def _elsewhere(self, *, may_pause: bool) -> tuple[int | None, float]:
        """Where to begin anew, or how long to wait before that is asked again; or neither."""
        board = self._board
        if board.left == board.size > 0 and not board.looks:
            return board.anywhere(), 0.0
        if board.left and board.looks and board.left == 1:
            return board.entry(board.longest()), 0.0
        gap = self._look() if board.left else None
        if gap is None:
            return None, 0.0
        if may_pause and (pause := self._pause_for(gap)) > 0:
            return None, pause
        return board.entry(gap), 0.0

    def _look(self) -> Gap | None:
        claimed = self._records.keys()
        return self._board.look(self._numbers.get(key) for key in claimed)

    def _pause_for(self, gap: Gap) -> float:
        """Seconds after which others have begun all that is left, if that is soon; else 0."""
        seconds = gap.length * self._round.mean
        is_soon = seconds <= PATIENCE * self._request.mean
        return seconds + self._request.mean if is_soon else 0.0

    def _try(self, number: int, *, take_over: bool = False) -> bool:
        """Run a task if it can be claimed; whether it makes sense to go on with the next one."""
        claims: list[Claim] = []
        try:
            return self._tried(number, take_over=take_over, hand=claims.append)
        except BaseException as error:
            self._leave(number, claims, error)
            raise

    def _tried(self, number: int, *, take_over: bool, hand: Callable[[Claim], object]) -> bool:
        began = self._clock.monotonic()
        try:
            found = self._bids.contend(self._keys[number], take_over=take_over, hand=hand)
        except OutcomeUnknownError:
            self._doubtful.append(number)
            self._end(number)
            return True
        if not isinstance(found, Claim):
            is_settled = self._is_beyond_us(found)
            self._is_in_vain = take_over and not is_settled
            self._end(number, is_settled=is_settled)
            return False
        asked = self._clock.monotonic() - began
        self._run(number, found)
        with self._lock:
            self._request.add(asked)
            self._round.add(self._clock.monotonic() - began)
        return True

    def _leave(self, number: int, claims: list[Claim], error: BaseException) -> None:
        """Give back what an interrupt has kept from its end; what cannot be must not seem run."""
        key = self._keys[number]
        try:
            with suppress(Exception):
                if not (claims or isinstance(error, Exception)):
                    self._bids.contend(key, take_over=False, hand=claims.append)
                if not isinstance(error, Exception):
                    for claim in claims:
                        surely(partial(claim.give_back, error))
        finally:
            for claim in claims:
                claim.abandon()
            self._bids.abandon(key)

    def _run(self, number: int, claim: Claim) -> None:
        try:
            result = self._function(self._tasks[number])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the task's
            self._settle(number, partial(claim.fail, error))
        else:
            self._settle(number, partial(_committed, claim, result))

    def _settle(self, number: int, settle: Callable[[], str]) -> None:
        try:
            status = surely(settle)
        except (StaleTokenError, LeaseLost):
            # Somebody else runs it by now.
            self._end(number)
            return
        with self._lock:
            self._done += status == DONE
            self._failed += status in self._final() - {DONE}
        self._end(number, is_settled=status in self._final())

    def _end(self, number: int, *, is_settled: bool = False) -> None:
        with self._lock:
            self._running.discard(number)
            if is_settled:
                self._settled.add(number)
            if self._progress is not None:
                self._progress(self._counts())

    def _counts(self) -> Progress:
        ours = self._done + self._failed + len(self._running)
        elsewhere = self._board.size - self._board.left - ours
        return Progress(self._board.size, self._done, self._failed, max(0, elsewhere))

    def _final(self) -> frozenset[str]:
        """The statuses that nothing follows, without an operator."""
        is_retried = self._records.on_owner_death == "reclaim"
        return frozenset({DONE, DEAD} if is_retried else {DONE, DEAD, FAILED})

    def _is_beyond_us(self, task: Task) -> bool:
        """Whether this run will never begin the task, as things are."""
        is_anothers = task.on_owner_death != self._records.on_owner_death
        return is_anothers or task.status in self._final()

    def _once_more(self) -> int | None:
        """A task that may be claimed again, once none is left that was never claimed."""
        while not self._crew.is_stopping:
            with self._lock:
                if self._doubtful:
                    return self._started(self._doubtful.popleft())
                # What could not be had just now is looked at again after a pause.
                if not (self._again or self._is_in_vain or self._is_over()):
                    self._scan()
                if self._again:
                    return self._started(self._again.popleft())
                if self._is_over():
                    return None
                self._is_in_vain = False
            poll = self._records.terms.poll
            self._clock.sleep(self._clock.uniform(poll / 2, poll))
        return None

    def _started(self, number: int) -> int:
        self._running.add(number)
        return number

    def _is_over(self) -> bool:
        match self._records.on_owner_death:
            case "never":
                return True
            case "manual":
                return self._has_scanned
            case _:
                return len(self._settled) == len(self._keys)

    def _scan(self) -> None:
        """Read what is not known to be settled, and remember what may be claimed again."""
        self._has_scanned = True
        left = [key for number, key in enumerate(self._keys) if number not in self._settled]
        gone = set(left) - {self._keys[number] for number in self._running}
        for task in self._records.some(left):
            number = self._numbers[task.task]
            gone.discard(task.task)
            if self._is_beyond_us(task):
                self._settled.add(number)
            elif number not in self._running and (
                task.status in {REQUEUED, FAILED}
                or (task.status == OPEN and self._records.is_abandoned(task))
            ):
                self._again.append(number)
        for key in sorted(gone):
            self._begin_anew(key)

    def _begin_anew(self, key: NonEmptySafeStrTuple) -> None:
        """Begin a task of which an operator has deleted the record; but not for ever."""
        number = self._numbers[key]
        if number in self._gone:
            raise RecordError("it was deleted while the task was run, again and again", key)
        self._gone.add(number)
        self._again.append(number)


def _committed(claim: Claim, result: Any) -> str:
    try:
        claim.complete(result)
    except (TypeError, RecordError) as error:
        return claim.fail(error)
    return DONE
