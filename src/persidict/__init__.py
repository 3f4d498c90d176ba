"""A persistent dictionary with conditional operations, over an object store.

`BasicS3Dict` keeps its items in a bucket, `SQLiteDict` in one file, `LocalDict` in memory; all
three behave alike. A conditional operation compares the item's etag with the one the caller
expects and changes it only if the condition holds, so that any number of workers can share a
dictionary without losing each other's changes.

Example:
    >>> from persidict import ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE, LocalDict
    >>> tasks = LocalDict(serialization_format="json")
    >>> claim = tasks.setdefault_if("task-1", default_value={"owner": "worker 1"},
    ...     condition=ETAG_IS_THE_SAME, expected_etag=ITEM_NOT_AVAILABLE)
    >>> claim.value_was_mutated
    True
"""

from typing import TYPE_CHECKING, Any

from persidict.codecs import Codec
from persidict.exceptions import (
    BackendError,
    ConcurrencyConflictError,
    MutationPolicyError,
    OutcomeUnknownError,
)
from persidict.jokers_and_status_flags import (
    ALWAYS_RETRIEVE,
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    IF_ETAG_CHANGED,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    NEVER_RETRIEVE,
    VALUE_NOT_RETRIEVED,
    AlwaysRetrieveFlag,
    AnyETagFlag,
    ConditionalOperationResult,
    DeleteCurrentFlag,
    ETagConditionFlag,
    ETagHasChangedFlag,
    ETagIfExists,
    ETagIsTheSameFlag,
    ETagValue,
    IfETagChangedRetrieveFlag,
    ItemNotAvailableFlag,
    Joker,
    KeepCurrentFlag,
    NeverRetrieveFlag,
    OperationResult,
    RetrieveValueFlag,
    TransformingFunction,
    ValueNotRetrievedFlag,
    ValueType,
)
from persidict.local_dict import LocalDict
from persidict.memory_store import Memory
from persidict.persi_dict import NonEmptyPersiDictKey, PersiDict, PersiDictKey
from persidict.safe_chars import (
    SAFE_CHARS_SET,
    SAFE_STRING_MAX_LENGTH,
    contains_unsafe_chars,
    get_safe_chars,
    replace_unsafe_chars,
)
from persidict.safe_str_tuple import NonEmptySafeStrTuple, SafeStrTuple
from persidict.safe_str_tuple_signing import sign_safe_str_tuple, unsign_safe_str_tuple
from persidict.sqlite_dict import SQLiteDict
from persidict.version import __version__

if TYPE_CHECKING:
    from persidict.basic_s3_dict import BasicS3Dict

__all__ = [
    "ALWAYS_RETRIEVE",
    "ANY_ETAG",
    "DELETE_CURRENT",
    "ETAG_HAS_CHANGED",
    "ETAG_IS_THE_SAME",
    "IF_ETAG_CHANGED",
    "ITEM_NOT_AVAILABLE",
    "KEEP_CURRENT",
    "NEVER_RETRIEVE",
    "SAFE_CHARS_SET",
    "SAFE_STRING_MAX_LENGTH",
    "VALUE_NOT_RETRIEVED",
    "AlwaysRetrieveFlag",
    "AnyETagFlag",
    "BackendError",
    "BasicS3Dict",
    "Codec",
    "ConcurrencyConflictError",
    "ConditionalOperationResult",
    "DeleteCurrentFlag",
    "ETagConditionFlag",
    "ETagHasChangedFlag",
    "ETagIfExists",
    "ETagIsTheSameFlag",
    "ETagValue",
    "IfETagChangedRetrieveFlag",
    "ItemNotAvailableFlag",
    "Joker",
    "KeepCurrentFlag",
    "LocalDict",
    "Memory",
    "MutationPolicyError",
    "NeverRetrieveFlag",
    "NonEmptyPersiDictKey",
    "NonEmptySafeStrTuple",
    "OperationResult",
    "OutcomeUnknownError",
    "PersiDict",
    "PersiDictKey",
    "RetrieveValueFlag",
    "SQLiteDict",
    "SafeStrTuple",
    "TransformingFunction",
    "ValueNotRetrievedFlag",
    "ValueType",
    "__version__",
    "contains_unsafe_chars",
    "get_safe_chars",
    "replace_unsafe_chars",
    "sign_safe_str_tuple",
    "unsign_safe_str_tuple",
]


def __getattr__(name: str) -> Any:
    # The SDK takes most of the time of an import, and only `BasicS3Dict` needs it.
    if name == "BasicS3Dict":
        from persidict.basic_s3_dict import BasicS3Dict

        return BasicS3Dict
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
