"""Keys and values over a settled store: what every operation of a dictionary is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from persidict.codecs import Codec
from persidict.jokers_and_status_flags import ITEM_NOT_AVAILABLE, VALUE_NOT_RETRIEVED
from persidict.object_store import (
    Applied,
    Entry,
    IfMatch,
    Name,
    NotModified,
    Precondition,
    Snapshot,
)
from persidict.prefetch import in_order
from persidict.safe_str_tuple import NonEmptySafeStrTuple
from persidict.settle import Lost
from persidict.settled_store import SettledStore

NAME_MAX_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a listing: a key, and when its item was last written, in POSIX seconds."""

    key: NonEmptySafeStrTuple
    name: Name
    modified: float


class Items:
    """One prefix of a store, seen as keys and values.

    Args:
        store: Where the bytes are.
        codec: How values become bytes; its format is the suffix of every name.
        root_prefix: What every name begins with.
        base_class: What every value must be an instance of, or None.
    """

    def __init__(
        self, store: SettledStore, *, codec: Codec, root_prefix: str, base_class: type | None
    ) -> None:
        self.store: Final = store
        self.codec: Final = codec
        self.prefix: Final = Name.of(None, root_prefix)
        self._base_class = base_class
        self._suffix = f".{codec.format}"
        # All but the prefix is ASCII.
        self._longest = NAME_MAX_BYTES - len(root_prefix.encode()) + len(root_prefix)

    def name(self, key: NonEmptySafeStrTuple) -> Name:
        """The object's name.

        Raises:
            ValueError: It would be longer than 1,024 bytes.
        """
        text = f"{self.prefix}{'/'.join(key.strings)}{self._suffix}"
        if len(text) > self._longest:
            raise ValueError(
                f"The object's name would have {len(text.encode())} bytes, and {NAME_MAX_BYTES} "
                "is the most that stores allow. Use a shorter key or prefix."
            )
        return Name.of(key, text)

    def key(self, name: str) -> NonEmptySafeStrTuple | None:
        """The key that `name` was made of; None if it is no item's name."""
        if not (name.startswith(self.prefix) and name.endswith(self._suffix)):
            return None
        try:
            return NonEmptySafeStrTuple(name[len(self.prefix) : -len(self._suffix)].split("/"))
        except ValueError:
            return None

    def encode(self, value: Any) -> bytes:
        """The document to store.

        Raises:
            TypeError: The value is of another class than the dictionary's, or cannot be stored.
        """
        if value is ITEM_NOT_AVAILABLE or value is VALUE_NOT_RETRIEVED:
            raise TypeError(
                f"{value!r} says of an item that there is no value, and cannot be stored as one. "
                "KEEP_CURRENT leaves an item as it is, absent or not; DELETE_CURRENT deletes it."
            )
        self._check_class(value, "stored")
        return self.codec.encode(value)

    def decode(self, seen: Snapshot, key: NonEmptySafeStrTuple) -> Any:
        """The value of what was read.

        Raises:
            TypeError: It is of another class than the dictionary's.
            ValueError: The bytes are no document of the dictionary's format.
        """
        assert seen.body is not None
        try:
            value = self.codec.decode(seen.body)
            self._check_class(value, "read")
        except Exception as error:
            error.add_note(f"while reading key {key!r}")
            raise
        return value

    def _check_class(self, value: Any, what: str) -> None:
        if self._base_class is not None and not isinstance(value, self._base_class):
            raise TypeError(
                f"The value to be {what} is a {type(value).__name__}, and all values of this "
                f"dictionary are {self._base_class.__name__} (base_class_for_values)."
            )

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        """Everything but the bytes, or None; see `ObjectStore.head`."""
        return self.store.head(name, certain=certain)

    def get(self, name: Name) -> Snapshot | None:
        """The object with its bytes, or None."""
        return self.store.body(name)

    def get_unless(self, name: Name, etag: str) -> Snapshot | NotModified | None:
        """The same, without the bytes if the object still has this etag."""
        return self.store.get(name, unless=etag)

    def put(
        self,
        name: Name,
        document: bytes,
        *,
        precondition: Precondition | None,
        body_if_lost: bool = False,
    ) -> Applied | Lost:
        """Write; see `SettledStore.put`."""
        return self.store.put(
            name,
            document,
            codec=self.codec,
            precondition=precondition,
            body_if_lost=body_if_lost,
        )

    def delete(
        self, name: Name, *, precondition: IfMatch | None, body_if_lost: bool = False
    ) -> Applied | Lost:
        """Delete; see `SettledStore.delete`."""
        return self.store.delete(name, precondition=precondition, body_if_lost=body_if_lost)

    def pages(self) -> Iterator[Sequence[Item]]:
        """The items page by page, each page asked for when it is wanted."""
        for page in self.store.pages(self.prefix):
            yield [item for entry in page if (item := self._item(entry)) is not None]

    def _item(self, entry: Entry) -> Item | None:
        key = self.key(entry.name)
        return None if key is None else Item(key, Name.of(key, entry.name), entry.modified)

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page

    def read_all(self, items: Iterable[Item]) -> Iterator[tuple[Item, Snapshot]]:
        """The items with their bytes, in order; the ones that have vanished are left out."""
        readers = self.store.store.readers
        for item, seen in in_order(lambda item: self.get(item.name), items, in_flight=readers):
            if seen is not None:
                yield item, seen

    def delete_all(self) -> None:
        """Delete all items, a page at a time; see `SettledStore.delete_batch`."""
        for page in self.pages():
            if page:
                self.store.delete_batch([item.name for item in page], prefix=self.prefix)
