"""Requests without an answer, by the machine's own clock; clients wait a fraction of a second."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from persidict import ITEM_NOT_AVAILABLE, BackendError, OutcomeUnknownError
from persidict.clock import SYSTEM_CLOCK
from persidict.testing import FaultKind, FaultRule
from tests.s3 import writes
from tests.s3.wire import READS, WRITES, Wire
from tests.s3.writes import KEY, Verdict, Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

NAME = f"{KEY}.pkl"


TIMEOUT = 3.0
"""Of an operation; the dictionary's own client gives a third of it to each request."""


@contextlib.contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Seconds from the beginning to the end of the block."""
    begun = ended = SYSTEM_CLOCK.monotonic()
    try:
        yield lambda: ended - begun
    finally:
        ended = SYSTEM_CLOCK.monotonic()


def fault(kind: FaultKind, *methods: str, **more: Any) -> FaultRule:
    return FaultRule(kind=kind, methods=methods, **more)


@pytest.mark.parametrize("write", writes.ONE_OF_EACH, ids=str)
@pytest.mark.parametrize(("attempts", "lands"), [(1, "before"), (1, "after"), (2, "before")])
def test_a_read_timeout_is_settled(
    bench: Bench, control: ServerControl, write: Write, attempts: int, lands: str
) -> None:
    """The request is held until the client gives up, and lands before its next one or at last."""
    bench.try_conditional_delete()
    client = bench.client(read_timeout=0.5, retries={"total_max_attempts": attempts})
    d = bench.given(client, append_only=write.append_only)
    etag: Any = ITEM_NOT_AVAILABLE if write.creates else bench.put(NAME, "old")
    control.set_faults(fault(FaultKind.LATE, write.verb, nth=(0,)))
    with Wire(client.meta.events) as wire:
        if lands == "before":
            wire.after_write(control.release_late, before=READS + WRITES)
        ended = write.run(d, etag)
    assert wire.has_acted
    is_gone = write.is_conditional and write.verb == "DELETE" and lands == "before"
    assert ended.verdict is (Verdict.UNKNOWN if is_gone else Verdict.WON)
    if lands == "after":
        now = bench.etag(NAME)
        (status,) = control.release_late()
        if write.is_conditional:
            assert status in (404, 412)
            assert bench.etag(NAME) == now


@pytest.mark.parametrize("write", [*writes.CREATES[:1], *writes.TAKES[:1]], ids=str)
def test_a_write_into_a_black_hole_ends_at_the_deadline(
    bench: Bench, control: ServerControl, write: Write
) -> None:
    bench.try_conditional_delete()
    d = bench.own(clock=SYSTEM_CLOCK, operation_timeout=TIMEOUT)
    etag: Any = ITEM_NOT_AVAILABLE if write.creates else bench.put(NAME, "old")
    control.set_faults(fault(FaultKind.BLACK_HOLE))
    with stopwatch() as took:
        ended = write.run(d, etag)
    assert ended.verdict is Verdict.UNKNOWN
    assert took() <= 1.1 * TIMEOUT


def test_a_read_into_a_black_hole_ends_at_the_deadline(
    bench: Bench, control: ServerControl
) -> None:
    d = bench.own(clock=SYSTEM_CLOCK, operation_timeout=TIMEOUT)
    control.set_faults(fault(FaultKind.BLACK_HOLE))
    with stopwatch() as took, pytest.raises(BackendError):
        d.get(KEY)
    assert took() <= 1.1 * TIMEOUT


def test_no_request_begins_too_close_to_the_deadline(bench: Bench, control: ServerControl) -> None:
    """Found by: write unanswered, read answered late, write and read unanswered."""
    d = bench.own(clock=SYSTEM_CLOCK, operation_timeout=TIMEOUT)
    control.set_faults(
        fault(FaultKind.BLACK_HOLE, "PUT"),
        fault(FaultKind.DELAY, "GET", nth=(0,), seconds=TIMEOUT / 6),
        fault(FaultKind.BLACK_HOLE, "GET"),
    )
    with stopwatch() as took, pytest.raises(OutcomeUnknownError):
        d.setdefault(KEY, "mine")
    assert took() <= 1.1 * TIMEOUT
