"""The seam: five verbs over bytes, and everything an answer to one of them can say.

A store answers; it does not interpret. A write that may or may not have been applied is
answered `Unaccounted`, and `persidict.settle` alone finds out what happened to it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, Self

PAGE_SIZE: Final = 1000


class Name(str):
    """An object's name, which remembers the key that it was made of, for errors to name."""

    __slots__ = ("key",)

    key: object

    @classmethod
    def of(cls, key: object, text: str) -> Self:
        """The name `text`, made of `key`; None where it was made of none."""
        name = cls(text)
        name.key = key
        return name


@dataclass(frozen=True, slots=True)
class IfAbsent:
    """Apply only if there is no object of this name."""


@dataclass(frozen=True, slots=True)
class IfMatch:
    """Apply only if the object's etag is `etag`."""

    etag: str


Precondition = IfAbsent | IfMatch


class Snapshot(Protocol):
    """What one answer of the store said about one object; never put together from two."""

    @property
    def etag(self) -> str:
        """The version of the object, as the store spells it."""

    @property
    def write_id(self) -> str | None:
        """The identity that its writer gave this write; None where the store keeps none."""

    @property
    def body(self) -> bytes | None:
        """The object's bytes; None where they were not asked for."""

    @property
    def modified(self) -> float:
        """When the object was last written: POSIX seconds by the store's clock."""

    @property
    def age(self) -> float:
        """Seconds between the last write and this answer, both by the store's clock."""


class Versioned(Protocol):
    """Anything that has an etag."""

    @property
    def etag(self) -> str:
        """Its version."""


def holds(precondition: Precondition | None, present: Versioned | None) -> bool:
    """Whether a write under `precondition` is applied to what is `present`, None if nothing."""
    match precondition:
        case None:
            return True
        case IfAbsent():
            return present is None
        case IfMatch(etag):
            return present is not None and present.etag == etag


class NotModified(Enum):
    """The object still has the etag that the reader named."""

    NOT_MODIFIED = "not modified"


NOT_MODIFIED: Final = NotModified.NOT_MODIFIED


@dataclass(frozen=True, slots=True)
class Applied:
    """The write was applied; `etag` is the object's new one, empty after a delete."""

    etag: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The precondition did not hold when the only attempt arrived: 412, or 404 to `IfMatch`."""


@dataclass(frozen=True, slots=True)
class NotApplied:
    """Certainly not applied, and worth another try: 409, or a request that was never sent."""

    cause: Exception
    conflict: bool


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """Perhaps applied, perhaps not, perhaps later: no answer, 5xx, or one of several attempts."""

    cause: Exception


Answer = Applied | Refused | NotApplied | Unaccounted


class TransientError(Exception):
    """A read got no usable answer and may be tried again; the cause is chained."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing; `modified` is POSIX seconds by the store's clock."""

    name: str
    modified: float


class ObjectStore(ABC):
    """Named byte strings with versions; whatever the bytes mean is decided above.

    Reads raise `TransientError` where another try may help and `BackendError` where it
    cannot. Writes answer with one of `Answer`, and raise `BackendError` for what certainly
    was not applied and never will be.
    """

    backend: str
    """How errors name this store."""

    advice: str = "Check the endpoint and the network."
    """What to do about requests that got no usable answer."""

    is_remote: bool = True
    """Whether requests cross a network, which may lose, delay and double them."""

    request_timeout: float = 0.0
    """The longest that one request may take, in seconds; none is begun closer to a deadline."""

    readers: int = 1
    """How many reads are worth having in flight at once."""

    def within(self, seconds: float) -> ObjectStore:  # noqa: ARG002 - for what can hang
        """The same store, whose requests end early enough for a call of so many seconds."""
        return self

    @abstractmethod
    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        """Everything but the bytes, or None if absent.

        With `certain=False` the answer may also be None where the bucket is missing, for a
        caller whose next request finds that out.
        """

    def peek(self, name: Name) -> Snapshot | None:
        """As `head`, in one request where the object is absent as well; for what may well be."""
        return self.head(name)

    @abstractmethod
    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        """The object with its bytes, None if absent, `NOT_MODIFIED` if its etag is `unless`."""

    @abstractmethod
    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,
        precondition: Precondition | None,
    ) -> Answer:
        """Write, in one attempt as far as this store decides it."""

    @abstractmethod
    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        """Delete, in one attempt; without a precondition an absent object is fine."""

    @abstractmethod
    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        """One page of names under `prefix`, in the order of their UTF-8 bytes.

        Returns the entries after position `after`, and the next page's position, None after
        the last page.
        """

    @abstractmethod
    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        """Delete all of `names` unconditionally; return one line for each that failed."""

    def etag_form_refused(self) -> None:  # noqa: B027 - most stores have nothing to learn
        """Learn that an etag was refused although a read shows that it is the current one."""
