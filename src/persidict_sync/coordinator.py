"""The front door: from an address or a dictionary to the primitives."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from persidict import LocalDict, PersiDict, SQLiteDict
from persidict.clock import SYSTEM_CLOCK, Clock
from persidict_sync.context import Context
from persidict_sync.events import Listener, log
from persidict_sync.record import RecordCodec

if TYPE_CHECKING:
    import tenacity

    from persidict.safe_str_tuple import KeyParts

_S3_ARGUMENTS = ("endpoint_url", "region", "expected_bucket_owner")


def dictionary(address: str, *, timeout: float, clock: Clock) -> PersiDict[Any]:
    """The dictionary at an address.

    Args:
        address: `s3://bucket/prefix?endpoint_url=…&region=…&expected_bucket_owner=…`,
            `sqlite:///path` or `memory:`.
        timeout: Seconds within which a call of the dictionary must be settled.
        clock: Its clock.

    Raises:
        ValueError: It is no such address.
    """
    url = urlsplit(address)
    settings: dict[str, Any] = {
        "serialization_format": "json",
        "operation_timeout": timeout,
        "clock": clock,
    }
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    match url.scheme:
        case "memory" if address == "memory:":
            return LocalDict(**settings)
        case "sqlite" if url.path and not (url.netloc or query):
            return SQLiteDict(unquote(url.path), **settings)
        case "s3" if url.netloc and "@" not in url.netloc and set(query) <= set(_S3_ARGUMENTS):
            from persidict import BasicS3Dict

            settings |= {"root_prefix": unquote(url.path).strip("/"), **query}
            return BasicS3Dict(bucket_name=url.netloc, **settings)
    raise ValueError(
        "The address must be s3://bucket/prefix (with endpoint_url, region or "
        "expected_bucket_owner after a ?), sqlite:///path or memory:. Credentials do not belong "
        "in it; the AWS SDK finds them."
    )


class Coordinator:
    """Leases, counters, claims and what is built of them, over one dictionary.

    Every update is applied exactly once or not at all, and the caller is told which. No decision
    compares the clocks of two machines. Not guaranteed: progress while the store is unreachable.

    Args:
        store: An address (`s3://bucket/prefix?endpoint_url=…`, `sqlite:///path`, `memory:`), or any
            `PersiDict`, whose storage is used under a prefix of its own with records in strict
            JSON.
        owner: How this process calls itself in records, for people; host and process id by
            default. Nothing is recognised by it.
        prefix: The first part of all keys.
        timeout: Seconds within which an update is settled, or ends in `OutcomeUnknownError`.
        conflicts: A `tenacity.Retrying` that says how to wait after conflicts, and when to stop.
        clock: Time, randomness and identities.
        listeners: Functions that are told of every event.

    Raises:
        ValueError: The address, the prefix or the timeout is unusable.
        TypeError: The store is neither an address nor a `PersiDict`, or is append-only.

    Example:
        >>> with Coordinator("memory:") as fleet:
        ...     fleet.owner != ""
        True
    """

    def __init__(
        self,
        store: str | PersiDict[Any],
        *,
        owner: str | None = None,
        prefix: KeyParts = "coordination",
        timeout: float = 30.0,
        conflicts: tenacity.BaseRetrying | None = None,
        clock: Clock = SYSTEM_CLOCK,
        listeners: Iterable[Listener] = (),
    ) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {timeout!r}")
        if isinstance(store, str):
            store = dictionary(store, timeout=timeout, clock=clock)
        if not isinstance(store, PersiDict):
            raise TypeError(
                f"store must be an address or a PersiDict, not a {type(store).__name__}"
            )
        if store.append_only:
            raise TypeError("store is append-only; records change. Use a dictionary that is not.")
        self.owner = owner or f"{socket.gethostname()}-{os.getpid()}"
        self._context = Context(
            records=store.get_subdict(prefix).with_codec(RecordCodec()),
            owner=self.owner,
            clock=clock,
            timeout=float(timeout),
            conflicts=conflicts,
            listeners=(log, *listeners),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release what this coordinator holds."""
