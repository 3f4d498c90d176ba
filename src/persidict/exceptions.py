"""The errors that a caller acts on, each with what it needs to act as attributes.

All of them can be pickled and copied, and arrive with every attribute.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from persidict.jokers_and_status_flags import ETagIfExists


class _PicklableError(Exception):
    def __reduce__(self) -> tuple[Any, ...]:
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class MutationPolicyError(_PicklableError, TypeError):
    """The dictionary's policy forbids this change; nothing was changed.

    The same call is refused as long as the item exists. Insert under another key, or open
    the dictionary without the policy.

    Args:
        policy: The policy that forbids it, such as `"append-only"`.
        message: What was attempted; a general text by default.

    Attributes:
        policy: The policy that forbids it.

    Example:
        >>> raise MutationPolicyError("append-only")
        Traceback (most recent call last):
        ...
        persidict.exceptions.MutationPolicyError: The dictionary is append-only: an existing \
item can be neither changed nor deleted. Use a new key, or a dictionary without this policy.
    """

    policy: str

    def __init__(self, policy: str, message: str | None = None) -> None:
        super().__init__(
            message
            or f"The dictionary is {policy}: an existing item can be neither changed nor "
            "deleted. Use a new key, or a dictionary without this policy."
        )
        self.policy = policy


class ConcurrencyConflictError(_PicklableError, RuntimeError):
    """Other writers changed the item before each of this call's attempts; none was applied.

    Certain: this call changed nothing. It may be repeated; with many writers on one key,
    repeat it with more attempts.

    Args:
        key: The key of the contended item.
        attempts: How many attempts were made, 1 or more.

    Attributes:
        key: The key of the contended item.
        attempts: How many attempts were made.

    Example:
        >>> ConcurrencyConflictError("counter", 6).attempts
        6
    """

    key: object
    attempts: int

    def __init__(self, key: object, attempts: int) -> None:
        when = "the only attempt" if attempts == 1 else f"each of {attempts} attempts"
        super().__init__(
            f"The item {key!r} was changed by others before {when}, and "
            "this call changed nothing. Try again, or allow more attempts."
        )
        self.key = key
        self.attempts = attempts


class BackendError(_PicklableError, RuntimeError):
    """The store could not do what was asked: no bucket, no permission, no connection.

    It never means that an item is absent. A write that ends in a plain `BackendError` was
    not applied and will not be; see `OutcomeUnknownError` for the other case. The error of
    the underlying client, where there is one, is its `__cause__`.

    Args:
        message: What happened, and what to do.
        backend: The kind of store, such as `"S3"`.
        operation: What was asked of it, such as `"get"`.
        key: The item concerned; None where it was not about one item.

    Attributes:
        backend: The kind of store.
        operation: What was asked of it.
        key: The item concerned, or None.

    Example:
        >>> BackendError("No such bucket: jobs.", backend="S3", operation="get").operation
        'get'
    """

    backend: str
    operation: str
    key: object

    def __init__(self, message: str, *, backend: str, operation: str, key: object = None) -> None:
        super().__init__(message)
        self.backend = backend
        self.operation = operation
        self.key = key


class OutcomeUnknownError(BackendError):
    """A write may or may not have been applied, or may still be, and it could not be settled.

    Neither success nor failure may be concluded. Read the item, decide by what it holds, and
    never repeat the write blindly where doing it twice would be wrong.

    Args:
        message: What happened, and what to do.
        backend: The kind of store, such as `"S3"`.
        operation: What was asked of it, such as `"put"`.
        key: The item concerned.
        actual_etag: The item's etag as last seen, `ITEM_NOT_AVAILABLE` if it was absent,
            None if the store could not be read at all.

    Attributes:
        actual_etag: The item's etag as last seen, as above.

    Example:
        >>> error = OutcomeUnknownError(
        ...     "No answer to a write of 'a'. Read the item before writing it again.",
        ...     backend="S3", operation="put", key="a", actual_etag=None)
        >>> isinstance(error, BackendError), error.actual_etag
        (True, None)
    """

    actual_etag: ETagIfExists | None

    def __init__(
        self,
        message: str,
        *,
        backend: str,
        operation: str,
        key: object,
        actual_etag: ETagIfExists | None,
    ) -> None:
        super().__init__(message, backend=backend, operation=operation, key=key)
        self.actual_etag = actual_etag
