"""The client that requests go through: whose it is, how it is set up, and fork."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError

from persidict.object_store import Name
from persidict.s3.errors import backend_error
from persidict.version import __version__

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client

READERS: Final = 16


class S3Connection:
    """The client that every request goes through, one per process.

    Args:
        given: A client to use as it is; None makes one.
        session: The boto3 session to make it from; None makes one.
        settings: Arguments of `session.client`; None leaves it to the SDK's conventions.
        timeout: Seconds a call of the dictionary may take.
    """

    def __init__(
        self,
        given: S3Client | None,
        *,
        session: boto3.Session | None,
        settings: Mapping[str, Any],
        timeout: float,
    ) -> None:
        self.is_given: Final = given is not None
        self._session = session
        self._settings = settings
        self._timeout = timeout
        self._client = given
        self._close_first = False
        self._lock = threading.Lock()
        _connections.add(self)

    @property
    def client(self) -> S3Client:
        """The client of this process."""
        if self._client is None or self._close_first:
            with self._lock:
                if self._close_first and self._client is not None:
                    self._client.close()
                    self._close_first = False
                if self._client is None:
                    self._client = self._create()
        return self._client

    @property
    def makes_one_attempt(self) -> bool:
        """Whether one call of the client is one request, so that its answer leaves nothing open."""
        retries: Mapping[str, Any] = self.setting("retries") or {}
        return retries.get("total_max_attempts") == 1

    @property
    def request_timeout(self) -> float:
        """The longest that one request may take, in seconds; 0 where that is not known.

        A configured timeout that leaves no room for another request within a call counts as one
        that does.
        """
        if self.is_given:
            return 0.0
        longest = self._timeout / 3
        return min(self.setting("read_timeout") or longest, longest)

    def setting(self, name: str) -> Any:
        """One of the client's settings; the type stubs of `Config` know none of them."""
        return getattr(self.client.meta.config, name)

    def _create(self) -> S3Client:
        import boto3
        from botocore.config import Config

        # One attempt per request: every attempt is then seen, and settled, by this package.
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=min(5.0, self._timeout / 6),
            read_timeout=min(10.0, self._timeout / 3),
            max_pool_connections=2 * READERS,
            # The SDK's own is put together anew for each request, at a tenth of its cost.
            user_agent=f"persidict-sync/{__version__} Boto3/{boto3.__version__}",
        )
        settings = dict(self._settings)
        override = settings.pop("config", None)
        try:
            session = self._session or boto3.Session()
            return session.client(
                "s3", config=config.merge(override) if override else config, **settings
            )
        except BotoCoreError as error:
            raise backend_error(
                error, operation="client", where="s3:/", name=Name.of(None, "")
            ) from error

    def forget_inherited(self) -> None:
        """Give a forked child connections of its own: shared ones mix up the answers."""
        self._lock = threading.Lock()
        if self.is_given:
            # Closing empties the pool of idle connections and leaves the client usable. It does
            # not end the parent's: a socket closed in one process stays open in the other.
            self._close_first = True
        else:
            self._client = None


_connections: weakref.WeakSet[S3Connection] = weakref.WeakSet()


def _after_fork() -> None:
    for connection in list(_connections):
        connection.forget_inherited()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
