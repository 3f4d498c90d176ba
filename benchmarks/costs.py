"""What holding, waiting, claiming and counting cost at a price per request."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from benchmarks.sharing import WORKERS, CounterTable, SharedTasksTable
from benchmarks.stage import Stage
from persidict.testing import EmbeddedS3
from persidict.testing.clock import ManualClock
from persidict_sync.errors import AcquireTimeout

HOUR: Final = 3600.0
HOURS: Final = 720
"""Of 30 days."""
MILLION: Final = 1_000_000
WRITES: Final = frozenset({"PutObject", "ListObjectsV2", "put", "list"})
"""What is charged as a write; all else is charged as a read."""
BLOCK: Final = 100
SAMPLE: Final = 200
"""How often an operation is counted, before it is multiplied."""


_Prepare: TypeAlias = Callable[[Stage], Callable[[], object]]
"""Sets a stage, and returns what is to be counted."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for 1,000 requests."""

    write: float
    read: float

    def row(self, label: str, *, writes: float, reads: float) -> str:
        """A line of the table."""
        dollars = (writes * self.write + reads * self.read) / 1_000
        return f"| {label} | {writes:,.0f} | {reads:,.0f} | {dollars:,.2f} |"


class _Attended(ManualClock):
    """A clock whose waiting leaves others time for what they have to do."""

    attend: Callable[[], None] | None = None

    def sleep(self, seconds: float, /) -> None:
        super().sleep(seconds)
        if self.attend is not None:
            self.attend()


def to_hold(stage: Stage, *, ttl: float) -> Callable[[], object]:
    """Hold a lease for an hour, with nobody else about."""
    held = stage.ours.lease("nightly", ttl=ttl).acquire()
    end = stage.clock.monotonic() + HOUR

    def hold() -> None:
        while (due := held.next_due()) is not None and due < end:
            stage.clock.advance(max(0.0, due - stage.clock.monotonic()))
            stage.ours.heartbeat.run_due()
        held.check()

    return hold


def to_wait(stage: Stage, *, poll: float | None) -> Callable[[], object]:
    """Wait an hour for a lease that another holds and renews all the time."""
    clock = stage.clock
    assert isinstance(clock, _Attended)
    held = stage.rival.lease("nightly").acquire()
    clock.attend = stage.rival.heartbeat.run_due

    def wait() -> None:
        with suppress(AcquireTimeout):
            stage.ours.lease("nightly", poll=poll).acquire(timeout=HOUR)
        held.check()

    return wait


def to_watch(stage: Stage) -> Callable[[], object]:
    """Follow a value that nobody changes for an hour."""
    return lambda: list(stage.ours.value("config").watch(timeout=HOUR))


def to_claim(stage: Stage) -> Callable[[], object]:
    """Claim a task and complete it, with nobody else about."""
    frames, numbers = stage.ours.claims("frames"), itertools.count()

    def one() -> None:
        claim = frames.claim(f"{next(numbers)}")
        assert claim is not None
        claim.complete()

    return one


def to_add(stage: Stage) -> Callable[[], object]:
    """Add to a counter, with nobody else about."""
    hits = stage.ours.counter("hits")
    hits.add()
    return hits.add


def to_draw(stage: Stage) -> Callable[[], object]:
    """Draw a number of a sequence in blocks of `BLOCK`, with nobody else about."""
    ids = stage.ours.sequence("ids", block=BLOCK)
    for _ in range(BLOCK):
        ids.next()
    return ids.next


def to_write(stage: Stage) -> Callable[[], object]:
    """Write an item under a token."""
    held = stage.ours.lease("trainer").acquire()
    models = stage.ours.fenced(stage.dictionary(root_prefix="models"), held)
    return lambda: models.update(best=1)


def lines(
    server: EmbeddedS3, prices: Prices, *, tasks: SharedTasksTable, counter: CounterTable
) -> Iterator[str]:
    """The table."""
    yield "| what | PUT and LIST | GET | US $ |"
    yield "| --- | ---: | ---: | ---: |"
    for label, prepare in _FOR_AN_HOUR.items():
        stage = Stage(server, clock=_Attended())
        writes, reads = _sums((name, 1) for name in stage.heard(prepare(stage)))
        stage.close()
        yield prices.row(f"{label}, for 30 days", writes=HOURS * writes, reads=HOURS * reads)
    for label, prepare in _ONE_BY_ONE.items():
        stage = Stage(server)
        sent = stage.heard(partial(_repeat, prepare(stage)))
        stage.close()
        writes, reads = _sums((name, MILLION / SAMPLE) for name in sent)
        yield prices.row(f"1,000,000 {label}", writes=writes, reads=reads)
    for label, per_one in {
        f"tasks by {WORKERS} workers, `Claims.run`": tasks.per_task,
        f"additions by {WORKERS} processes at the same time": counter.per_add,
    }.items():
        writes, reads = _sums(per_one.items())
        yield prices.row(f"1,000,000 {label}", writes=MILLION * writes, reads=MILLION * reads)


def _repeat(act: Callable[[], object]) -> None:
    for _ in range(SAMPLE):
        act()


def _sums(requests: Iterable[tuple[str, float]]) -> tuple[float, float]:
    """Writes and reads."""
    writes = reads = 0.0
    for name, count in requests:
        if name in WRITES:
            writes += count
        else:
            reads += count
    return writes, reads


_FOR_AN_HOUR: Final[dict[str, _Prepare]] = {
    "a lease held, ttl 30 s": partial(to_hold, ttl=30.0),
    "a lease held, ttl 300 s": partial(to_hold, ttl=300.0),
    "one who waits for a lease": partial(to_wait, poll=None),
    "one who waits for a lease, `poll=10`": partial(to_wait, poll=10.0),
    "one who watches a value": to_watch,
}
_ONE_BY_ONE: Final[dict[str, _Prepare]] = {
    "tasks claimed and completed by one process": to_claim,
    "additions to a counter by one process": to_add,
    f"numbers of a sequence, `block={BLOCK}`": to_draw,
    "fenced writes": to_write,
}
