"""The wire format of counters, sequences and values, held fixed byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from persidict_sync.counter import CounterState
from persidict_sync.record import Record, RecordCodec
from persidict_sync.sequence import SequenceState
from persidict_sync.state import State
from persidict_sync.value_state import Change, ValueState

GOLDEN = Path(__file__).parent / "golden"
OPS = tuple(f"{number:024x}" for number in range(7, 207))
STATES: dict[str, tuple[int, State]] = {
    "counter": (3, CounterState(total=-42)),
    "sequence": (200, SequenceState(next=2001)),
    "value": (
        2,
        ValueState(
            value={"workers": 4, "regions": ["eu", "us"], "ratio": 0.5, "on": True, "note": "é"},
            history=(
                Change(generation=1, owner="host-1", written="2026-01-02T03:04:05+00:00"),
                Change(generation=2, owner="host-2", written="2026-01-02T03:05:00+00:00"),
            ),
        ),
    ),
}


@pytest.mark.parametrize("kind", STATES)
def test_what_is_written_and_read(kind: str) -> None:
    generation, state = STATES[kind]
    record = Record(
        kind=state.kind,
        generation=generation,
        op=OPS[generation - 1],
        ops="".join(OPS[max(0, generation - 128) : generation]),
        written="2026-01-02T03:05:00+00:00",
        body=state.body(),
    )
    golden = (GOLDEN / f"{kind}.json").read_bytes().removesuffix(b"\n")
    assert RecordCodec().encode(record) == golden
    read = RecordCodec().decode(golden)
    assert read == record
    assert read.kind == kind
    assert type(state).parse(read.body) == state
