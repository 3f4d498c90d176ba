"""The one loop: read, decide, write under the etag that was read, settle.

Every update is applied exactly once or not at all, and the caller is told which. Each write has an
identity of its own (`op`), and a record keeps the last 128. So a record that has moved since an
attempt of ours settles it: the ring reaches back to the generation that ours would have made, and
its op is ours, or another's. As etags never repeat, an attempt whose base is gone can never land.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict_sync.errors import RecordError, RecordTooLargeError
from persidict_sync.outcome import Attempt, Known, Refused, Transition, Updated
from persidict_sync.record import Record
from persidict_sync.state import StateT

if TYPE_CHECKING:
    import tenacity

    from persidict_sync.cell import Cell

SHORTEST_PACE: Final = 0.0001
FIRST_RESEND: Final = 0.001
LONGEST_WAIT: Final = 2.0
SHORTEST_TRY: Final = 0.05
"""With less time than that left nothing is asked over a network: no answer could be in time."""
PACES: Final = 2
"""The longest wait, in multiples of the time that it took to hear of the last conflict.

So those who lose wait at the store's pace, however often they have lost: nobody falls behind.
"""


class Update(Generic[StateT]):
    """One call of `Cell.update`, from what it believes to what happened."""

    def __init__(
        self,
        cell: Cell[StateT],
        transition: Transition[StateT],
        base: Known[StateT],
        *,
        remembered: Known[StateT] | None,
        deadline: float,
        latest: float,
    ) -> None:
        self._cell = cell
        self._transition = transition
        self._base = base
        self._remembered = remembered
        self._end = deadline - SHORTEST_TRY * cell.is_remote
        self._latest = latest
        self._open: Attempt[StateT] | None = None
        self._doubt: Exception | None = None
        self._has_slept = False
        self._pace = SHORTEST_PACE
        self._tries = 0

    def outcome(self) -> Updated[StateT] | Refused[StateT]:
        """What happened; see `Cell.update`."""
        if self._cell.policy is not None:
            return self._loop(self._cell.policy)
        # Most updates end with their first try, and need no loop around it.
        outcome = self._one_try()
        if outcome is not None:
            return outcome
        if self._is_time_up():
            self._give_up()
        self._sleep(self._wait())
        return self._loop(None)

    def _loop(self, policy: tenacity.BaseRetrying | None) -> Updated[StateT] | Refused[StateT]:
        import tenacity

        policy = policy or tenacity.Retrying(wait=lambda _: self._wait())
        loop = policy.copy(
            retry=tenacity.retry_if_result(lambda result: result is None),
            # The policy is for conflicts; an attempt that may still land is no conflict.
            stop=lambda state: self._is_time_up() or (self._open is None and policy.stop(state)),
            sleep=self._sleep,
            retry_error_callback=lambda _: self._give_up(),
        )
        outcome = loop(self._one_try)
        assert outcome is not None
        return outcome

    def _wait(self) -> float:
        if self._open is not None:
            longest = FIRST_RESEND * 2 ** min(self._tries, 30)
        elif self._tries == 1:
            # The answer that told of the conflict shows what to write upon: nothing is fresher.
            return 0.0
        else:
            longest = PACES * self._pace
        return self._cell.clock.uniform(0.0, min(LONGEST_WAIT, longest))

    def _sleep(self, seconds: float) -> None:
        left = self._end - self._cell.clock.monotonic()
        if (wait := min(seconds, left)) > 0:
            self._cell.clock.sleep(wait)
            self._has_slept = True

    def _is_time_up(self) -> bool:
        return self._cell.clock.monotonic() >= self._end

    def _give_up(self) -> NoReturn:
        if self._open is not None:
            self._raise_unknown()
        raise ConcurrencyConflictError(self._cell.key, self._tries)

    def _one_try(self) -> Updated[StateT] | Refused[StateT] | None:
        self._tries += 1
        # What was seen before a wait is what the others have been changing meanwhile.
        if self._has_slept and self._open is None and not self._looks_again():
            return None
        self._has_slept = False
        attempt = self._open or self._cell.attempt(self._transition, self._base)
        if isinstance(attempt, Refused):
            return attempt
        try:
            seen = self._cell.send(attempt, latest=self._latest)
        except ConcurrencyConflictError:
            return None
        except OutcomeUnknownError as error:
            self._open, self._doubt = attempt, error
            self._cell.tell("doubt", op=attempt.record.op)
            return None if self._is_time_up() else self._looked_at(attempt)
        except (BackendError, RecordError) as error:
            return self._unwritten(error)
        return self._settle(attempt, seen)

    def _looks_again(self) -> bool:
        """Whether it was seen upon what to decide anew, in what was left of the time."""
        is_hurried = self._cell.is_hurried(self._latest)
        try:
            self._base = self._cell.seen(self._base, latest=self._latest)
        except BackendError:
            # A store that is but slow must not be told of as one that cannot be reached.
            if not is_hurried:
                raise
            return False
        return True

    def _unwritten(
        self, error: BackendError | RecordError
    ) -> Updated[StateT] | Refused[StateT] | None:
        # It says that this sending wrote nothing; an earlier one may have, or may still.
        if self._open is not None:
            self._failed(error)
            return None
        # Others may have made room since what is remembered was read.
        is_stale = self._base is self._remembered
        if isinstance(error, RecordTooLargeError) and is_stale and self._looks_again():
            return self._one_try()
        raise error

    def _looked_at(self, attempt: Attempt[StateT]) -> Updated[StateT] | None:
        try:
            seen = self._cell.seen(None, latest=self._latest)
        except (BackendError, RecordError) as error:
            self._failed(error)
            return None
        return self._settle(attempt, seen)

    def _failed(self, error: Exception) -> None:
        self._doubt = error
        # What has overwritten the record keeps no ring in which ours could be found.
        if isinstance(error, RecordError):
            self._raise_unknown()

    def _settle(self, attempt: Attempt[StateT], seen: Known[StateT]) -> Updated[StateT] | None:
        """What became of an attempt, by what stands there; None: not settled, or not applied."""
        record, base = seen.record, attempt.base
        if record is not None and record.stems_from(attempt.record):
            self._tell_settled(is_applied=True)
            return Updated(seen, attempt.state, attempt.sent, attempt.record, base.state)
        if self._open is not None:
            # It may still land. The same bytes under the same precondition, again: whichever
            # copy arrives first is the only one that can.
            if seen.etag == base.etag:
                return None
            if record is None or not _tells(record, base):
                self._raise_unknown()
            self._tell_settled(is_applied=False)
        elif self._cell.is_remote and _may_be_buried(attempt, seen):
            self._raise_unknown()
        else:
            self._pace = max(SHORTEST_PACE, seen.answered - attempt.sent)
        self._open, self._doubt = None, None
        self._base = seen
        self._cell.tell("conflict", based_on=base.generation, found=seen.generation)
        return None

    def _tell_settled(self, *, is_applied: bool) -> None:
        if self._open is not None:
            self._cell.tell("settled", op=self._open.record.op, applied=is_applied)

    def _raise_unknown(self) -> NoReturn:
        raise OutcomeUnknownError(
            f"The update of the record {self._cell.key!r} may or may not have been applied: an "
            "attempt was not answered, and what the record shows now does not tell. Read it and "
            "decide; repeating the update blindly may apply it twice.",
            backend="record",
            operation="update",
            key=self._cell.key,
            actual_etag=getattr(self._doubt, "actual_etag", None),
        ) from self._doubt


def _may_be_buried(attempt: Attempt[Any], seen: Known[Any]) -> bool:
    """Whether a refused attempt may have been applied, and overwritten beyond recognition.

    A request may be doubled on the way, and the refusal of its copy be the answer that arrives.
    The ring shows that, unless others have written more often since than it is long. A base that
    was known for longer than the attempt took is then taken to have been stale: else nobody could
    begin with what he remembers of a busy record.
    """
    base, record = attempt.base, seen.record
    is_overrun = record is not None and not record.tells_of(base.generation + 1)
    return is_overrun and seen.answered - attempt.sent >= attempt.sent - base.answered


def _tells(record: Record, base: Known[Any]) -> bool:
    """Whether the ring shows every write since `base`, and is of the same life of the record."""
    if record.generation <= base.generation or not record.tells_of(base.generation + 1):
        return False
    # A record that was deleted and begun anew does not tell what it went through before.
    return (
        base.record is None
        or not record.tells_of(base.generation)
        or record.stems_from(base.record)
    )
