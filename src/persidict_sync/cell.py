"""One record: how it is looked at, and the only way to change it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Final, Generic

from persidict import (
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    ETagIfExists,
    NonEmptySafeStrTuple,
    PersiDict,
)
from persidict.clock import Clock
from persidict_sync.cas import SHORTEST_TRY, Update
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

SHORTEST_CALL: Final = 0.5
"""Seconds in which a store answers that does: so much is there to ask it once in any case."""


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
        more, which looks again, and so before it says that what is written upon `base` would be too
        large. It ends at the deadline, or half a second later if that was less than so far away.

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
        return Update(
            self,
            transition,
            base or self.seen(None, latest=latest),
            remembered=base,
            deadline=deadline,
            latest=latest,
        ).outcome()

    def attempt(
        self, transition: Transition[StateT], base: Known[StateT]
    ) -> Attempt[StateT] | Refused[StateT]:
        """The next version, with an identity of its own; or the refusal."""
        state = transition(base.state, base.generation)
        if isinstance(state, Refusal):
            return Refused(state.reason, base)
        body, room = state.body(), state.room
        with self._named():
            state = self._state.parse(body)
        op = self.clock.nonce().hex()
        written = datetime.fromtimestamp(self.clock.time(), UTC).isoformat(timespec="seconds")
        if base.record is None:
            record = first(kind=self._state.kind, body=body, op=op, written=written, room=room)
        else:
            record = base.record.next(body=body, op=op, written=written, room=room)
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
