"""A store between a dictionary and its own: counts requests, and lets others in between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from persidict import PersiDict
from persidict.object_store import ObjectStore
from persidict.store_around import StoreAround
from tests.contract.places import DictOver, store_of

T = TypeVar("T")
Before = Callable[[int, str], None]


class Interposed(StoreAround):
    """Calls `before` with each request's number, from 1, and its verb."""

    def __init__(self, store: ObjectStore, *, before: Before | None = None) -> None:
        super().__init__(store)
        self.before = before
        self.requests: list[str] = []

    def pass_on(self, verb: str, request: Callable[[], T]) -> T:
        self.requests.append(verb)
        if self.before is not None:
            self.before(len(self.requests), verb)
        return request()


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
