"""The one loop: read, decide, write under the etag that was read, settle.

Every update is applied exactly once or not at all, and the caller is told which. Each write has an
identity of its own (`op`), and a record keeps the last 16. So a record that has moved since an
attempt of ours settles it: our op is in the ring, or the ring reaches back to where it would have
to be and it is not. As etags never repeat, an attempt whose base is gone can never land.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Generic, NoReturn, TypeAlias

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
from persidict_sync.record import Record, first
from persidict_sync.state import StateT

if TYPE_CHECKING:
    import tenacity

FIRST_WAIT: Final = 0.01
LONGEST_WAIT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Known(Generic[StateT]):
    """What one answer of the store said of a record.

    Attributes:
        state: None if there is no record.
        record: The envelope around it, None if there is none.
        etag: Its etag, `ITEM_NOT_AVAILABLE` if there is none.
        answered: When the answer was there, on the clock's monotonic scale.
    """

    state: StateT | None
    record: Record | None
    etag: ETagIfExists
    answered: float

    @property
    def generation(self) -> int:
        """The record's generation; 0 if there is none."""
        return 0 if self.record is None else self.record.generation


@dataclass(frozen=True, slots=True)
class Refusal:
    """A transition's no; the reason is for the caller."""

    reason: str


@dataclass(frozen=True, slots=True)
class Updated(Generic[StateT]):
    """The update was applied, exactly once.

    Attributes:
        known: The record as this update left it.
        sent: Just before the first sending of what was applied, on the monotonic scale.
    """

    known: Known[StateT]
    state: StateT
    sent: float


@dataclass(frozen=True, slots=True)
class Refused(Generic[StateT]):
    """The transition refused, and nothing of this update was or will be applied."""

    reason: str
    known: Known[StateT]


Transition: TypeAlias = Callable[[StateT | None, int], StateT | Refusal]
"""From the state and its generation to the next state, or a refusal: pure, and called again."""


@dataclass(frozen=True, slots=True)
class Attempt(Generic[StateT]):
    """One version of a record on its way to the store; `sent` is when it was first sent."""

    record: Record
    state: StateT
    base: Known[StateT]
    sent: float


class Cell(Generic[StateT]):
    """One record, and the only way to change it.

    Args:
        records: A dictionary of records.
        key: The record's key in it.
        state: The class of its state.
        clock: Time, randomness and identities.
        conflicts: When to try again after a conflict, and when to stop; None for full jitter up to
            half a second, until the deadline.
    """

    def __init__(
        self,
        records: PersiDict[Record],
        key: NonEmptySafeStrTuple,
        *,
        state: type[StateT],
        clock: Clock,
        conflicts: tenacity.BaseRetrying | None = None,
    ) -> None:
        self.key: Final = key
        self._records = records
        self._state = state
        self._clock = clock
        self.policy: Final = conflicts
        self.clock: Final = clock

    def absent(self) -> Known[StateT]:
        """What is known of a record that has never been looked at and may well not be there."""
        return Known(None, None, ITEM_NOT_AVAILABLE, self._clock.monotonic())

    def read(self) -> Known[StateT]:
        """The record as it is; one request.

        Raises:
            RecordError: It is not one that this version can work with.
            BackendError: The store could not be read.
        """
        try:
            seen = self._records.get_with_etag(self.key)
        except RecordError as error:
            raise RecordError(error.problem, self.key) from error.__cause__
        return self._known(seen.new_value, seen.actual_etag)

    def reread(self, known: Known[StateT]) -> Known[StateT]:
        """The record as it is; one request, without a body if it is still as `known`."""
        try:
            seen = self._records.get_item_if(
                self.key, condition=ETAG_IS_THE_SAME, expected_etag=known.etag
            )
        except RecordError as error:
            raise RecordError(error.problem, self.key) from error.__cause__
        if seen.condition_was_satisfied:
            return replace(known, answered=self._clock.monotonic())
        return self._known(seen.new_value, seen.actual_etag)

    def update(
        self,
        transition: Transition[StateT],
        *,
        deadline: float,
        base: Known[StateT] | None = None,
    ) -> Updated[StateT] | Refused[StateT]:
        """Apply a transition exactly once, or not at all.

        One request if `base` is current, two without it, three if it is stale.

        Args:
            transition: From the state and its generation to the next state, or a refusal. It is
                called again after a conflict, so it must have no effects of its own.
            deadline: When to give up, on the clock's monotonic scale. The store is asked once
                in any case.
            base: What is believed of the record; None reads it.

        Raises:
            OutcomeUnknownError: The update may or may not have been applied.
            ConcurrencyConflictError: Others changed the record until the deadline.
            RecordError: The record is not one that this version can work with, or would become
                too large.
            BackendError: The store refused, and nothing was written.
        """
        return _Update(self, transition, base or self.read(), deadline=deadline).outcome()

    def attempt(
        self, transition: Transition[StateT], base: Known[StateT]
    ) -> Attempt[StateT] | Refused[StateT]:
        """The next version, with an identity of its own; or the refusal."""
        state = transition(base.state, base.generation)
        if isinstance(state, Refusal):
            return Refused(state.reason, base)
        op = self._clock.nonce().hex()
        written = datetime.fromtimestamp(self._clock.time(), UTC).isoformat(timespec="seconds")
        if base.record is None:
            record = first(kind=self._state.kind, body=state.body(), op=op, written=written)
        else:
            record = base.record.next(body=state.body(), op=op, written=written)
        return Attempt(record, state, base, self._clock.monotonic())

    def send(self, attempt: Attempt[StateT]) -> Known[StateT]:
        """Write an attempt under its base's etag; what stands there afterwards."""
        try:
            result = self._records.set_item_if(
                self.key,
                value=attempt.record,
                condition=ETAG_IS_THE_SAME,
                expected_etag=attempt.base.etag,
            )
        except RecordError as error:
            raise RecordError(error.problem, self.key) from error.__cause__
        return self._known(result.new_value, result.resulting_etag)

    def _known(self, value: object, etag: ETagIfExists) -> Known[StateT]:
        answered = self._clock.monotonic()
        if value is ITEM_NOT_AVAILABLE:
            return Known(None, None, ITEM_NOT_AVAILABLE, answered)
        assert isinstance(value, Record)
        if value.kind != self._state.kind:
            raise RecordError(f"it is a {value.kind}, not a {self._state.kind}", self.key)
        try:
            return Known(self._state.parse(value.body), value, etag, answered)
        except RecordError as error:
            raise RecordError(error.problem, self.key) from None


class _Update(Generic[StateT]):
    """One call of `Cell.update`, from what it believes to what happened."""

    def __init__(
        self,
        cell: Cell[StateT],
        transition: Transition[StateT],
        base: Known[StateT],
        *,
        deadline: float,
    ) -> None:
        self._cell = cell
        self._transition = transition
        self._base = base
        self._deadline = deadline
        self._open: Attempt[StateT] | None = None
        self._doubt: Exception | None = None

    def outcome(self) -> Updated[StateT] | Refused[StateT]:
        import tenacity

        policy = self._cell.policy or tenacity.Retrying(wait=self._full_jitter)
        loop = policy.copy(
            retry=tenacity.retry_if_result(lambda result: result is None),
            stop=lambda state: self._is_time_up() or policy.stop(state),
            sleep=self._cell.clock.sleep,
            retry_error_callback=self._give_up,
        )
        outcome = loop(self._one_try)
        assert outcome is not None
        return outcome

    def _full_jitter(self, state: tenacity.RetryCallState) -> float:
        doubled = FIRST_WAIT * 2 ** min(state.attempt_number - 1, 30)
        return self._cell.clock.uniform(0.0, min(LONGEST_WAIT, doubled))

    def _is_time_up(self) -> bool:
        return self._cell.clock.monotonic() >= self._deadline

    def _give_up(self, state: tenacity.RetryCallState) -> NoReturn:
        if self._open is not None:
            self._raise_unknown()
        raise ConcurrencyConflictError(self._cell.key, state.attempt_number)

    def _one_try(self) -> Updated[StateT] | Refused[StateT] | None:
        attempt = self._open or self._cell.attempt(self._transition, self._base)
        if isinstance(attempt, Refused):
            return attempt
        try:
            seen = self._cell.send(attempt)
        except ConcurrencyConflictError:
            return None
        except OutcomeUnknownError as error:
            self._open, self._doubt = attempt, error
            return self._looked_at(attempt)
        except BackendError as error:
            if self._open is None:
                raise
            self._doubt = error
            return None
        return self._settle(attempt, seen)

    def _looked_at(self, attempt: Attempt[StateT]) -> Updated[StateT] | None:
        try:
            seen = self._cell.read()
        except BackendError as error:
            self._doubt = error
            return None
        return self._settle(attempt, seen)

    def _settle(self, attempt: Attempt[StateT], seen: Known[StateT]) -> Updated[StateT] | None:
        """What became of an attempt, by what stands there; None: not settled, or not applied."""
        record, base = seen.record, attempt.base
        if record is not None and attempt.record.op in record.ops:
            return Updated(seen, attempt.state, attempt.sent)
        if self._open is not None:
            # It may still land. The same bytes under the same precondition, again: whichever
            # copy arrives first is the only one that can.
            if seen.etag == base.etag:
                return None
            # A record that was deleted, or begun anew, no longer tells what it went through.
            if record is None or record.generation <= base.generation:
                self._raise_unknown()
            if not record.tells_of(base.generation + 1):
                self._raise_unknown()
        self._open, self._doubt = None, None
        self._base = seen
        return None

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
