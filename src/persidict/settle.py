"""The one place that turns an unaccounted attempt into what happened.

Every write carries an identity of its own, in the object's metadata and, where the format
tolerates it, in its bytes. So one read tells whose write is there:

- ours: applied, whatever the answers said;
- the state that the precondition names: not applied *yet*. The attempt may still be on its
  way, so the same bytes are sent again under the same precondition until one is answered;
- another's, and every attempt of ours was answered: refused;
- another's, and an attempt is unaccounted for: it may have been applied and overwritten.
  Nothing can tell: `OutcomeUnknownError`.

Deletes leave nothing to recognise, so for them the first case does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from persidict.exceptions import BackendError, ConcurrencyConflictError, OutcomeUnknownError
from persidict.jokers_and_status_flags import ITEM_NOT_AVAILABLE, ETagIfExists, ETagValue
from persidict.object_store import (
    Answer,
    Applied,
    IfMatch,
    NotApplied,
    ObjectStore,
    Refused,
    Snapshot,
    TransientError,
    Unaccounted,
    holds,
)
from persidict.retry import RetryPolicy, tries_in_words
from persidict.write import Request


@dataclass(frozen=True, slots=True)
class Lost:
    """The precondition did not hold, for certain; `seen` is what stood there instead."""

    seen: Snapshot | None


class Settlement:
    """One request on its way from a doubtful answer to what happened.

    Args:
        request: What was sent.
        answer: What the first attempt was answered.
        look: Reads the object as it is now.
        deadline: When to give up, on the policy's clock.
    """

    def __init__(
        self,
        request: Request,
        *,
        answer: Answer,
        look: Callable[[], Snapshot | None],
        deadline: float,
        policy: RetryPolicy,
        store: ObjectStore,
    ) -> None:
        self._request = request
        self._unread: Answer | None = answer
        self._look = look
        self._deadline = deadline
        self._policy = policy
        self._store = store
        self._doubt: Exception | None = None
        self._unseen: BaseException | None = None
        self._has_looked = False
        self._seen: ETagIfExists | None = None
        self._last: Answer = answer

    def outcome(self) -> Applied | Lost:
        """What happened; raises what `persidict.settled_store.SettledStore.put` documents."""
        outcome: object = self._policy.until_settled(
            self._one_try,
            stop=self._is_time_up,
            give_up=self._give_up,
            latest=self._deadline - self._store.request_timeout,
        )
        assert isinstance(outcome, Applied | Lost)
        return outcome

    def _one_try(self) -> Applied | Lost | None:
        answer, self._unread = self._unread or self._send(), None
        self._last = answer
        if isinstance(answer, Applied):
            return answer
        if isinstance(answer, NotApplied):
            return None
        if isinstance(answer, Unaccounted):
            self._doubt = answer.cause
        return self._judge(answer)

    def _send(self) -> Answer:
        try:
            return self._request.send()
        except BackendError as error:
            if self._doubt is not None:
                self._raise_unknown(error)
            raise

    def _judge(self, answer: Refused | Unaccounted) -> Applied | Lost | None:
        # One look is always made: a process that was frozen past its deadline finds out as well.
        if self._has_looked and self._is_too_late():
            self._unread = answer
            return None
        self._has_looked = True
        try:
            seen = self._look()
        except TransientError as error:
            self._unread = answer
            self._unseen = error.__cause__
            return None
        except BackendError as error:
            self._raise_unknown(error)
        self._seen = ITEM_NOT_AVAILABLE if seen is None else ETagValue(seen.etag)
        if self._request.is_applied_in(seen):
            return Applied("" if seen is None else seen.etag)
        if holds(self._request.precondition, seen):
            if isinstance(answer, Refused) and seen is not None:
                self._store.etag_form_refused()
            return None
        if self._doubt is not None:
            self._raise_unknown(self._doubt)
        return Lost(seen)

    def _is_time_up(self, tries: int) -> bool:
        return self._is_too_late() or (self._doubt is None and tries >= self._policy.tries)

    def _is_too_late(self) -> bool:
        """Whether a request that began now might end after the deadline."""
        return self._policy.clock.monotonic() + self._store.request_timeout >= self._deadline

    def _give_up(self, tries: int) -> NoReturn:
        # A refusal may answer a copy of a request whose original was applied, so one after which
        # nobody could look is in doubt as well.
        if self._doubt is not None or self._unread is not None:
            self._raise_unknown(self._doubt or self._unseen)
        key, operation = self._request.name.key, self._request.operation
        match self._last:
            case NotApplied(cause, conflict=False):
                raise BackendError(
                    f"{operation} of {key!r} was not applied: the store could not be reached in "
                    f"{tries_in_words(tries)} ({type(cause).__name__}). {self._store.advice}",
                    backend=self._store.backend,
                    operation=operation,
                    key=key,
                ) from cause
            case Refused() if isinstance(self._request.precondition, IfMatch):
                raise BackendError(
                    f"{operation} of {key!r} was not applied: the store refuses If-Match even "
                    "with the etag that it shows for the object. Conditional operations need a "
                    "store that implements it.",
                    backend=self._store.backend,
                    operation=operation,
                    key=key,
                )
        raise ConcurrencyConflictError(key, tries)

    def _raise_unknown(self, cause: BaseException | None) -> NoReturn:
        key, operation = self._request.name.key, self._request.operation
        raise OutcomeUnknownError(
            f"{operation} of {key!r} may or may not have been applied: an attempt was not answered "
            "and what the store shows now does not tell. Read the item and decide; repeating the "
            "operation blindly may apply it twice.",
            backend=self._store.backend,
            operation=operation,
            key=key,
            actual_etag=self._seen,
        ) from cause
