"""The contract's tables over a plain dict, whose etags are the numbers of its writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from persidict import (
    ALWAYS_RETRIEVE,
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    IF_ETAG_CHANGED,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    NEVER_RETRIEVE,
    VALUE_NOT_RETRIEVED,
    MutationPolicyError,
)

ABSENT = ITEM_NOT_AVAILABLE

# Where the expected etag is the actual one, and where it is not.
SATISFIED = {
    ANY_ETAG: (True, True),
    ETAG_IS_THE_SAME: (True, False),
    ETAG_HAS_CHANGED: (False, True),
}
RETRIEVED = {
    ALWAYS_RETRIEVE: (True, True),
    IF_ETAG_CHANGED: (False, True),
    NEVER_RETRIEVE: (False, False),
}


@dataclass(frozen=True)
class Outcome:
    """What a conditional operation returns, with numbers for etags."""

    condition_was_satisfied: bool
    actual_etag: Any
    resulting_etag: Any
    new_value: Any


@dataclass
class Model:
    """A dictionary as the contract describes it; nobody else writes to it."""

    append_only: bool = False
    items: dict[Any, tuple[int, Any]] = field(default_factory=dict)
    writes: int = 0

    def etag(self, key: Any) -> Any:
        return self.items[key][0] if key in self.items else ABSENT

    def put(self, key: Any, value: Any) -> Any:
        self.writes += 1
        self.items[key] = (self.writes, value)
        return self.writes

    def apply(self, key: Any, value: Any) -> Any:
        """Do what a value or joker says; the etag after it."""
        if value is DELETE_CURRENT:
            self.items.pop(key, None)
        elif value is not KEEP_CURRENT:
            self.put(key, value)
        return self.etag(key)

    def get_with_etag(self, key: Any) -> Outcome:
        return self.get_item_if(
            key, condition=ANY_ETAG, expected_etag=ABSENT, retrieve_value=ALWAYS_RETRIEVE
        )

    def get_item_if(
        self, key: Any, *, condition: Any, expected_etag: Any, retrieve_value: Any
    ) -> Outcome:
        actual = self.etag(key)
        differs = expected_etag != actual
        value = ABSENT
        if key in self.items:
            retrieved = RETRIEVED[retrieve_value][differs]
            value = self.items[key][1] if retrieved else VALUE_NOT_RETRIEVED
        return Outcome(SATISFIED[condition][differs], actual, actual, value)

    def set_item_if(self, key: Any, *, value: Any, **terms: Any) -> Outcome:
        if self.append_only and value is not KEEP_CURRENT:
            may_fail = terms["condition"] is ETAG_IS_THE_SAME and terms["expected_etag"] is ABSENT
            if value is DELETE_CURRENT or (key in self.items and not may_fail):
                raise MutationPolicyError("append-only")
        seen = self.get_item_if(key, **terms)
        if not seen.condition_was_satisfied or value is KEEP_CURRENT:
            return seen
        after = self.apply(key, value)
        new_value = ABSENT if value is DELETE_CURRENT else value
        return Outcome(True, seen.actual_etag, after, new_value)

    def setdefault_if(self, key: Any, *, default_value: Any, **terms: Any) -> Outcome:
        seen = self.get_item_if(key, **terms)
        if key in self.items or not seen.condition_was_satisfied:
            return seen
        return Outcome(True, ABSENT, self.put(key, default_value), default_value)

    def discard_if(self, key: Any, *, condition: Any, expected_etag: Any) -> Outcome:
        seen = self.get_item_if(
            key, condition=condition, expected_etag=expected_etag, retrieve_value=NEVER_RETRIEVE
        )
        if not seen.condition_was_satisfied or key not in self.items:
            return seen
        if self.append_only:
            raise MutationPolicyError("append-only")
        return Outcome(True, seen.actual_etag, self.apply(key, DELETE_CURRENT), ABSENT)

    def transform_item(self, key: Any, *, transformer: Any) -> tuple[Any, Any]:
        """The resulting etag and the new value."""
        value = transformer(self.items[key][1] if key in self.items else ABSENT)
        changes = value is DELETE_CURRENT or (key in self.items and value is not KEEP_CURRENT)
        if self.append_only and changes:
            raise MutationPolicyError("append-only")
        after = self.apply(key, value)
        return after, self.items[key][1] if key in self.items else ABSENT
