"""One schedule: which faults strike how often, and what each process does; all by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from persidict.testing import FaultKind, FaultPlan, FaultRule

SAFE: Final = "safe"
"""Items that are never deleted, and all records."""
RECORDS: Final = "records"
"""The records among them: every kind of fault strikes these.

Of an item's write that was applied twice the second answer says that somebody else was faster; and
so it looks, if somebody has overwritten it by the next read. Nothing in an item tells, and the
contract takes it for lost; a record's ring tells. So items are spared that one.
"""
GONE: Final = "gone"
"""Items that are deleted as well.

A create that was applied, and whose answer was lost, is sent again; if another has deleted the item
in between, it is created twice. The contract says so (deletes leave nothing to recognise), so what
makes that happen spares creating these: faults after the request was applied, and requests applied
late or twice.
"""
PATIENCE: Final = 3.0
"""Seconds that a call may take; a request a third of it."""

_READS: Final = ("GET", "HEAD")
_BEFORE: Final = (
    FaultKind.DROP_REQUEST,
    FaultKind.ERROR_500_BEFORE,
    FaultKind.ERROR_503_BEFORE,
)
_AFTER: Final = (
    FaultKind.DROP_REPLY,
    FaultKind.RESET_REPLY,
    FaultKind.ERROR_500_AFTER,
    FaultKind.ERROR_503_AFTER,
    FaultKind.TRUNCATE,
    FaultKind.FLIP_BIT,
    FaultKind.DUPLICATE_FIRST,
)
OFTEN: Final = 0.04
RARELY: Final = 0.004
"""The largest shares that are drawn, of kinds that cost little time and of those that cost much."""


def plan(seed: int, number: int) -> FaultPlan:
    """The faults of one schedule: every kind, each as often as is drawn."""
    rng = random.Random(f"faults of {number} in {seed}")
    return FaultPlan(rng.getrandbits(32), tuple(_rules(rng)))


def _rules(rng: random.Random) -> Iterator[FaultRule]:
    for kind in _BEFORE:
        yield FaultRule(kind=kind, probability=rng.uniform(0, OFTEN))
    yield FaultRule(
        kind=FaultKind.CONFLICT,
        probability=rng.uniform(0, OFTEN),
        methods=("PUT", "DELETE"),
        conditional=True,
    )
    yield FaultRule(kind=FaultKind.FORBIDDEN, probability=rng.uniform(0, RARELY))
    yield FaultRule(kind=FaultKind.NO_SUCH_BUCKET, probability=rng.uniform(0, RARELY))
    for kind in _AFTER:
        yield from _after(rng, kind)
    # Of a delete that was applied twice the second answer would say that another was faster.
    duplicated: dict[str, Any] = {
        "kind": FaultKind.DUPLICATE_SECOND,
        "probability": rng.uniform(0, OFTEN),
    }
    yield FaultRule(methods=("PUT",), key=f"*/{RECORDS}/*", **duplicated)
    yield FaultRule(methods=_READS, **duplicated)
    yield from _late(rng)
    yield FaultRule(kind=FaultKind.BLACK_HOLE, probability=rng.uniform(0, RARELY))
    yield from _after(rng, FaultKind.DELAY, seconds=0.02)
    yield from _after(rng, FaultKind.DELAY, most=RARELY, seconds=PATIENCE / 2)
    yield from _after(rng, FaultKind.DRIP, most=RARELY, seconds=0.002)


def _after(
    rng: random.Random, kind: FaultKind, *, most: float = OFTEN, **how: Any
) -> Iterator[FaultRule]:
    """Rules of a kind that strikes what was applied."""
    probability = rng.uniform(0, most)
    yield FaultRule(kind=kind, probability=probability, methods=("PUT",), key=f"*/{SAFE}/*", **how)
    yield FaultRule(kind=kind, probability=probability, methods=(*_READS, "DELETE"), **how)


def _late(rng: random.Random) -> Iterator[FaultRule]:
    """Writes that are applied when their senders have long given up."""
    for closes, most in ((True, OFTEN), (False, RARELY)):
        probability = rng.uniform(0, most)
        after = rng.randint(1, 40)
        late: dict[str, Any] = {
            "kind": FaultKind.LATE,
            "probability": probability,
            "after_requests": after,
            "close": closes,
        }
        yield FaultRule(methods=("PUT",), key=f"*/{SAFE}/*", **late)
        yield FaultRule(methods=("DELETE",), **late)


def kinds(rules: Sequence[FaultRule]) -> set[FaultKind]:
    """Which kinds of faults there are in a plan."""
    return {rule.kind for rule in rules}
