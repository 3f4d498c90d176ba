"""Whether a bucket's store heeds `If-Match` on DELETE, found out before anything depends on it.

Some stores ignore the header and delete, and some answer as if they had deleted where nothing was,
so that two who delete one version would both have won it. So the first conditional delete of a
bucket is preceded by two that cannot match: of a name that nobody uses, and of an object there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from persidict.exceptions import BackendError
from persidict.object_store import (
    Answer,
    Applied,
    IfMatch,
    Name,
    NotApplied,
    Refused,
    TransientError,
    Unaccounted,
)

if TYPE_CHECKING:
    from persidict.s3.store import S3Store

NO_SUCH_ETAG: Final = '"00000000000000000000000000000000"'

# By endpoint and bucket, for the life of the process.
_heeded: dict[tuple[str, str], bool] = {}


class ConditionalDelete:
    """The verdict on one store; the probe's object is gone again when it is known.

    A process that is killed in between leaves an empty object `persidict-probe-…` behind,
    which no dictionary takes for an item.
    """

    def __init__(self, store: S3Store, *, prefix: str, nonce: Callable[[], bytes]) -> None:
        self._store = store
        self._prefix = prefix
        self._nonce = nonce

    def doubt(self, name: Name) -> NotApplied | None:
        """None if the store heeds the header; an answer if it could not be found out now.

        Raises:
            BackendError: The store ignores or refuses conditional deletes.
        """
        where = (self._store.connection.client.meta.endpoint_url, self._store.bucket)
        try:
            heeded = _heeded[where]
        except KeyError:
            try:
                heeded = _heeded[where] = self._probe(name.key)
            except TransientError as error:
                cause = error.__cause__
                return NotApplied(cause if isinstance(cause, Exception) else error, conflict=False)
        if heeded:
            return None
        raise BackendError(
            f"Nothing was deleted: the store of bucket {self._store.bucket!r} ignores or refuses "
            "If-Match on DELETE, or confirms the delete of what is not there, so a conditional "
            "delete could destroy another writer's value, or be won by two. Use del, discard or "
            "clear, which are unconditional, or swap to a value that means deleted.",
            backend=self._store.backend,
            operation="delete",
            key=name.key,
        )

    def _probe(self, key: object) -> bool:
        """Raises `TransientError` where an unrelated failure leaves it open; errors name `key`."""
        nonce = self._nonce()
        name = Name.of(key, f"{self._prefix}persidict-probe-{nonce.hex()}")
        if not self._is_refused(name, exists=False):
            return False
        made = self._store.put(
            name, b"", write_id=nonce.hex(), content_type="text/plain", precondition=None
        )
        if not isinstance(made, Applied):
            raise TransientError("the probe object could not be written") from _cause(made)
        try:
            return self._is_refused(name, exists=True)
        finally:
            self._store.delete_untested(name, precondition=None)

    def _is_refused(self, name: Name, *, exists: bool) -> bool:
        """Whether a delete under an etag that no object has is refused, and deletes nothing."""
        try:
            answer = self._store.delete_untested(name, precondition=IfMatch(NO_SUCH_ETAG))
        except BackendError as error:
            said = _status_of(error)
            if said == 501:
                return False
            # To one who may not list, S3 does not say that an object is not there.
            if said == 403 and not exists:
                return True
            raise
        # The answer may be lost, or be to a second attempt; nobody else knows of the object, so
        # it is gone only if the header was ignored.
        if isinstance(answer, Applied) or (exists and self._store.head(name) is None):
            return False
        if isinstance(answer, Refused):
            return True
        raise TransientError("the probe got no usable answer") from _cause(answer)


def _cause(answer: Answer) -> Exception | None:
    return answer.cause if isinstance(answer, NotApplied | Unaccounted) else None


def _status_of(error: BackendError) -> int:
    from persidict.s3.errors import status

    return status(error.__cause__)
