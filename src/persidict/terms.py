"""The terms of a conditional operation: one place that decides whether, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from persidict.jokers_and_status_flags import (
    ALWAYS_RETRIEVE,
    ANY_ETAG,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    IF_ETAG_CHANGED,
    ITEM_NOT_AVAILABLE,
    ETagConditionFlag,
    ETagIfExists,
    ETagValue,
    RetrieveValueFlag,
)
from persidict.object_store import IfAbsent, IfMatch, Precondition, Versioned


def etag_of(seen: Versioned | None) -> ETagIfExists:
    """The etag of what was read, `ITEM_NOT_AVAILABLE` for nothing."""
    return ITEM_NOT_AVAILABLE if seen is None else ETagValue(seen.etag)


def precondition_for(expected: ETagIfExists) -> Precondition:
    """The precondition under which a write is applied only to what was expected."""
    return IfAbsent() if expected is ITEM_NOT_AVAILABLE else IfMatch(str(expected))


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which condition an operation takes place, and which value it brings back.

    Raises:
        ValueError: The condition is none of the three.
        TypeError: The retrieval or the expected etag is of the wrong type.
    """

    condition: ETagConditionFlag
    expected: ETagIfExists
    retrieve: RetrieveValueFlag

    def __post_init__(self) -> None:
        if self.condition not in (ANY_ETAG, ETAG_IS_THE_SAME, ETAG_HAS_CHANGED):
            raise ValueError(
                "condition must be ANY_ETAG, ETAG_IS_THE_SAME or ETAG_HAS_CHANGED, not "
                f"{self.condition!r}"
            )
        if not isinstance(self.retrieve, RetrieveValueFlag):
            raise TypeError(
                "retrieve_value must be ALWAYS_RETRIEVE, IF_ETAG_CHANGED or NEVER_RETRIEVE, not a "
                f"{type(self.retrieve).__name__}"
            )
        if self.expected is not ITEM_NOT_AVAILABLE and not isinstance(self.expected, str):
            raise TypeError(
                "expected_etag must be an etag or ITEM_NOT_AVAILABLE, not a "
                f"{type(self.expected).__name__}"
            )

    def hold(self, actual: ETagIfExists) -> bool:
        """Whether the condition is satisfied by this etag."""
        if self.condition is ANY_ETAG:
            return True
        return (self.expected == actual) is (self.condition is ETAG_IS_THE_SAME)

    def want_value(self, actual: ETagIfExists) -> bool:
        """Whether the value of an existing item with this etag is part of the result."""
        if self.retrieve is IF_ETAG_CHANGED:
            return self.expected != actual
        return self.retrieve is ALWAYS_RETRIEVE
