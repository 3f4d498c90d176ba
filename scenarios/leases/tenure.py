"""One tenure of one worker: from acquiring to release or loss, in its log as a history has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

import tenacity

from persidict import BackendError
from persidict_sync.errors import LeaseLost
from scenarios.leases.terms import TERMS
from scenarios.worker import Worker

_TRIES: Final = 10


class Post(Protocol):
    """What is held: a `Held`, or something in its place."""

    @property
    def token(self) -> int:
        """The fencing token."""

    @property
    def data(self) -> Any:
        """What others are told of the holder."""

    def check(self) -> None:
        """Raise `LeaseLost` if it is not held any more."""

    def remaining(self) -> float:
        """Seconds for which it is certainly held."""

    def release(self) -> object:
        """Give it up."""


class Tenure:
    """What a worker holds.

    Args:
        worker: The worker.
        name: The lease, `kind/name`.
        post: What is held.
    """

    def __init__(self, worker: Worker, *, name: str, post: Post) -> None:
        self.token = post.token
        self._worker = worker
        self._name = name
        self._post = post

    def is_held(self) -> bool:
        """Whether it is still held, by `check`; its loss is shown."""
        with self._worker.operation(self._name, "check", token=self.token) as operation:
            is_held = self._passes()
            operation.returns(is_held)
        if not is_held:
            self._worker.tell("lost")
        return is_held

    def check(self) -> None:
        """Raise `LeaseLost` if it is not held any more; logged as `is_held` is."""
        if not self.is_held():
            self._post.check()

    def _passes(self) -> bool:
        try:
            self._post.check()
        except LeaseLost:
            return False
        return True

    def end(self) -> None:
        """Give it up, if it was not lost."""
        if not self._post.remaining():
            return
        # The belief ends before the asking: the next one may be told first.
        self._worker.log_release(self._name, token=self.token)
        with (
            suppress(LeaseLost),
            self._worker.operation(self._name, "release", token=self.token) as operation,
        ):
            operation.returns(self._post.release())


@contextmanager
def tenure(worker: Worker, *, name: str, take: Callable[[], Post]) -> Iterator[Tenure]:
    """Acquire, and give up when the block ends.

    Args:
        worker: The worker.
        name: The lease, `kind/name`.
        take: Waits until it has acquired it.
    """
    post = _acquired(worker, name=name, take=take)
    until = time.monotonic() + post.remaining()
    worker.log(
        "acquired", object=name, token=post.token, ttl=TERMS.ttl, until=until, data=post.data
    )
    worker.tell("acquired")
    held = Tenure(worker, name=name, post=post)
    try:
        yield held
    finally:
        held.end()


def _acquired(worker: Worker, *, name: str, take: Callable[[], Post]) -> Post:
    """Acquire; a store too busy to answer within the lease's times is asked again."""

    def once() -> Post:
        with worker.operation(name, "acquire") as operation:
            post = take()
            operation.returns(post.token)
            return post

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(BackendError),
        wait=tenacity.wait_fixed(TERMS.poll),
        stop=tenacity.stop_after_attempt(_TRIES),
        after=lambda _: worker.tell("unanswered"),
        reraise=True,
    )(once)
