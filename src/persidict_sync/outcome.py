"""What an update begins with, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias

from persidict import ETagIfExists
from persidict_sync.record import Record
from persidict_sync.state import StateT


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
        known: The record as last seen: as this update left it, or as others have changed it since.
        state: What this update wrote.
        sent: Just before the first sending of what was applied, on the monotonic scale.
        record: The version that this update made.
        before: What it was made of, None if there was no record.
    """

    known: Known[StateT]
    state: StateT
    sent: float
    record: Record
    before: StateT | None


@dataclass(frozen=True, slots=True)
class Refused(Generic[StateT]):
    """The transition refused, and nothing of this update was or will be applied."""

    reason: str
    known: Known[StateT]


class Tell(Protocol):
    """Is told what happens to a record while it is being updated."""

    def __call__(self, name: str, /, **fields: Any) -> None:
        """`"conflict"`, `"doubt"` or `"settled"`, and what is known of it."""


def tell_nobody(name: str, /, **fields: Any) -> None:
    """The default."""


Transition: TypeAlias = Callable[[StateT | None, int], StateT | Refusal]
"""From the state and its generation to the next state, or a refusal: pure, and called again."""


@dataclass(frozen=True, slots=True)
class Attempt(Generic[StateT]):
    """One version of a record on its way to the store; `sent` is when it was first sent."""

    record: Record
    state: StateT
    base: Known[StateT]
    sent: float
