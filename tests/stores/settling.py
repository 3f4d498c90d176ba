"""One write through a settled store, against a script."""

from __future__ import annotations

from typing import Any

import pytest

from persidict.codecs import Codec, JsonCodec
from persidict.object_store import (
    Applied,
    NotApplied,
    Refused,
    Unaccounted,
)
from persidict.retry import RetryPolicy
from persidict.settle import Lost
from persidict.settled_store import SettledStore
from persidict.testing.clock import ManualClock
from tests.stores.scripted import (
    NAME,
    ScriptedStore,
    Seen,
    SilenceError,
    Step,
)

SILENCE = SilenceError()
LOST_REPLY: Step = ("put", Unaccounted(SILENCE))
REFUSED: Step = ("put", Refused())
CONFLICT: Step = ("put", NotApplied(SILENCE, conflict=True))
UNSENT: Step = ("put", NotApplied(SILENCE, conflict=False))
APPLIED: Step = ("put", Applied("ours"))
ANOTHERS = Seen("another's")
EXPECTED = Seen("expected", write_id="an earlier one")


class Run:
    """One write through a settled store, by a clock of its own."""

    def __init__(
        self, *steps: Step, codec: Codec | None = None, request_timeout: float = 0.0, **policy: Any
    ) -> None:
        self.clock = ManualClock()
        self.store = ScriptedStore(*steps, request_timeout=request_timeout)
        self.codec = codec or JsonCodec()
        self.settled = SettledStore(self.store, policy=RetryPolicy(clock=self.clock, **policy))

    def put(self, precondition: Any, *, body_if_lost: bool = False) -> Applied | Lost:
        outcome = self.settled.put(
            NAME,
            b'"text"',
            codec=self.codec,
            precondition=precondition,
            body_if_lost=body_if_lost,
        )
        assert self.store.steps == []
        return outcome

    def fails(self, precondition: Any, error: type[Exception]) -> Any:
        with pytest.raises(error) as failure:
            self.put(precondition)
        assert type(failure.value) is error
        return failure.value


def for_ever(step: Step, then: Step) -> list[Step]:
    """More turns of two steps than any deadline allows."""
    return [step, then] * 200
