"""A write whose answer was lost, repeated or refused ends as what happened to it.

Every way to change an item meets every mishap, alone and with another writer who acts between
the first attempt and the client's next request, over clients that do and do not retry.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from persidict import ITEM_NOT_AVAILABLE, VALUE_NOT_RETRIEVED, BasicS3Dict
from tests.s3 import mishaps, writes
from tests.s3.mishaps import Expected, Mishap, Reply, Rival, expected
from tests.s3.wire import READS, WRITES, Wire
from tests.s3.writes import KEY, Ended, Write

if TYPE_CHECKING:
    from persidict.testing import LoggedRequest, ServerControl
    from tests.s3.bench import Bench

ANYTHING = READS + WRITES
_numbers = itertools.count(1)


class Stage:
    """One item of a prefix of its own, and what has become of it."""

    def __init__(self, bench: Bench, write: Write, *, base: BasicS3Dict[Any]) -> None:
        self.bench = bench
        self.write = write
        self.d = base.get_subdict(f"stage-{next(_numbers)}")
        self.name = f"{self.d.root_prefix}{KEY}.pkl"
        self.etag: Any = ITEM_NOT_AVAILABLE if write.creates else bench.put(self.name, "old")
        self.known: dict[Any, str] = {self.etag: "old", ITEM_NOT_AVAILABLE: "absent"}
        self.others_changes = 1 if write.verb == "PUT" and not write.creates else 0

    def act(self, rival: Rival) -> None:
        """What the rival does."""
        if rival is Rival.OVERWRITES:
            self.known[self.bench.put(self.name, "theirs")] = "theirs"
            self.others_changes += self.write.verb == "PUT"
        elif rival is Rival.DELETES:
            self.bench.delete(self.name)
            self.others_changes += self.write.verb == "DELETE"

    def log(self) -> list[LoggedRequest]:
        """The requests that could change the item in the way of this write."""
        path = f"{self.bench.bucket}/{self.name}"
        return [
            entry
            for entry in self.bench.control.log().entries
            if entry.verb == self.write.verb and entry.name == path
        ]

    def applied(self) -> int:
        """How often this write changed the bucket."""
        statuses = [status for entry in self.log() for status in entry.applied]
        return sum(status < 300 for status in statuses) - self.others_changes

    def check(self, ended: Ended, expected: Expected) -> None:
        told = ended.told
        assert ended.verdict is expected.verdict
        assert (self.bench.value(self.name) or "absent") == expected.after
        assert expected.applied in (None, self.applied())
        if "before" in told:
            assert self.known.get(told["before"], told["before"]) == expected.before
        if "after" in told:
            assert told["after"] == (self.bench.etag(self.name) or ITEM_NOT_AVAILABLE)
        if told.get("value", VALUE_NOT_RETRIEVED) is not VALUE_NOT_RETRIEVED:
            assert self.known.get(told["value"], told["value"]) == expected.after


def gaps(mishap: Mishap, *, make: str, rival: Rival) -> list[tuple[str, ...]]:
    """Before which request the rival acts: the next one, or the first read after SDK retries."""
    if rival is Rival.NOTHING or make == "own" or mishap.reply is not Reply.LOST:
        return [ANYTHING]
    return [ANYTHING, READS] if mishap.lands else [ANYTHING]


CASES = (
    *(("own", write, mishap) for write in writes.ALL for mishap in mishaps.ALL),
    *(("default", write, mishap) for write in writes.ALL for mishap in mishaps.WITH_RIVAL),
    *(("legacy", write, mishap) for write in writes.ONE_OF_EACH for mishap in mishaps.ALL),
)


@pytest.mark.parametrize(("make", "write", "mishap"), CASES, ids=str)
def test_outcome(
    shared_bench: Bench, control: ServerControl, make: str, write: Write, mishap: Mishap
) -> None:
    base = shared_bench.open(make, append_only=write.append_only)
    for rival in Rival if mishap in mishaps.WITH_RIVAL else (Rival.NOTHING,):
        for gap in gaps(mishap, make=make, rival=rival):
            stage = Stage(shared_bench, write, base=base)
            control.set_faults(mishap.rule(f"*/{stage.name}", method=write.verb))
            with Wire(base.s3_client.meta.events) as wire:
                if mishap is mishaps.LATE_BEFORE:
                    wire.after_write(control.release_late, before=ANYTHING)
                wire.after_write(lambda s=stage, r=rival: s.act(r), before=gap)
                ended = write.run(stage.d, stage.etag)
            if rival is not Rival.NOTHING:
                assert wire.has_acted or not write.is_conditional
            if make != "own" and mishap.reply is Reply.LOST:
                first = next(n for n, op in enumerate(wire.operations) if op in WRITES)
                assert wire.operations[first + 1] == wire.operations[first], "the SDK sent it again"
            assert [entry.fault for entry in stage.log()].count(mishap.kind) == 1
            stage.check(ended, expected(write, mishap, rival))
            if mishap is mishaps.LATE_AFTER and write.is_conditional:
                # It lands at last, and its condition no longer holds.
                assert control.release_late() in [(412,), (404,)]
                stage.check(ended, expected(write, mishap, rival))
