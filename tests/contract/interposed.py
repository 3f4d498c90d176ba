"""A store between a dictionary and its own: counts requests, and lets others in between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from persidict import PersiDict
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
from tests.contract.places import DictOver, store_of

Before = Callable[[int, str], None]


class Interposed(ObjectStore):
    """Calls `before` with each request's number, from 1, and its verb."""

    def __init__(self, store: ObjectStore, *, before: Before | None = None) -> None:
        self.inner = store
        self.before = before
        self.requests: list[str] = []
        self.backend = store.backend
        self.readers = store.readers

    def _let_in(self, verb: str) -> None:
        self.requests.append(verb)
        if self.before is not None:
            self.before(len(self.requests), verb)

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        self._let_in("head")
        return self.inner.head(name, certain=certain)

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        self._let_in("get")
        return self.inner.get(name, unless=unless)

    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,
        precondition: Precondition | None,
    ) -> Answer:
        self._let_in("put")
        return self.inner.put(
            name, body, write_id=write_id, content_type=content_type, precondition=precondition
        )

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        self._let_in("delete")
        return self.inner.delete(name, precondition=precondition)

    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        self._let_in("list")
        return self.inner.list(prefix, after=after)

    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        self._let_in("delete_batch")
        return self.inner.delete_batch(names)


def interposed(d: PersiDict[Any], *, before: Before | None = None, **settings: Any) -> DictOver:
    """A dictionary of the same items with `before` between it and them."""
    ours = {
        name: value
        for name, value in d.get_params().items()
        if name
        in (
            "append_only",
            "base_class_for_values",
            "clock",
            "codec",
            "root_prefix",
            "serialization_format",
        )
    }
    return DictOver(store=Interposed(store_of(d), before=before), **{**ours, **settings})
