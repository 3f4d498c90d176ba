"""A write as it is sent: once or again, and recognised afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from persidict.codecs import Codec
from persidict.object_store import (
    Answer,
    IfMatch,
    Name,
    ObjectStore,
    Precondition,
    Snapshot,
)


class Request(Protocol):
    """A request that changes one object, can be sent again, and can be looked for."""

    @property
    def operation(self) -> str:
        """How errors name it."""

    @property
    def name(self) -> Name:
        """The object."""

    @property
    def precondition(self) -> Precondition | None:
        """What must hold for it to be applied."""

    def send(self) -> Answer:
        """Send it, as often as called; each call is one attempt."""

    def is_applied_in(self, seen: Snapshot | None) -> bool:
        """Whether `seen` proves that an attempt was applied."""


class _Version:
    """The bytes of one write, and the identity by which a read recognises them."""

    __slots__ = ("body", "stamped", "write_id")

    def __init__(self, document: bytes, *, codec: Codec, nonce: bytes) -> None:
        self.write_id = nonce.hex()
        self.body = codec.stamp(document, nonce)
        self.stamped = codec.stamps

    def is_seen_in(self, seen: Snapshot) -> bool:
        if seen.write_id is not None:
            return seen.write_id == self.write_id
        return self.stamped and seen.etag.strip('"') == md5(self.body)


def md5(body: bytes) -> str:
    """What S3 makes the etag of a body."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


class Put:
    """Writing a document, each version of it with bytes and an identity of its own."""

    operation = "put"

    def __init__(
        self,
        store: ObjectStore,
        name: Name,
        document: bytes,
        *,
        codec: Codec,
        precondition: Precondition | None,
        nonce: Callable[[], bytes],
    ) -> None:
        self.name = name
        self.precondition = precondition
        self._store = store
        self._document = document
        self._codec = codec
        self._nonce = nonce
        self._versions: list[_Version] = []

    def send(self) -> Answer:
        # Once one copy of a conditional write is applied, no other can be: it goes out again as
        # it was. An unconditional one has no such guard, and fresh bytes keep its copies from
        # sharing an etag.
        if self.precondition is None or not self._versions:
            nonce = self._nonce()
            self._versions.append(_Version(self._document, codec=self._codec, nonce=nonce))
        version = self._versions[-1]
        return self._store.put(
            self.name,
            version.body,
            write_id=version.write_id,
            content_type=self._codec.content_type,
            precondition=self.precondition,
        )

    def is_applied_in(self, seen: Snapshot | None) -> bool:
        return seen is not None and any(version.is_seen_in(seen) for version in self._versions)


class Delete:
    """Deleting an object; nothing in the store says afterwards who did."""

    operation = "delete"

    def __init__(self, store: ObjectStore, name: Name, *, precondition: IfMatch | None) -> None:
        self.name = name
        self.precondition = precondition
        self._store = store

    def send(self) -> Answer:
        return self._store.delete(self.name, precondition=self.precondition)

    def is_applied_in(self, seen: Snapshot | None) -> bool:
        return self.precondition is None and seen is None
