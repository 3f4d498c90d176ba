"""The mapping: Python's `dict` protocol over a store that outlives the process."""

from __future__ import annotations

import heapq
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, NoReturn, Self, TypeAlias, TypedDict, TypeVar, cast, overload

from persidict.clock import SYSTEM_CLOCK, Clock, check_clock
from persidict.codecs import Codec, check_base_class, check_codec, codec_for
from persidict.conditional import CONFLICT_RETRIES, ConditionalOperations, forbid_joker
from persidict.exceptions import MutationPolicyError
from persidict.items import Item, Items
from persidict.jokers_and_status_flags import (
    DELETE_CURRENT,
    KEEP_CURRENT,
    ETagValue,
    Joker,
    ValueType,
)
from persidict.metered_store import Meter, MeteredStore
from persidict.object_store import IfAbsent, ObjectStore, Snapshot
from persidict.retry import RetryPolicy
from persidict.root_prefix import normalized, redacted
from persidict.safe_str_tuple import KeyParts, NonEmptySafeStrTuple, SafeStrTuple
from persidict.settle import Lost
from persidict.settled_store import SettledStore

PersiDictKey: TypeAlias = str | Sequence[Any] | SafeStrTuple
"""What stands for a prefix: a string, a sequence of strings, or nothing."""

NonEmptyPersiDictKey: TypeAlias = str | Sequence[Any] | NonEmptySafeStrTuple
"""What stands for a key: a string or a sequence of strings, of at least one part."""

T = TypeVar("T")


class Settings(TypedDict, total=False):
    """The arguments of `PersiDict`, which every kind of dictionary takes."""

    append_only: bool
    base_class_for_values: type | None
    serialization_format: str
    root_prefix: str
    codec: Codec | None
    operation_timeout: float
    clock: Clock | None


class PersiDict(ConditionalOperations[ValueType], MutableMapping[NonEmptySafeStrTuple, ValueType]):
    """A mutable mapping whose items live in a store and can be changed under conditions.

    Every write is applied exactly once or not at all, and the caller is told which; what
    cannot be found out ends in `OutcomeUnknownError` and nothing else does. Not guaranteed:
    any order of keys, and that several items are seen as of one moment. Plain assignment and
    `del` are unconditional; two writers that must not lose each other's changes use
    `set_item_if`, `setdefault_if` or `transform_item`.

    Formats `pkl` and `json` run code chosen by whoever can write to the store, when a value is
    read. Plain text has no room for what makes equal values distinguishable: a text written,
    changed and written again has its first etag again on S3.

    Args:
        append_only: Whether an existing item can be neither changed nor deleted.
        base_class_for_values: What every value must be an instance of, or None.
        serialization_format: `pkl`, `json`, or another suffix for plain text.
        root_prefix: Where in the store the items are; empty, or ends in `/` once normalised.
        codec: How values become bytes, in place of the format's own.
        operation_timeout: Seconds after which a call that cannot be settled gives up.
        clock: What is asked for the time, for randomness and to sleep.

    Raises:
        ValueError: The format, the prefix or the timeout is unusable, or they contradict.
        TypeError: An argument is of the wrong type.
    """

    _hidden: ClassVar[tuple[str, ...]] = ("clock", "codec")

    def __init__(
        self,
        *,
        append_only: bool = False,
        base_class_for_values: type | None = None,
        serialization_format: str = "pkl",
        root_prefix: str = "",
        codec: Codec | None = None,
        operation_timeout: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        if codec is None:
            codec = codec_for(serialization_format, base_class_for_values=base_class_for_values)
            self._given_codec = None
        else:
            check_codec(codec)
            check_base_class(base_class_for_values)
            self._given_codec = codec
        if not operation_timeout > 0:
            raise ValueError(f"operation_timeout must be more than 0, not {operation_timeout!r}")
        self.append_only = bool(append_only)
        self.base_class_for_values = base_class_for_values
        self.serialization_format = codec.format
        self.root_prefix = normalized(root_prefix)
        self.operation_timeout = float(operation_timeout)
        self._given_clock = clock
        if clock is None:
            clock = SYSTEM_CLOCK
        check_clock(clock)
        self._policy = RetryPolicy(clock=clock, timeout=self.operation_timeout)
        self._policy.load()
        self._codec = codec

    def _attach(self, store: ObjectStore) -> None:
        """The last step of a subclass's constructor."""
        self._bind(SettledStore(store, policy=self._policy))

    def _bind(self, store: SettledStore) -> None:
        self._items = Items(
            store,
            codec=self._codec,
            root_prefix=self.root_prefix,
            base_class=self.base_class_for_values,
        )

    def _like_this(self, *, store: SettledStore | None = None, **attributes: Any) -> Self:
        """Another dictionary over the same storage; no request."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, **attributes)
        other._bind(store or self._items.store)
        return other

    def get_params(self) -> dict[str, Any]:
        """The constructor's arguments, sorted by name; `type(d)(**d.get_params())` equals `d`.

        An injected client, session, memory or clock is among them. In another process leave
        those out, so that it makes its own.

        Example:
            >>> from persidict import LocalDict
            >>> d = LocalDict(serialization_format="json")
            >>> type(d)(**d.get_params()) == d
            True
        """
        return dict(sorted(self._params().items()))

    @abstractmethod
    def _params(self) -> dict[str, Any]:
        return {
            "append_only": self.append_only,
            "base_class_for_values": self.base_class_for_values,
            "clock": self._given_clock,
            "codec": self._given_codec,
            "operation_timeout": self.operation_timeout,
            "root_prefix": self.root_prefix,
            "serialization_format": self.serialization_format,
        }

    def _name_and_key(self, key: KeyParts) -> tuple[Any, NonEmptySafeStrTuple]:
        safe_key = NonEmptySafeStrTuple(key)
        return self._items.name(safe_key), safe_key

    def __getitem__(self, key: NonEmptyPersiDictKey) -> ValueType:
        name, safe_key = self._name_and_key(key)
        seen = self._items.get(name)
        if seen is None:
            raise KeyError(key)
        return self._value(seen, safe_key)

    def _value(self, seen: Snapshot, key: NonEmptySafeStrTuple) -> ValueType:
        return cast("ValueType", self._items.decode(seen, key))

    def __setitem__(self, key: NonEmptyPersiDictKey, value: ValueType | Joker) -> None:
        name, _ = self._name_and_key(key)
        if value is KEEP_CURRENT:
            return
        if value is DELETE_CURRENT:
            self.discard(key)
            return
        document = self._items.encode(value)
        precondition = IfAbsent() if self.append_only else None
        if isinstance(self._items.put(name, document, precondition=precondition), Lost):
            raise MutationPolicyError("append-only")

    def __delitem__(self, key: NonEmptyPersiDictKey) -> None:
        if not self.discard(key):
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return self._head(cast("KeyParts", key)) is not None

    def _head(self, key: KeyParts) -> Snapshot | None:
        return self._items.head(self._name_and_key(key)[0])

    def _present(self, key: KeyParts) -> Snapshot:
        seen = self._head(key)
        if seen is None:
            raise KeyError(key)
        return seen

    def __len__(self) -> int:
        return sum(len(page) for page in self._items.pages())

    def __bool__(self) -> bool:
        return any(True for _ in self._items)

    def __iter__(self) -> Iterator[NonEmptySafeStrTuple]:
        return (item.key for item in self._items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        if type(other) is type(self) and other.get_params() == self.get_params():
            return True
        items = list(other.items())
        try:
            theirs = {NonEmptySafeStrTuple(key): value for key, value in items}
        except (TypeError, ValueError):
            return False
        return dict(self.items()) == theirs

    __hash__ = None  # type: ignore[assignment]

    def __ior__(self, other: Mapping[Any, ValueType] | Iterable[tuple[Any, ValueType]]) -> Self:
        self.update(other)
        return self

    def update(self, other: Any = (), /, **named: ValueType) -> None:
        """Write the items of a mapping or of an iterable of pairs, one after the other.

        Another dictionary of this package is read as by `items`.
        """
        super().update(other.items() if isinstance(other, PersiDict) else other, **named)

    def __copy__(self) -> Self:
        return self._like_this()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._like_this()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"A {type(self).__name__} cannot be pickled, or stored as a value. Send get_params() "
            "without the injected client, and make another of it there."
        )

    def __repr__(self) -> str:
        shown = (
            f"{name}={redacted(value)!r}"
            for name, value in self.get_params().items()
            if name not in self._hidden
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def __str__(self) -> str:
        return str(dict(self.items()))

    def keys(self) -> Iterator[NonEmptySafeStrTuple]:  # type: ignore[override]
        """The keys, one request for every 1,000; an iterator, not a view.

        `list(d.keys())` takes one pass; `list(d)` takes two, since Python asks for `len(d)` first.

        Example:
            >>> from persidict import LocalDict
            >>> d = LocalDict()
            >>> d["jobs", "1"] = "open"
            >>> next(d.keys()).strings
            ('jobs', '1')
        """
        return iter(self)

    def values(self) -> Iterator[ValueType]:  # type: ignore[override]
        """The values, with many requests in flight; an item that vanishes meanwhile is skipped."""
        return (value for _, value, _ in self._read_all(self._items))

    def items(self) -> Iterator[tuple[NonEmptySafeStrTuple, ValueType]]:  # type: ignore[override]
        """Keys and values, as `values` reads them."""
        return ((key, value) for key, value, _ in self._read_all(self._items))

    def keys_and_timestamps(self) -> Iterator[tuple[NonEmptySafeStrTuple, float]]:
        """Keys, and when each item was last written: POSIX seconds by the store's clock."""
        return ((item.key, item.modified) for item in self._items)

    def values_and_timestamps(self) -> Iterator[tuple[ValueType, float]]:
        """Values, each with the time of its last write from the same answer."""
        return ((value, modified) for _, value, modified in self._read_all(self._items))

    def items_and_timestamps(self) -> Iterator[tuple[NonEmptySafeStrTuple, ValueType, float]]:
        """Keys and values, each with the time of its last write from the same answer."""
        return self._read_all(self._items)

    def _read_all(
        self, items: Iterable[Item]
    ) -> Iterator[tuple[NonEmptySafeStrTuple, ValueType, float]]:
        for item, seen in self._items.read_all(items):
            yield item.key, self._value(seen, item.key), seen.modified

    @overload
    def get(self, key: NonEmptyPersiDictKey, /) -> ValueType | None: ...
    @overload
    def get(self, key: NonEmptyPersiDictKey, default: ValueType | T, /) -> ValueType | T: ...
    def get(self, key: NonEmptyPersiDictKey, default: Any = None, /) -> Any:
        """The value, or `default` if the key is absent; in one request."""
        name, safe_key = self._name_and_key(key)
        seen = self._items.get(name)
        return default if seen is None else self._value(seen, safe_key)

    def setdefault(self, key: NonEmptyPersiDictKey, default: Any = None, /) -> ValueType:
        """The value, after inserting `default` if there was none; one request if it inserts.

        Any number of concurrent calls insert at most one of their defaults, and all return it.

        Args:
            key: The item's key.
            default: The value to insert; no joker. That it can be stored matters only if the
                key is absent.

        Raises:
            OutcomeUnknownError: The default may or may not have been inserted.
            ConcurrencyConflictError: The key appeared and vanished at each of 5 attempts.
            TypeError: The key is absent and the default cannot be stored, or it is a joker.
            BackendError: The store refused, and nothing was written.
        """
        forbid_joker(default)
        name, safe_key = self._name_and_key(key)
        outcome = self._insert(name, default, body_if_lost=True)
        if isinstance(outcome, Lost):
            assert outcome.seen is not None
            return self._value(outcome.seen, safe_key)
        return cast("ValueType", default)

    def discard(self, key: NonEmptyPersiDictKey) -> bool:
        """Delete the item whatever it holds; return whether it was there.

        Raises:
            OutcomeUnknownError: The item may or may not have been deleted.
            MutationPolicyError: The dictionary is append-only.
            BackendError: The store refused, and nothing was deleted.
        """
        self._forbid_deleting()
        name, _ = self._name_and_key(key)
        if self._items.head(name) is None:
            return False
        self._items.delete(name, precondition=None)
        return True

    delete_if_exists = discard

    @overload
    def pop(self, key: NonEmptyPersiDictKey, /) -> ValueType: ...
    @overload
    def pop(self, key: NonEmptyPersiDictKey, default: ValueType | T, /) -> ValueType | T: ...
    def pop(self, key: NonEmptyPersiDictKey, /, *default: Any) -> Any:
        """Delete the item and return its value; of any number of callers one gets it.

        Raises:
            KeyError: The key is absent, and no default was given.
            OutcomeUnknownError: This call may or may not have deleted the item.
            ConcurrencyConflictError: Others changed the item before each of 6 attempts.
            MutationPolicyError: The dictionary is append-only.
            BackendError: The store refused or cannot delete under a condition; nothing was
                deleted.
            ValueError: What is stored cannot be read, and stays.
            TypeError: It is of another class than the dictionary's, and stays.
        """
        if len(default) > 1:
            raise TypeError(f"pop expected at most 2 arguments, got {1 + len(default)}")
        self._forbid_deleting()
        name, safe_key = self._name_and_key(key)
        value: Any = None

        def take(seen: Snapshot | None) -> Joker:
            nonlocal value
            # Before it is deleted: what cannot be read stays.
            value = None if seen is None else self._value(seen, safe_key)
            return DELETE_CURRENT

        seen = self._items.get(name)
        taken, _ = self._swap(name, take, seen, retries=CONFLICT_RETRIES, body_if_lost=True)
        if taken is not None:
            return value
        if default:
            return default[0]
        raise KeyError(key)

    def popitem(self) -> tuple[NonEmptySafeStrTuple, ValueType]:
        """Delete some item and return its key and value; raises as `pop` does.

        Raises:
            KeyError: The dictionary is empty.
        """
        self._forbid_deleting()
        for key in self:
            try:
                return key, self.pop(key)
            except KeyError:
                continue
        raise KeyError("popitem(): the dictionary is empty")

    def clear(self) -> None:
        """Delete all items, whatever they hold, in two requests for every 1,000.

        Not guaranteed: that the dictionary is empty afterwards, if others write meanwhile.

        Raises:
            BackendError: Some items were not deleted; the message says how many.
            OutcomeUnknownError: Some items may or may not have been deleted.
            MutationPolicyError: The dictionary is append-only.
        """
        self._forbid_deleting()
        self._items.delete_all()

    def etag(self, key: NonEmptyPersiDictKey) -> ETagValue:
        """The item's etag, which differs from that of any earlier or later write of the key.

        Raises:
            KeyError: The key is absent.
        """
        return ETagValue(self._present(key).etag)

    def timestamp(self, key: NonEmptyPersiDictKey) -> float:
        """When the item was last written: POSIX seconds by the store's clock.

        Raises:
            KeyError: The key is absent.
        """
        return self._present(key).modified

    def age(self, key: NonEmptyPersiDictKey) -> float:
        """Seconds since the item was last written, by the store's clock alone.

        Both readings come from one answer. S3 gives each in whole seconds.

        Raises:
            KeyError: The key is absent.
        """
        return self._present(key).age

    def get_subdict(self, prefix: PersiDictKey = ()) -> Self:
        """The items under `prefix` as a dictionary of their own, with shorter keys; no request.

        Args:
            prefix: The first parts of the keys; empty for all of them.

        Example:
            >>> from persidict import LocalDict
            >>> d = LocalDict()
            >>> d["jobs", "1"] = "open"
            >>> d.get_subdict("jobs")["1"]
            'open'
        """
        parts = SafeStrTuple(prefix).strings
        return self._like_this(root_prefix=self.root_prefix + "".join(f"{p}/" for p in parts))

    def subdicts(self) -> dict[str, Self]:
        """A dictionary for each first part of the keys of two parts and more."""
        firsts = {item.key[0] for item in self._items if len(item.key) > 1}
        return {first: self.get_subdict(first) for first in sorted(firsts)}

    @property
    def is_remote(self) -> bool:
        """Whether requests cross a network, which may lose, delay and double them."""
        return self._items.store.store.is_remote

    def with_codec(self, codec: Codec) -> Self:
        """The same storage seen through another codec; no request.

        Its items are the objects whose names end in the codec's format, and
        `base_class_for_values` no longer applies.

        Args:
            codec: How values become bytes.

        Raises:
            TypeError: It is no `Codec`.
            ValueError: Its format is empty or unsafe.
        """
        check_codec(codec)
        return self._like_this(
            _codec=codec,
            _given_codec=codec,
            serialization_format=codec.format,
            base_class_for_values=None,
        )

    def with_timeout(self, seconds: float) -> Self:
        """The same storage, of which each call ends within so many seconds; no request.

        Over a network that holds however slowly an answer comes: each request gets a share of
        the time. What has not been answered by then is settled like anything unanswered, so a
        write may end in `OutcomeUnknownError`. Iterating, and other calls of several requests,
        count each of them anew.

        Args:
            seconds: More than 0; its `operation_timeout`.

        Raises:
            ValueError: `seconds` is not more than 0.

        Example:
            >>> from persidict import LocalDict
            >>> d = LocalDict()
            >>> d.with_timeout(2.5)["job"] = "open"
            >>> d["job"]
            'open'
        """
        if not seconds > 0:
            raise ValueError(f"seconds must be more than 0, not {seconds!r}")
        policy = self._policy.within(float(seconds))
        store = SettledStore(self._items.store.store.within(policy.timeout), policy=policy)
        return self._like_this(store=store, operation_timeout=policy.timeout, _policy=policy)

    def with_meter(self, meter: Meter) -> Self:
        """The same storage, of which each request is told; no request.

        Not told are those that a store sends by itself to answer one of them, as when a HEAD does
        not say whether the key or the bucket is missing.

        Args:
            meter: Called once a request has ended, in the thread that made it, with its verb
                (`"head"`, `"get"`, `"put"`, `"delete"`, `"list"`, `"delete_batch"`) and its
                outcome: `"answered"`, `"absent"`, `"unchanged"`; `"applied"`, `"refused"`,
                `"conflict"`; `"unanswered"`, `"failed"`.

        Example:
            >>> from persidict import LocalDict
            >>> told = []
            >>> d = LocalDict().with_meter(lambda *request: told.append(request))
            >>> d["job"] = "open"
            >>> d.get("jab")
            >>> told
            [('put', 'applied'), ('get', 'absent')]
        """
        return self.with_store(lambda store: MeteredStore(store, meter))

    def with_store(self, wrap: Callable[[ObjectStore], ObjectStore]) -> Self:
        """The same storage, whose requests pass through a store around its own; no request.

        For instruments, and for tests that have requests fail: `persidict.store_around` begins
        such a store, `persidict.testing.LossyStore` is one.

        Args:
            wrap: Called once, with the store; returns the one around it.

        Example:
            >>> from persidict import LocalDict
            >>> from persidict.testing import LossyStore
            >>> d = LocalDict().with_store(lambda store: LossyStore(store, share=0.5, seed=7))
            >>> d["job"] = "open"
            >>> d["job"]
            'open'
        """
        inner = self._items.store
        return self._like_this(store=SettledStore(wrap(inner.store), policy=inner.policy))

    def random_key(self) -> NonEmptySafeStrTuple | None:
        """A key, each with the same chance, after one pass over all; None if there is none."""
        chosen = None
        for count, key in enumerate(self, start=1):
            if self._policy.clock.uniform(0.0, count) < 1.0:
                chosen = key
        return chosen

    def oldest_keys(self, max_n: int | None = None) -> list[NonEmptySafeStrTuple]:
        """The keys whose items were written longest ago, oldest first; all if None."""
        return [item.key for item in self._by_age(max_n, newest=False)]

    def newest_keys(self, max_n: int | None = None) -> list[NonEmptySafeStrTuple]:
        """The keys whose items were written last, newest first; all if None."""
        return [item.key for item in self._by_age(max_n, newest=True)]

    def oldest_values(self, max_n: int | None = None) -> list[ValueType]:
        """The values of `oldest_keys`, without those that vanish meanwhile."""
        return [value for _, value, _ in self._read_all(self._by_age(max_n, newest=False))]

    def newest_values(self, max_n: int | None = None) -> list[ValueType]:
        """The values of `newest_keys`, without those that vanish meanwhile."""
        return [value for _, value, _ in self._read_all(self._by_age(max_n, newest=True))]

    def _by_age(self, max_n: int | None, *, newest: bool) -> list[Item]:
        modified: Callable[[Item], float] = attrgetter("modified")
        if max_n is None:
            return sorted(self._items, key=modified, reverse=newest)
        if max_n <= 0:
            return []
        first = heapq.nlargest if newest else heapq.nsmallest
        return first(max_n, self._items, key=modified)
