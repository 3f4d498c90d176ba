"""A store that tells of each of its requests, and of how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from persidict.exceptions import BackendError
from persidict.object_store import (
    NOT_MODIFIED,
    Applied,
    NotApplied,
    ObjectStore,
    Refused,
    TransientError,
    Unaccounted,
)
from persidict.store_around import StoreAround

T = TypeVar("T")

Meter: TypeAlias = Callable[[str, str], object]
"""Is told the verb and the outcome of a request."""


_WORDS: Final[dict[type, str]] = {
    Applied: "applied",
    Refused: "refused",
    NotApplied: "unanswered",
    Unaccounted: "unanswered",
}


class MeteredStore(StoreAround):
    """Another store's verbs; `meter` is told of each request once it has ended.

    Args:
        inner: The store.
        meter: What is told.
    """

    def __init__(self, inner: ObjectStore, meter: Meter) -> None:
        super().__init__(inner)
        self._meter = meter

    def within(self, seconds: float) -> ObjectStore:
        return MeteredStore(self.inner.within(seconds), self._meter)

    def pass_on(self, verb: str, request: Callable[[], T]) -> T:
        try:
            answer = request()
        except TransientError:
            self._meter(verb, "unanswered")
            raise
        except BackendError:
            self._meter(verb, "failed")
            raise
        self._meter(verb, outcome_of(answer))
        return answer


def outcome_of(answer: object) -> str:
    """What an answer says, in a word."""
    if answer is None:
        return "absent"
    if answer is NOT_MODIFIED:
        return "unchanged"
    if isinstance(answer, NotApplied) and answer.conflict:
        return "conflict"
    return _WORDS.get(type(answer), "answered")
