"""When a write gives up, and what it still finds out then."""

from __future__ import annotations

from typing import Any

import pytest

from persidict.exceptions import OutcomeUnknownError
from persidict.jokers_and_status_flags import ITEM_NOT_AVAILABLE
from persidict.object_store import (
    Applied,
    IfAbsent,
    Refused,
    Unaccounted,
)
from tests.stores.scripted import (
    ScriptedStore,
    ours,
    transient,
)
from tests.stores.settling import (
    SILENCE,
    Run,
    for_ever,
)


@pytest.mark.parametrize("takes", [0.5, 1.0, 4.0])
def test_no_request_is_begun_that_could_end_after_the_deadline(takes: float) -> None:
    begun: list[float] = []

    def slow(answer: Any) -> Any:
        def step(_store: ScriptedStore) -> Any:
            begun.append(run.clock.monotonic())
            run.clock.advance(takes)
            return answer

        return step

    steps = for_ever(("put", slow(Unaccounted(SILENCE))), ("head", slow(None)))
    run = Run(*steps, timeout=30.0, request_timeout=4.0)

    run.fails(IfAbsent(), OutcomeUnknownError)

    assert len(begun) > 5
    assert max(begun) <= 26.0 + 1e-9
    assert run.clock.monotonic() <= 30.0 + 1e-9


def test_a_process_frozen_past_its_deadline_still_looks_once() -> None:
    def frozen(_store: ScriptedStore) -> Unaccounted:
        run.clock.advance(3600.0)
        return Unaccounted(SILENCE)

    run = Run(("put", frozen), ("head", ours("shown")))

    assert run.put(IfAbsent()) == Applied("shown")


def test_after_the_deadline_nothing_is_sent_again() -> None:
    def frozen(_store: ScriptedStore) -> Unaccounted:
        run.clock.advance(3600.0)
        return Unaccounted(SILENCE)

    run = Run(("put", frozen), ("head", None))

    assert run.fails(IfAbsent(), OutcomeUnknownError).actual_etag is ITEM_NOT_AVAILABLE
    assert run.store.steps == []


def test_a_refusal_that_nobody_could_check_in_time() -> None:
    """It may answer a copy of a write that was applied."""

    def slow(_store: ScriptedStore) -> Refused:
        run.clock.advance(30.0)
        return Refused()

    run = Run(("put", slow), ("head", transient()))

    assert run.fails(IfAbsent(), OutcomeUnknownError).actual_etag is None
    assert run.clock.slept == []
