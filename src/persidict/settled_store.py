"""An object store whose reads are retried and whose writes end as what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NoReturn, TypeVar

from persidict.codecs import Codec
from persidict.exceptions import BackendError, OutcomeUnknownError
from persidict.object_store import (
    NOT_MODIFIED,
    Answer,
    Applied,
    Entry,
    IfMatch,
    Name,
    NotModified,
    ObjectStore,
    Precondition,
    Snapshot,
    TransientError,
)
from persidict.retry import RetryPolicy, tries_in_words
from persidict.settle import Lost, Settlement
from persidict.write import Delete, Put, Request

T = TypeVar("T")


class _NoUsableAnswerError(BackendError):
    pass


class SettledStore:
    """The five verbs again, with every answer certain or an exception."""

    def __init__(self, store: ObjectStore, *, policy: RetryPolicy) -> None:
        self.store: Final = store
        self.policy: Final = policy

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        """Everything but the bytes, or None; see `ObjectStore.head`."""
        return self.retried(lambda: self.store.head(name, certain=certain), "head", name)

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        """The object with its bytes, None, or `NOT_MODIFIED` if its etag is `unless`."""
        return self.retried(lambda: self.store.get(name, unless=unless), "get", name)

    def body(self, name: Name) -> Snapshot | None:
        """The object with its bytes, or None."""
        seen = self.get(name)
        assert seen is not NOT_MODIFIED
        return seen

    def pages(self, prefix: Name) -> Iterator[Sequence[Entry]]:
        """Page after page of the names under `prefix`, each asked for when it is wanted."""
        after: str | None = ""
        while after is not None:
            read = partial(self.store.list, prefix, after=after)
            page, after = self.retried(read, "list", prefix)
            yield page

    def put(
        self,
        name: Name,
        document: bytes,
        *,
        codec: Codec,
        precondition: Precondition | None,
        body_if_lost: bool = False,
    ) -> Applied | Lost:
        """Write `document`; `Lost` only if the precondition certainly did not hold.

        Raises:
            OutcomeUnknownError: The write may or may not have been applied.
            ConcurrencyConflictError: The store kept answering that others are writing.
            BackendError: The write was certainly not applied.
        """
        request = Put(
            self.store,
            name,
            document,
            codec=codec,
            precondition=precondition,
            nonce=self.policy.clock.nonce,
        )
        return self._settled(request, body_if_lost=body_if_lost)

    def delete(
        self, name: Name, *, precondition: IfMatch | None, body_if_lost: bool = False
    ) -> Applied | Lost:
        """Delete the object; raises as `put` does."""
        request = Delete(self.store, name, precondition=precondition)
        return self._settled(request, body_if_lost=body_if_lost)

    def delete_batch(self, names: Sequence[str], *, prefix: Name) -> None:
        """Delete all of `names`, whatever they hold by then.

        Raises:
            BackendError: Some were not deleted; the message says how many and names the first.
            OutcomeUnknownError: No answer says which of them were.
        """
        try:
            failed = self.retried(lambda: self.store.delete_batch(names), "delete", prefix)
        except _NoUsableAnswerError as error:
            which = "The object" if len(names) == 1 else f"Some or all of {len(names)} objects"
            raise OutcomeUnknownError(
                f"{error} {which} may be deleted; repeat the call.",
                backend=self.store.backend,
                operation="delete",
                key=prefix.key,
                actual_etag=None,
            ) from error.__cause__
        if failed:
            raise BackendError(
                f"{len(failed)} of {len(names)} objects were not deleted, the first: {failed[0]}. "
                "The others are gone; repeat the call for the rest.",
                backend=self.store.backend,
                operation="delete",
                key=prefix.key,
            )

    def _settled(self, request: Request, *, body_if_lost: bool) -> Applied | Lost:
        deadline = self.policy.deadline()
        answer: Answer = request.send()
        if isinstance(answer, Applied):
            return answer

        def look() -> Snapshot | None:
            if not body_if_lost:
                return self.store.peek(request.name)
            seen = self.store.get(request.name)
            assert seen is not NOT_MODIFIED
            return seen

        return Settlement(
            request,
            answer=answer,
            look=look,
            deadline=deadline,
            policy=self.policy,
            store=self.store,
        ).outcome()

    def retried(self, read: Callable[[], T], operation: str, name: Name) -> T:
        """What `read` returns, once it does not raise `TransientError`; it may be repeated.

        Raises:
            BackendError: There was no usable answer; it tells `operation` and `name`.
        """
        latest = self.policy.deadline() - self.store.request_timeout
        try:
            return read()
        except TransientError as error:
            return self._read_again(read, operation, name, last=error, latest=latest)

    def _read_again(
        self,
        read: Callable[[], T],
        operation: str,
        name: Name,
        *,
        last: TransientError,
        latest: float,
    ) -> T:
        policy = self.policy

        def one_try() -> tuple[T] | None:
            nonlocal last
            try:
                return (read(),)
            except TransientError as error:
                last = error
                return None

        def is_time_up(tries: int) -> bool:
            return tries + 1 >= policy.tries or policy.clock.monotonic() >= latest

        def give_up(tries: int) -> NoReturn:
            what = str(name) if name.key is None else name.key
            raise _NoUsableAnswerError(
                f"{operation} of {what!r} got no usable answer in "
                f"{tries_in_words(tries + 1)} ({last}). "
                f"{self.store.advice}",
                backend=self.store.backend,
                operation=operation,
                key=name.key,
            ) from last.__cause__

        if is_time_up(0):
            give_up(0)
        policy.clock.sleep(policy.wait(1, latest=latest))
        return policy.until_settled(one_try, stop=is_time_up, give_up=give_up, latest=latest)[0]
