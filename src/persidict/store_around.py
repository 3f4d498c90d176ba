"""A store around another one: every request passes through one method."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from persidict.object_store import (
    Answer,
    Entry,
    IfMatch,
    Name,
    NotModified,
    ObjectStore,
    Precondition,
    Snapshot,
)

T = TypeVar("T")

WRITES: Final = frozenset({"put", "delete"})
"""The verbs that answer with an `Answer`."""


class StoreAround(ObjectStore):
    """Hands every request to `pass_on`, by the name of its verb.

    One over a store that may hang overrides `within` as well, and returns itself around
    `inner.within(seconds)`: else `PersiDict.with_timeout` does not reach that store.
    """

    def __init__(self, inner: ObjectStore) -> None:
        self.inner: Final = inner
        self.backend = inner.backend
        self.advice = inner.advice
        self.is_remote = inner.is_remote
        self.readers = inner.readers
        self.request_timeout = inner.request_timeout

    @abstractmethod
    def pass_on(self, verb: str, request: Callable[[], T]) -> T:
        """What `request` answers, or something else in its place."""

    def etag_form_refused(self) -> None:
        self.inner.etag_form_refused()

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        return self.pass_on("head", lambda: self.inner.head(name, certain=certain))

    def peek(self, name: Name) -> Snapshot | None:
        return self.pass_on("head", lambda: self.inner.peek(name))

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        return self.pass_on("get", lambda: self.inner.get(name, unless=unless))

    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,
        precondition: Precondition | None,
    ) -> Answer:
        return self.pass_on(
            "put",
            lambda: self.inner.put(
                name, body, write_id=write_id, content_type=content_type, precondition=precondition
            ),
        )

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        return self.pass_on("delete", lambda: self.inner.delete(name, precondition=precondition))

    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        return self.pass_on("list", lambda: self.inner.list(prefix, after=after))

    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        return self.pass_on("delete_batch", lambda: self.inner.delete_batch(names))
