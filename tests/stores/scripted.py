"""A store that answers what a test has written down, and nothing that it has not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from persidict.exceptions import BackendError
from persidict.object_store import (
    Answer,
    Entry,
    IfMatch,
    Name,
    NotModified,
    ObjectStore,
    Precondition,
    Snapshot,
    TransientError,
)

NAME = Name.of("the key", "r/a.json")


@dataclass(frozen=True)
class Seen:
    """A snapshot, made up."""

    etag: str
    write_id: str | None = "another's"
    body: bytes | None = None
    modified: float = 0.0
    age: float = 0.0


@dataclass(frozen=True)
class Call:
    """One request that the store got."""

    verb: str
    precondition: Precondition | None = None
    body: bytes | None = None
    write_id: str | None = None
    certain: bool | None = None


Step = tuple[str, Any]


class ScriptedStore(ObjectStore):
    """Answers each request with the next step, which must be for this verb.

    A step is a verb and its answer: a value to return, an exception to raise, or a function
    from this store to either.
    """

    backend = "scripted"

    def __init__(self, *steps: Step, request_timeout: float = 0.0) -> None:
        self.steps = list(steps)
        self.calls: list[Call] = []
        self.forms_refused = 0
        self.request_timeout = request_timeout

    @property
    def puts(self) -> list[Call]:
        return [call for call in self.calls if call.verb == "put"]

    @property
    def verbs(self) -> list[str]:
        return [call.verb for call in self.calls]

    def _next(self, call: Call) -> Any:
        self.calls.append(call)
        assert self.steps, f"an unexpected request: {call}"
        verb, answer = self.steps.pop(0)
        assert call.verb == verb, f"{call} where a {verb} was expected"
        if callable(answer) and not isinstance(answer, Exception):
            answer = answer(self)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        assert name == NAME
        seen: Snapshot | None = self._next(Call("head", certain=certain))
        return seen

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        assert name == NAME
        seen: Snapshot | NotModified | None = self._next(Call("get"))
        return seen

    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,
        precondition: Precondition | None,
    ) -> Answer:
        assert name == NAME
        answer: Answer = self._next(Call("put", precondition, body, write_id))
        return answer

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        assert name == NAME
        answer: Answer = self._next(Call("delete", precondition))
        return answer

    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        page: tuple[Sequence[Entry], str | None] = self._next(Call("list", body=after.encode()))
        return page

    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        failed: Sequence[str] = self._next(Call("delete_batch"))
        return failed

    def etag_form_refused(self) -> None:
        self.forms_refused += 1


def ours(etag: str = "ours", *, attempt: int = -1) -> Callable[[ScriptedStore], Seen]:
    """What a read shows where this attempt's write is there."""
    return lambda store: Seen(etag, write_id=store.puts[attempt].write_id)


class SilenceError(Exception):
    """No answer."""


def broken() -> BackendError:
    return BackendError("The store said no.", backend="scripted", operation="test")


def transient() -> TransientError:
    error = TransientError("no usable answer")
    error.__cause__ = SilenceError()
    return error
