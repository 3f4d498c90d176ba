"""A dictionary whose writes carry a fencing token."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast, overload

from persidict import DELETE_CURRENT, KEEP_CURRENT, Joker, NonEmptySafeStrTuple, PersiDict
from persidict.codecs import Codec, codec_for
from persidict_sync.cell import Cell
from persidict_sync.context import Context
from persidict_sync.errors import StaleTokenError
from persidict_sync.fenced_form import (
    STALE,
    FencedCodec,
    FencedState,
    FencedTransition,
    deleted,
    inserted,
    is_present,
    written,
)
from persidict_sync.outcome import Known, Refusal, Refused, Updated
from persidict_sync.record import MAX_INT, Record
from persidict_sync.resident import Resident

if TYPE_CHECKING:
    from persidict import NonEmptyPersiDictKey

V = TypeVar("V")
T = TypeVar("T")


class Fence(Protocol):
    """What a fenced dictionary asks of what is held."""

    @property
    def token(self) -> int:
        """The fencing token."""

    def check(self) -> None:
        """Raise if it is not held any more."""


class Fenced(Resident, MutableMapping[NonEmptySafeStrTuple, V]):
    """A mapping that refuses a write below the highest token that the key has seen.

    Guaranteed: after the first write under a token to a key, no write under a lower one lands
    there, however late it arrives: it raises `StaleTokenError`. Each write is applied exactly
    once or not at all, and the caller is told which. Not guaranteed: anything about a key that the
    successor has not written yet, where the predecessor's write still lands; nor anything if
    someone writes to the dictionary without the fence, or under the tokens of another lease.

    `held.check()` is called before each write, so a holder that knows of its loss does not write;
    what protects is the token. Assigning and deleting raise what `discard` does.

    An item is stored as `{"token": 7, "value": ..., "generation": 3, "ops": "..."}` in the
    dictionary's own format: plain readers find the value in `d[key]["value"]`. A deleted item
    stays, as `{"token": 8, "deleted": True, "generation": 4, "ops": "..."}`, so that its token is
    remembered; the fenced dictionary does not show it. `ops` are the last 128 writes' identities.

    Requests: reading 1; writing 2, of which one reads; `len` and iteration read all items, as
    `values` of the dictionary does.

    Args:
        d: Where the items are: of format `pkl`, `json` or a codec of one's own for any value, and
            not append-only. It is never written to without a condition.
        held: What is held: anything with a `token`, from 1 to 2**53 - 1, and a `check` that
            raises once it is lost.
        context: What the coordinator's primitives share.

    Raises:
        TypeError: `d` is no `PersiDict`, or is append-only; or `held` is no such thing.
        ValueError: `d` holds plain text, which has no room for a token.

    Example:
        >>> from persidict import LocalDict
        >>> from persidict_sync import Coordinator
        >>> fleet, models = Coordinator("memory:"), LocalDict()
        >>> with fleet.lease("trainer").acquire() as held:
        ...     fenced = fleet.fenced(models, held)
        ...     fenced["best"] = {"loss": 0.25}
        >>> fenced["best"]
        {'loss': 0.25}
        >>> models["best"]["token"], models["best"]["value"]
        (1, {'loss': 0.25})
    """

    def __init__(self, d: PersiDict[Any], held: Fence, *, context: Context) -> None:
        if not isinstance(d, PersiDict):
            raise TypeError(f"d must be a PersiDict, not a {type(d).__name__}")
        if d.append_only:
            raise TypeError("d is append-only, so nothing in it can be changed under a token")
        if not callable(getattr(held, "check", None)):
            raise TypeError(f"held must have a token and a check, as Held; a {type(held).__name__}")
        if type(held.token) is not int or not 0 < held.token <= MAX_INT:
            raise TypeError(f"held.token must be an int from 1 to 2**53 - 1, not {held.token!r}")
        self.dictionary: Final = d
        self.held: Final = held
        self._context = context
        self._items: PersiDict[Record] = d.with_codec(FencedCodec(_codec_of(d)))

    def __repr__(self) -> str:
        return f"<Fenced {self.dictionary!r}, token {self.held.token}>"

    def __getitem__(self, key: NonEmptyPersiDictKey) -> V:
        return self._value(self._cell(key).look().state, key)

    def _value(self, state: FencedState | None, key: object) -> V:
        if state is None or state.is_deleted:
            raise KeyError(key)
        self._check_class(state.value)
        return cast("V", state.value)

    def __contains__(self, key: object) -> bool:
        return is_present(self._cell(cast("NonEmptyPersiDictKey", key)).look().state)

    def __iter__(self) -> Iterator[NonEmptySafeStrTuple]:
        return (key for key, _ in self.items())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def items(self) -> Iterator[tuple[NonEmptySafeStrTuple, V]]:  # type: ignore[override]
        """Keys and values, with many requests in flight; an iterator, not a view."""
        for key, record in self._items.items():
            state = FencedState.parse(record.body)
            if is_present(state):
                yield key, self._value(state, key)

    def values(self) -> Iterator[V]:  # type: ignore[override]
        """The values, read as `items` reads them."""
        return (value for _, value in self.items())

    def __setitem__(self, key: NonEmptyPersiDictKey, value: V | Joker) -> None:
        if value is KEEP_CURRENT:
            return
        if value is DELETE_CURRENT:
            self.discard(key)
            return
        self._check_value(value)
        self._update(key, written(value, token=self.held.token))

    def __delitem__(self, key: NonEmptyPersiDictKey) -> None:
        if not self.discard(key):
            raise KeyError(key)

    def discard(self, key: NonEmptyPersiDictKey) -> bool:
        """Delete the item, leaving the token in its place; return whether it was there.

        Raises:
            StaleTokenError: The key has seen a higher token; nothing was deleted.
            LeaseLost: What is held is known to be lost; nothing was deleted.
            OutcomeUnknownError: The item may or may not have been deleted.
            ConcurrencyConflictError: Others changed the item until the coordinator's timeout;
                nothing was deleted.
            BackendError: The store refused, and nothing was deleted.
        """
        return isinstance(self._update(key, deleted(token=self.held.token)), Updated)

    @overload
    def pop(self, key: NonEmptyPersiDictKey, /) -> V: ...
    @overload
    def pop(self, key: NonEmptyPersiDictKey, default: V | T, /) -> V | T: ...
    def pop(self, key: NonEmptyPersiDictKey, /, *default: Any) -> Any:
        """Delete the item and return the value that was deleted; raises as `discard` does.

        Raises:
            KeyError: The key is absent, and no default was given.
        """
        outcome = self._update(key, deleted(token=self.held.token))
        if isinstance(outcome, Updated):
            return self._value(outcome.before, key)
        if default:
            return default[0]
        raise KeyError(key)

    def popitem(self) -> tuple[NonEmptySafeStrTuple, V]:
        """Delete some item and return its key and value; raises as `pop` does."""
        for key in self:
            try:
                return key, self.pop(key)
            except KeyError:
                continue
        raise KeyError("popitem(): the dictionary is empty")

    def clear(self) -> None:
        """Delete all items, one after the other; raises as `discard` does."""
        for key in self:
            self.discard(key)

    def setdefault(self, key: NonEmptyPersiDictKey, default: Any = None) -> V:
        """The value, after inserting `default` if there was none; raises as `discard` does."""
        self._check_value(default)
        outcome = self._update(key, inserted(default, token=self.held.token))
        if isinstance(outcome, Updated):
            return cast("V", default)
        return self._value(outcome.known.state, key)

    def transform_item(
        self, key: NonEmptyPersiDictKey, *, transformer: Callable[[V | None], V]
    ) -> V:
        """Replace the value by what a function makes of it, without losing another's change.

        The function may be called again after a conflict, so it must have no effects of its own.

        Args:
            key: The item's key.
            transformer: Gets the value, None if there is none; returns the next one. It may change
                what it gets, which is a deep copy at each call.

        Returns:
            The value that was written.

        Raises:
            StaleTokenError: The key has seen a higher token; nothing was written.
            LeaseLost: What is held is known to be lost; nothing was written.
            OutcomeUnknownError: The value may or may not have been written.
            ConcurrencyConflictError: Others changed the item until the coordinator's timeout.
            TypeError: The new value cannot be stored.
            BackendError: The store refused, and nothing was written.
        """
        token = self.held.token

        def transition(state: FencedState | None, generation: int) -> FencedState | Refusal:
            # What it changes in place must not be what it is given when it is called again.
            now = copy.deepcopy(self._value(state, key)) if is_present(state) else None
            value = transformer(now)
            self._check_value(value)
            return written(value, token=token)(state, generation)

        outcome = self._update(key, transition)
        assert isinstance(outcome, Updated)
        return cast("V", outcome.state.value)

    def _update(
        self, key: NonEmptyPersiDictKey, transition: FencedTransition
    ) -> Updated[FencedState] | Refused[FencedState]:
        self.held.check()
        outcome = self._cell(key).update(transition, deadline=self._context.deadline())
        if isinstance(outcome, Refused) and outcome.reason == STALE:
            self._raise_stale(NonEmptySafeStrTuple(key), outcome.known)
        return outcome

    def _raise_stale(self, key: NonEmptySafeStrTuple, known: Known[FencedState]) -> None:
        assert known.state is not None
        token, highest = self.held.token, known.state.token
        self._context.tell("stale", self._told_as(key), token=token, highest=highest)
        raise StaleTokenError("/".join(key.strings), token, highest)

    def _cell(self, key: NonEmptyPersiDictKey) -> Cell[FencedState]:
        context = self._context
        return Cell(
            self._items,
            NonEmptySafeStrTuple(key),
            state=FencedState,
            clock=context.clock,
            conflicts=context.conflicts,
        )

    def _told_as(self, key: NonEmptySafeStrTuple) -> Cell[FencedState]:
        return self._cell(NonEmptySafeStrTuple(FencedState.kind, key))

    def _check_value(self, value: object) -> None:
        if isinstance(value, Joker):
            raise TypeError(f"{value!r} is an instruction and no value")
        self._check_class(value)

    def _check_class(self, value: object) -> None:
        base = self.dictionary.base_class_for_values
        if base is not None and not isinstance(value, base):
            raise TypeError(
                f"The value is a {type(value).__name__}, and all values of this dictionary are "
                f"{base.__name__} (base_class_for_values)."
            )


def _codec_of(d: PersiDict[Any]) -> Codec:
    given = d.get_params()["codec"]
    if given is not None:
        return cast("Codec", given)
    if d.serialization_format not in {"pkl", "json"}:
        raise ValueError(
            f"d holds plain text (format {d.serialization_format!r}), which has no room for a "
            "token. Use a dictionary of format 'json' or 'pkl'."
        )
    return codec_for(d.serialization_format, base_class_for_values=None)
