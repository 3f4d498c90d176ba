"""Bugs in how the dictionary settles a write."""

from __future__ import annotations

from typing import Final

from persidict.object_store import (
    Answer,
    Applied,
    NotApplied,
    Refused,
    Snapshot,
    TransientError,
    Unaccounted,
    holds,
)
from persidict.settle import Lost, Settlement
from persidict.write import Put
from scenarios.simulation.bugs.bug import Bug, replacing

Doubtful = Refused | Unaccounted


class _Nothing:
    """What was seen by a look that failed."""


NOTHING: Final = _Nothing()

_real_try = Settlement._one_try
_real_judge = Settlement._judge


def _looked(self: Settlement, answer: Answer) -> Snapshot | _Nothing | None:
    try:
        return self._look()
    except TransientError as error:
        self._unread, self._unseen = answer, error.__cause__
        return NOTHING


def _lost(self: Settlement, answer: Answer) -> Lost | None:
    seen = _looked(self, answer)
    return None if isinstance(seen, _Nothing) else Lost(seen)


def _timeout_means_failed(self: Settlement, answer: Doubtful) -> Applied | Lost | None:
    return _lost(self, answer) if isinstance(answer, Unaccounted) else _real_judge(self, answer)


def _trust_412(self: Settlement, answer: Doubtful) -> Applied | Lost | None:
    return _lost(self, answer) if isinstance(answer, Refused) else _real_judge(self, answer)


def _not_visible_means_failed(self: Settlement, answer: Doubtful) -> Applied | Lost | None:
    seen = _looked(self, answer)
    if isinstance(seen, _Nothing):
        return None
    if self._request.is_applied_in(seen):
        return Applied("" if seen is None else seen.etag)
    return Lost(seen)


def _overwritten_means_failed(self: Settlement, answer: Doubtful) -> Applied | Lost | None:
    seen = _looked(self, answer)
    if isinstance(seen, _Nothing):
        return None
    if not self._request.is_applied_in(seen) and not holds(self._request.precondition, seen):
        return Lost(seen)
    return _real_judge(self, answer)


def _blind_409(self: Settlement) -> Applied | Lost | None:
    answer = self._unread
    if isinstance(answer, NotApplied) and answer.conflict:
        return _lost(self, answer)
    return _real_try(self)


def _same_document(self: Put, seen: Snapshot | None) -> bool:
    # As a client that reads back what it wrote, and compares values.
    return seen is not None and seen.body is not None and seen.body.strip() == self._document


BUGS: Final = (
    Bug(
        "timeout-means-failed",
        "a write that was not answered is reported as a failed condition",
        replacing(Settlement, _judge=_timeout_means_failed),
    ),
    Bug(
        "trust-412-of-a-resend",
        "a write that is sent again and refused is reported as a failed condition",
        replacing(Settlement, _judge=_trust_412),
    ),
    Bug(
        "compare-bodies",
        "a write is recognised by its value, not by its identity",
        replacing(Put, is_applied_in=_same_document),
    ),
    Bug(
        "not-visible-means-failed",
        "a write that is not seen yet counts as failed, though it may still land",
        replacing(Settlement, _judge=_not_visible_means_failed),
    ),
    Bug(
        "overwritten-means-failed",
        "a write in doubt counts as failed once another's is there",
        replacing(Settlement, _judge=_overwritten_means_failed),
    ),
    Bug(
        "blind-409",
        "409 is taken for 412",
        replacing(Settlement, _one_try=_blind_409),
    ),
)
