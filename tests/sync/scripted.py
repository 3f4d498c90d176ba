"""A dictionary of records whose every request goes as a script says: what a cell is tested with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from persidict import (
    BackendError,
    ConcurrencyConflictError,
    LocalDict,
    NonEmptySafeStrTuple,
    OutcomeUnknownError,
)
from persidict.testing.clock import ManualClock
from persidict_sync.cell import Cell
from persidict_sync.outcome import Refusal
from persidict_sync.record import Record, RecordCodec
from persidict_sync.state import State

KEY = NonEmptySafeStrTuple("tally", "one")
Call = Callable[[], Any]
Step = Callable[["Scripted", Call], Any]


@dataclass(frozen=True, kw_only=True)
class Tally(State):
    kind: ClassVar[str] = "tally"

    total: int
    by: tuple[str, ...] = ()


class Scripted:
    """The three methods that a `Cell` calls, over a dictionary in memory.

    `writes` and `reads` are steps for the next requests, the first one first; a request without a
    step is answered as it should be.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.is_remote = False
        self.operation_timeout = 10.0
        self.inner: Any = LocalDict(clock=clock).with_codec(RecordCodec())
        self.writes: list[Step] = []
        self.reads: list[Step] = []
        self.sent: list[tuple[bytes, object]] = []
        self.late: list[Call] = []
        self.requests: list[str] = []

    def with_timeout(self, seconds: float) -> Scripted:
        return self

    def get_with_etag(self, key: Any) -> Any:
        return self._play("read", self.reads, lambda: self.inner.get_with_etag(key))

    def get_item_if(self, key: Any, **terms: Any) -> Any:
        return self._play("reread", self.reads, lambda: self.inner.get_item_if(key, **terms))

    def set_item_if(self, key: Any, *, value: Record, **terms: Any) -> Any:
        self.sent.append((RecordCodec().encode(value), terms["expected_etag"]))
        return self._play(
            "write", self.writes, lambda: self.inner.set_item_if(key, value=value, **terms)
        )

    def _play(self, verb: str, steps: list[Step], call: Call) -> Any:
        self.requests.append(verb)
        return steps.pop(0)(self, call) if steps else call()

    def release_late(self) -> list[bool]:
        """Apply what is late; whether each was applied."""
        late, self.late = self.late, []
        return [call().condition_was_satisfied for call in late]

    def cell(self, **settings: Any) -> Cell[Tally]:
        return Cell(self, KEY, state=Tally, clock=self.clock, **settings)  # type: ignore[arg-type]

    def total(self) -> int:
        return int(self.inner[KEY].body["total"])


def unknown() -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "No answer.", backend="script", operation="put", key=KEY, actual_etag=None
    )


def lost(scripted: Scripted, call: Call) -> Any:
    """Applied, and the answer is lost."""
    call()
    raise unknown()


def dropped(scripted: Scripted, call: Call) -> Any:
    """Lost before it arrived."""
    raise unknown()


def late(scripted: Scripted, call: Call) -> Any:
    """Not answered, and applied when the test says so."""
    scripted.late.append(call)
    raise unknown()


def refused(scripted: Scripted, call: Call) -> Any:
    """The store says no; nothing was applied."""
    raise BackendError("403", backend="script", operation="put", key=KEY)


def busy(scripted: Scripted, call: Call) -> Any:
    """409 until the dictionary gave up."""
    raise ConcurrencyConflictError(KEY, 6)


def answered(scripted: Scripted, call: Call) -> Any:
    return call()


def then(step: Step, act: Callable[[], object]) -> Step:
    """`step`, and `act` before the caller hears of it."""

    def both(scripted: Scripted, call: Call) -> Any:
        try:
            return step(scripted, call)
        finally:
            act()

    return both


def after(act: Callable[[], object], step: Step = answered) -> Step:
    """`act`, and then `step`."""

    def both(scripted: Scripted, call: Call) -> Any:
        act()
        return step(scripted, call)

    return both


def plus(n: int, *, by: str = "us") -> Callable[[Tally | None, int], Tally | Refusal]:
    """The transition that adds `n`."""

    def transition(state: Tally | None, generation: int) -> Tally | Refusal:
        assert (state is None) == (generation == 0)
        total = 0 if state is None else state.total
        who = () if state is None else state.by
        unknown_fields = {} if state is None else state.unknown
        return Tally(total=total + n, by=(*who, by), unknown=unknown_fields)

    return transition
