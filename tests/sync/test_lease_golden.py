"""The stored form of a lease, which other versions and other languages read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from persidict_sync.lease_state import LeaseState
from persidict_sync.record import Record, RecordCodec

GOLDEN = (Path(__file__).parent / "golden" / "lease.json").read_bytes().rstrip(b"\n")
STATE = LeaseState(
    token=2,
    holder="worker-1",
    beat=1,
    ttl=30.0,
    data={"at": "10.0.0.7:8080"},
    acquired="2026-01-02T03:03:55+00:00",
)
OPS = ("a" * 24, "b" * 24, "c" * 24)
RECORD = Record(
    "lease",
    generation=3,
    op=OPS[-1],
    ops="".join(OPS),
    written="2026-01-02T03:04:05+00:00",
    body=STATE.body(),
)


def test_it_is_written_like_this():
    assert RecordCodec().encode(RECORD) == GOLDEN


def test_it_is_read_like_this():
    record = RecordCodec().decode(GOLDEN)
    assert record == RECORD
    assert LeaseState.parse(record.body) == STATE


def test_a_free_one_has_neither_holder_nor_data():
    body = replace(STATE, holder=None, data=None).body()
    assert (body["holder"], body["data"], body["token"]) == (None, None, 2)
