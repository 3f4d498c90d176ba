"""The stored forms of claims, semaphores and fenced items, which other languages read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persidict.codecs import JsonCodec
from persidict_sync.claim_state import ClaimState
from persidict_sync.fenced_form import FencedCodec, FencedState
from persidict_sync.record import Record, RecordCodec
from persidict_sync.semaphore_state import PermitState, SemaphoreState

OPS = ("a" * 24, "b" * 24, "c" * 24)
STATES = {
    "claim": ClaimState(
        status="done",
        token=2,
        claim="d" * 24,
        worker="e" * 24,
        owner="worker-1",
        ttl=30.0,
        on_owner_death="reclaim",
        attempts=2,
        error=None,
        result={"pixels": 640},
    ),
    "semaphore": SemaphoreState(
        permits=2,
        token=3,
        held=(PermitState(token=3, beat=0, ttl=30.0, owner="worker-1", data={"gpu": 0}),),
    ),
    "fenced": FencedState(token=7, value={"loss": 0.25}),
    "fenced-deleted": FencedState(token=8, is_deleted=True),
}


def codec_and_record(name):
    state = STATES[name]
    if state.kind == "fenced":
        codec, written = FencedCodec(JsonCodec()), ""
    else:
        codec, written = RecordCodec(), "2026-01-02T03:04:05+00:00"
    return codec, Record(state.kind, 3, OPS[-1], "".join(OPS), written, state.body())


def golden(name):
    return (Path(__file__).parent / "golden" / f"{name}.json").read_bytes().rstrip(b"\n")


@pytest.mark.parametrize("name", STATES)
def test_it_is_written_like_this(name):
    codec, record = codec_and_record(name)
    assert codec.encode(record) == golden(name)


@pytest.mark.parametrize("name", STATES)
def test_it_is_read_like_this(name):
    codec, record = codec_and_record(name)
    assert codec.decode(golden(name)) == record
    assert type(STATES[name]).parse(record.body) == STATES[name]


def test_a_plain_reader_of_a_fenced_item_needs_no_codec_of_ours():
    assert json.loads(golden("fenced"))["value"] == {"loss": 0.25}
