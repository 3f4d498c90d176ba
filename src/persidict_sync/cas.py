"""The one loop: read, decide, write under the etag that was read, settle.

Every update is applied exactly once or not at all, and the caller is told which. Each write has an
identity of its own (`op`), and a record keeps the last 128. So a record that has moved since an
attempt of ours settles it: the ring reaches back to the generation that ours would have made, and
its op is ours, or another's. As etags never repeat, an attempt whose base is gone can never land.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn

from persidict import (
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    BackendError,
    ConcurrencyConflictError,
    ETagIfExists,
    NonEmptySafeStrTuple,
    OutcomeUnknownError,
    PersiDict,
)
from persidict.clock import Clock
from persidict_sync.errors import RecordError
from persidict_sync.outcome import (
    Attempt,
    Known,
    Refusal,
    Refused,
    Tell,
    Transition,
    Updated,
    tell_nobody,
)
from persidict_sync.record import Record, first
from persidict_sync.state import StateT

if TYPE_CHECKING:
    import tenacity

__all__ = ["Cell", "Known", "Refusal", "Refused", "Transition", "Updated"]

SHORTEST_PACE: Final = 0.0001
FIRST_RESEND: Final = 0.001
LONGEST_WAIT: Final = 2.0
SHORTEST_CALL: Final = 0.5
"""Seconds in which a store answers that does: so much is there to ask it once in any case."""
SHORTEST_TRY: Final = 0.05
"""With less time than that left nothing is asked over a network: no answer could be in time."""
PACES: Final = 2
"""The longest wait, in multiples of the time that it took to hear of the last conflict.

So those who lose wait at the store's pace, however often they have lost: nobody falls behind.
"""


class Cell(Generic[StateT]):
    """One record, and the only way to change it.

    Args:
        records: A dictionary of records.
        key: The record's key in it.
        state: The class of its state.
        clock: Time, randomness and identities.
        tell: Is told of conflicts and of attempts whose outcome was in doubt.
        conflicts: How long to wait after a conflict, and when to stop; None for not at all after
            the first, then full jitter up to twice the time that it took to hear of the last, until
            the deadline. It does not end what may still land.
    """

    def __init__(
        self,
        records: PersiDict[Record],
        key: NonEmptySafeStrTuple,
        *,
        state: type[StateT],
        clock: Clock,
        conflicts: tenacity.BaseRetrying | None = None,
        tell: Tell = tell_nobody,
    ) -> None:
        self.key: Final = key
        self.is_remote: Final = records.is_remote
        self._records = records
        self._state = state
        self.tell: Final = tell
        self.policy: Final = conflicts
        self.clock: Final = clock

    def absent(self) -> Known[StateT]:
        """What is known of a record that has never been looked at and may well not be there."""
        return Known(None, None, ITEM_NOT_AVAILABLE, self.clock.monotonic())

    def look(
        self, known: Known[StateT] | None = None, *, deadline: float | None = None
    ) -> Known[StateT]:
        """The record as it is; one request, without a body if it is still as `known`.

        Args:
            known: What is believed of it.
            deadline: When to give up, on the clock's monotonic scale; None takes as long as the
                dictionary may.

        Raises:
            RecordError: It is not one that this version can work with.
            BackendError: The store could not be read in time.
        """
        return self.seen(known, latest=self._latest(deadline))

    def seen(self, known: Known[StateT] | None, *, latest: float) -> Known[StateT]:
        """As `look`, which must have ended by `latest`, however soon that is."""
        records = self._within(latest)
        with self._named():
            if known is None:
                found = records.get_with_etag(self.key)
                return self._known(found.new_value, found.actual_etag)
            again = records.get_item_if(
                self.key, condition=ETAG_IS_THE_SAME, expected_etag=known.etag
            )
        if again.condition_was_satisfied:
            return replace(known, answered=self.clock.monotonic())
        return self._known(again.new_value, again.actual_etag)

    def age(self, *, deadline: float | None = None) -> float | None:
        """Seconds since the record was written, by the store's clock; None if there is none."""
        try:
            return self._within(self._latest(deadline)).age(self.key)
        except KeyError:
            return None

    def _latest(self, deadline: float | None) -> float:
        """When what is asked from now on must be answered: there is time for once in any case."""
        return inf if deadline is None else max(deadline, self.clock.monotonic() + SHORTEST_CALL)

    def is_hurried(self, latest: float) -> bool:
        """Whether what must have ended by `latest` has less time than a call may take."""
        return latest - self.clock.monotonic() < self._records.operation_timeout

    def _within(self, latest: float) -> PersiDict[Record]:
        """The records, of which a call ends by `latest`, or as soon as any call does."""
        left = max(latest - self.clock.monotonic(), SHORTEST_TRY)
        return self._records.with_timeout(min(left, self._records.operation_timeout))

    def update(
        self,
        transition: Transition[StateT],
        *,
        deadline: float,
        base: Known[StateT] | None = None,
    ) -> Updated[StateT] | Refused[StateT]:
        """Apply a transition exactly once, or not at all.

        One request if `base` is current, two without it, three if it is stale; after a wait one
        more, which looks again. It ends at the deadline, or half a second later if that was less
        than so far away; over a file, when the other process that has locked it lets go.

        Args:
            transition: From the state and its generation to the next state, or a refusal. It is
                called again after a conflict, so it must have no effects of its own.
            deadline: When to give up, on the clock's monotonic scale. The store is asked once
                in any case.
            base: What is believed of the record; None reads it. A refusal may rest on it alone.

        Raises:
            OutcomeUnknownError: The update may or may not have been applied.
            ConcurrencyConflictError: Others changed the record until the deadline.
            RecordError: The record is not one that this version can work with, or would become
                too large.
            BackendError: The store refused, and nothing was written.
        """
        latest = self._latest(deadline)
        base = base or self.seen(None, latest=latest)
        return _Update(self, transition, base, deadline=deadline, latest=latest).outcome()

    def attempt(
        self, transition: Transition[StateT], base: Known[StateT]
    ) -> Attempt[StateT] | Refused[StateT]:
        """The next version, with an identity of its own; or the refusal."""
        state = transition(base.state, base.generation)
        if isinstance(state, Refusal):
            return Refused(state.reason, base)
        body = state.body()
        with self._named():
            state = self._state.parse(body)
        op = self.clock.nonce().hex()
        written = datetime.fromtimestamp(self.clock.time(), UTC).isoformat(timespec="seconds")
        if base.record is None:
            record = first(kind=self._state.kind, body=body, op=op, written=written)
        else:
            record = base.record.next(body=body, op=op, written=written)
        return Attempt(record, state, base, self.clock.monotonic())

    def send(self, attempt: Attempt[StateT], *, latest: float) -> Known[StateT]:
        """Write an attempt under its base's etag; what stands there afterwards."""
        with self._named():
            result = self._within(latest).set_item_if(
                self.key,
                value=attempt.record,
                condition=ETAG_IS_THE_SAME,
                expected_etag=attempt.base.etag,
            )
        if result.new_value is attempt.record:
            answered = self.clock.monotonic()
            return Known(attempt.state, attempt.record, result.resulting_etag, answered)
        return self._known(result.new_value, result.resulting_etag)

    def _known(self, value: object, etag: ETagIfExists) -> Known[StateT]:
        answered = self.clock.monotonic()
        if value is ITEM_NOT_AVAILABLE:
            return Known(None, None, ITEM_NOT_AVAILABLE, answered)
        assert isinstance(value, Record)
        if value.kind != self._state.kind:
            raise RecordError(f"it is a {value.kind}, not a {self._state.kind}", self.key)
        with self._named():
            return Known(self._state.parse(value.body), value, etag, answered)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except RecordError as error:
            raise type(error)(error.problem, self.key) from error.__cause__


class _Update(Generic[StateT]):
    """One call of `Cell.update`, from what it believes to what happened."""

    def __init__(
        self,
        cell: Cell[StateT],
        transition: Transition[StateT],
        base: Known[StateT],
        *,
        deadline: float,
        latest: float,
    ) -> None:
        self._cell = cell
        self._transition = transition
        self._base = base
        self._end = deadline - SHORTEST_TRY * cell.is_remote
        self._latest = latest
        self._open: Attempt[StateT] | None = None
        self._doubt: Exception | None = None
        self._has_slept = False
        self._pace = SHORTEST_PACE
        self._tries = 0

    def outcome(self) -> Updated[StateT] | Refused[StateT]:
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
            # Each says that this sending wrote nothing; an earlier one may have, or may still.
            if self._open is None:
                raise
            self._failed(error)
            return None
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
