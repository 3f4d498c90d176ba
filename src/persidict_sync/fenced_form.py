"""How a fenced item is stored, and what a write under a token makes of it.

`{"token": 7, "value": ..., "generation": 3, "ops": "..."}`, in the dictionary's own format; a
deleted item keeps its token: `{"token": 7, "deleted": true, "generation": 4, "ops": "..."}`.
`ops` is the ring of a record, of the same length, for the same loop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Self

from persidict import Codec
from persidict_sync.errors import RecordError
from persidict_sync.outcome import Refusal
from persidict_sync.record import MAX_INT, OP_LENGTH, Record, check_ring
from persidict_sync.state import State

STALE: Final = "stale"
ABSENT: Final = "absent"
UNCHANGED: Final = "unchanged"

FencedTransition = Callable[["FencedState | None", int], "FencedState | Refusal"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FencedState(State):
    """A value, or that there is none any more, and the highest token that wrote it."""

    kind: ClassVar[str] = "fenced"

    token: int
    is_deleted: bool = False
    value: Any = None

    @classmethod
    def parse(cls, body: Any) -> Self:
        """The state in a body; values are the dictionary's own and of any type."""
        assert isinstance(body, Mapping)
        token = body.get("token")
        if type(token) is not int or not 0 < token <= MAX_INT:
            raise RecordError("its token is missing or no number between 1 and 2**53 - 1")
        if body.keys() == {"token", "deleted"} and body["deleted"] is True:
            return cls(token=token, is_deleted=True)
        if body.keys() == {"token", "value"}:
            return cls(token=token, value=body["value"])
        raise RecordError("it is no fenced item, with a value or a mark that it is deleted")

    def body(self) -> dict[str, Any]:
        """The body that says this state."""
        if self.is_deleted:
            return {"token": self.token, "deleted": True}
        return {"token": self.token, "value": self.value}


def is_present(state: FencedState | None) -> bool:
    """Whether there is a value."""
    return state is not None and not state.is_deleted


def written(value: Any, *, token: int) -> FencedTransition:
    """Write a value whatever is there."""

    def transition(state: FencedState | None, _: int) -> FencedState | Refusal:
        return _refused(state, token) or FencedState(token=token, value=value)

    return transition


def inserted(value: Any, *, token: int) -> FencedTransition:
    """Write a value if there is none."""

    def transition(state: FencedState | None, _: int) -> FencedState | Refusal:
        if is_present(state):
            return Refusal(UNCHANGED)
        return _refused(state, token) or FencedState(token=token, value=value)

    return transition


def deleted(*, token: int) -> FencedTransition:
    """Leave a mark with the token in the place of a value."""

    def transition(state: FencedState | None, _: int) -> FencedState | Refusal:
        refused = _refused(state, token)
        if refused is None and not is_present(state):
            return Refusal(ABSENT)
        return refused or FencedState(token=token, is_deleted=True)

    return transition


def _refused(state: FencedState | None, token: int) -> Refusal | None:
    return Refusal(STALE) if state is not None and state.token > token else None


class FencedCodec(Codec):
    """Fenced items in another codec's format.

    Args:
        inner: What encodes the stored form.
    """

    # Every version has an op of its own, so the bytes of no two are the same.
    stamps = True

    def __init__(self, inner: Codec) -> None:
        self._inner = inner
        self.format = inner.format
        self.content_type = inner.content_type

    def encode(self, value: Any) -> bytes:
        """Write an item."""
        assert isinstance(value, Record)
        return self._inner.encode({**value.body, "generation": value.generation, "ops": value.ops})

    def decode(self, body: bytes) -> Record:
        """Read an item."""
        try:
            document = self._inner.decode(body)
        except Exception as error:
            raise RecordError(f"it cannot be read ({type(error).__name__})") from error
        if type(document) is not dict:
            raise RecordError(_PLAIN)
        generation, ops = document.pop("generation", None), document.pop("ops", None)
        if type(generation) is not int or not 1 <= generation <= MAX_INT or ops is None:
            raise RecordError(_PLAIN)
        if type(ops) is not str:
            raise RecordError("its ops are no str")
        check_ring(ops, generation=generation)
        return Record(FencedState.kind, generation, ops[-OP_LENGTH:], ops, "", document)


_PLAIN: Final = (
    "it is a plain value, written without a fence. Read it from the dictionary itself, delete it "
    "there, and write it through the fence"
)
