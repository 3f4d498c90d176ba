"""Jokers, conditions, retrieval modes and sentinels, and the results that carry them.

Every flag class is a singleton: calling it again, copying it and unpickling it all give the
one object, so `is` is the way to compare.

Example:
    >>> import copy, pickle
    >>> KeepCurrentFlag() is KEEP_CURRENT
    True
    >>> pickle.loads(pickle.dumps(ANY_ETAG)) is copy.deepcopy(ANY_ETAG) is ANY_ETAG
    True
    >>> ITEM_NOT_AVAILABLE
    ITEM_NOT_AVAILABLE
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Generic, NewType, Self, TypeAlias, TypeVar


class _Flag:
    __slots__ = ()
    _instance: ClassVar[Any]
    _constant: ClassVar[str]

    def __init_subclass__(cls, *, constant: str | None = None) -> None:
        super().__init_subclass__()
        cls._constant = constant or f"{cls.__name__}()"
        # Made with its class, by one thread: no two threads can race to make the first.
        cls._instance = object.__new__(cls)

    def __new__(cls) -> Self:
        instance: Self = cls._instance
        return instance

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()

    def __repr__(self) -> str:
        return self._constant


class Joker(_Flag):
    """Stands in place of a value and says what to do with the item instead of writing one."""

    __slots__ = ()


class KeepCurrentFlag(Joker, constant="KEEP_CURRENT"):
    """The class of `KEEP_CURRENT`: leave the item as it is, present or absent."""

    __slots__ = ()


class DeleteCurrentFlag(Joker, constant="DELETE_CURRENT"):
    """The class of `DELETE_CURRENT`: delete the item if it is present."""

    __slots__ = ()


class ETagConditionFlag(_Flag):
    """How the expected and the actual etag must relate for an operation to take place.

    `ITEM_NOT_AVAILABLE` takes part like any etag: expected absent and actually absent is
    "the same".
    """

    __slots__ = ()


class AnyETagFlag(ETagConditionFlag, constant="ANY_ETAG"):
    """The class of `ANY_ETAG`: satisfied whatever the etags are."""

    __slots__ = ()


class ETagIsTheSameFlag(ETagConditionFlag, constant="ETAG_IS_THE_SAME"):
    """The class of `ETAG_IS_THE_SAME`: satisfied when the expected etag is the actual one."""

    __slots__ = ()


class ETagHasChangedFlag(ETagConditionFlag, constant="ETAG_HAS_CHANGED"):
    """The class of `ETAG_HAS_CHANGED`: satisfied when the expected etag is not the actual one."""

    __slots__ = ()


class RetrieveValueFlag(_Flag):
    """Whether a conditional operation brings back the value of an item that it did not write."""

    __slots__ = ()


class AlwaysRetrieveFlag(RetrieveValueFlag, constant="ALWAYS_RETRIEVE"):
    """The class of `ALWAYS_RETRIEVE`: bring the value in any case."""

    __slots__ = ()


class IfETagChangedRetrieveFlag(RetrieveValueFlag, constant="IF_ETAG_CHANGED"):
    """The class of `IF_ETAG_CHANGED`: bring the value only if its etag is not the expected one."""

    __slots__ = ()


class NeverRetrieveFlag(RetrieveValueFlag, constant="NEVER_RETRIEVE"):
    """The class of `NEVER_RETRIEVE`: never bring the value."""

    __slots__ = ()


class ItemNotAvailableFlag(_Flag, constant="ITEM_NOT_AVAILABLE"):
    """The class of `ITEM_NOT_AVAILABLE`: the etag, and the value, of an absent item."""

    __slots__ = ()


class ValueNotRetrievedFlag(_Flag, constant="VALUE_NOT_RETRIEVED"):
    """The class of `VALUE_NOT_RETRIEVED`: there is a value, and it was not brought."""

    __slots__ = ()


KEEP_CURRENT: Final = KeepCurrentFlag()
DELETE_CURRENT: Final = DeleteCurrentFlag()

ANY_ETAG: Final = AnyETagFlag()
ETAG_IS_THE_SAME: Final = ETagIsTheSameFlag()
ETAG_HAS_CHANGED: Final = ETagHasChangedFlag()

ALWAYS_RETRIEVE: Final = AlwaysRetrieveFlag()
IF_ETAG_CHANGED: Final = IfETagChangedRetrieveFlag()
NEVER_RETRIEVE: Final = NeverRetrieveFlag()

ITEM_NOT_AVAILABLE: Final = ItemNotAvailableFlag()
VALUE_NOT_RETRIEVED: Final = ValueNotRetrievedFlag()

ETagValue = NewType("ETagValue", str)
"""The version of an existing item, as its store spells it; compare it, never parse it."""

ETagIfExists: TypeAlias = ETagValue | ItemNotAvailableFlag
"""The version of an item, or `ITEM_NOT_AVAILABLE` if it is absent."""

ValueType = TypeVar("ValueType")
"""The type of a dictionary's values."""

TransformingFunction: TypeAlias = Callable[[ValueType | ItemNotAvailableFlag], ValueType | Joker]
"""From the current value, or `ITEM_NOT_AVAILABLE`, to the next value or a joker."""


class _Result:
    # Slots are spelled out, and pickled here, because before Python 3.12 a dataclass made with
    # `frozen=True, slots=True` cannot be called through a subscript: `OperationResult[int](...)`.
    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]


@dataclass(frozen=True)
class OperationResult(_Result, Generic[ValueType]):
    """What an item is after an operation; etag and value belong together.

    It says nothing of what the item is by the time that it is looked at.

    Attributes:
        resulting_etag: The etag after the operation, `ITEM_NOT_AVAILABLE` if absent.
        new_value: The value of that etag, `ITEM_NOT_AVAILABLE` if absent.

    Example:
        >>> OperationResult(resulting_etag=ETagValue("e2"), new_value=17).new_value
        17
    """

    __slots__ = ("new_value", "resulting_etag")
    resulting_etag: ETagIfExists
    new_value: ValueType | ItemNotAvailableFlag


@dataclass(frozen=True)
class ConditionalOperationResult(_Result, Generic[ValueType]):
    """What a conditional operation found and left; etags and value belong together.

    A failed condition is such a result, never an exception. It says nothing of what the item
    is by the time that it is looked at.

    Attributes:
        condition_was_satisfied: Whether the condition held.
        actual_etag: The etag before the operation, `ITEM_NOT_AVAILABLE` if absent.
        resulting_etag: The etag after the operation, `ITEM_NOT_AVAILABLE` if absent.
        new_value: The value of the resulting etag; `ITEM_NOT_AVAILABLE` if absent,
            `VALUE_NOT_RETRIEVED` if it was not brought.

    Example:
        >>> result = ConditionalOperationResult(
        ...     condition_was_satisfied=True,
        ...     actual_etag=ITEM_NOT_AVAILABLE,
        ...     resulting_etag=ETagValue("e1"),
        ...     new_value="open",
        ... )
        >>> result.value_was_mutated
        True
    """

    __slots__ = ("actual_etag", "condition_was_satisfied", "new_value", "resulting_etag")
    condition_was_satisfied: bool
    actual_etag: ETagIfExists
    resulting_etag: ETagIfExists
    new_value: ValueType | ItemNotAvailableFlag | ValueNotRetrievedFlag

    @property
    def value_was_mutated(self) -> bool:
        """Whether the item is another one after the operation than before it."""
        return self.actual_etag != self.resulting_etag
