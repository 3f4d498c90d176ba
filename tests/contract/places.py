"""Where dictionaries keep their items: one object for each store, opening any number of them."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from persidict import BasicS3Dict, LocalDict, Memory, PersiDict, SQLiteDict
from persidict.testing.clock import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from persidict.object_store import ObjectStore


class Place(ABC):
    """One storage; dictionaries opened in it share its items, and the place's clock."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self._numbers = itertools.count(1)

    def open(self, **settings: Any) -> PersiDict[Any]:
        return self._open(**{"clock": self.clock, **settings})

    def new_prefix(self) -> str:
        return f"part-{next(self._numbers)}/"

    @abstractmethod
    def _open(self, **settings: Any) -> PersiDict[Any]: ...


class InMemory(Place):
    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory()

    def _open(self, **settings: Any) -> LocalDict[Any]:
        return LocalDict(memory=self.memory, **settings)


class InFile(Place):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def _open(self, **settings: Any) -> SQLiteDict[Any]:
        return SQLiteDict(self.path, **settings)


class InBucket(Place):
    def __init__(self, bucket: str, *, client: S3Client) -> None:
        super().__init__()
        self.bucket = bucket
        self.client = client

    def _open(self, **settings: Any) -> BasicS3Dict[Any]:
        where = {"bucket_name": self.bucket, "s3_client": self.client, "create_bucket": False}
        return BasicS3Dict(**{**where, **settings})


def store_of(d: PersiDict[Any]) -> ObjectStore:
    """The verbs that the dictionary runs on."""
    return d._items.store.store


class DictOver(PersiDict[Any]):
    """A dictionary over any implementation of the verbs."""

    def __init__(self, *, store: ObjectStore, **settings: Any) -> None:
        super().__init__(**settings)
        self._store = store
        self._attach(store)

    def _params(self) -> dict[str, Any]:
        return {**super()._params(), "store": self._store}
