"""Records as bytes: what is read, what is refused, and what an update leaves as it was."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import pytest
import tenacity  # noqa: F401 - loaded by the first update, which is not to look like an attack
from hypothesis import given
from hypothesis import strategies as st

from persidict import LocalDict, NonEmptySafeStrTuple
from persidict.codecs import Codec
from persidict.testing.clock import ManualClock
from persidict_sync.cell import Cell
from persidict_sync.counter import Counter, CounterState
from persidict_sync.errors import RecordError, RecordTooLargeError
from persidict_sync.outcome import Updated
from persidict_sync.record import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_INT,
    OP_LENGTH,
    RING,
    Record,
    RecordCodec,
    first,
)
from tests.contract.places import InBucket, Place
from tests.shown import shown
from tests.sync import documents
from tests.sync.documents import OPS, envelope, ring

KEY = NonEmptySafeStrTuple("counter", "hits")
CODEC = RecordCodec()
LAST = {"generation": MAX_INT, "ops": ring(*OPS[:RING]), "op": OPS[RING - 1]}


class RawCodec(Codec):
    """The bytes under a record's name, as they are."""

    format = RecordCodec.format
    content_type = RecordCodec.content_type

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, body: bytes) -> bytes:
        return body


class Stored:
    """A counter whose record was written by somebody else."""

    def __init__(self, document: bytes, d: Any = None) -> None:
        d = LocalDict(clock=ManualClock()) if d is None else d
        self.raw = d.with_codec(RawCodec())
        self.raw[KEY] = document
        self.etag = self.raw.etag(KEY)
        self.cell = Cell(d.with_codec(CODEC), KEY, state=CounterState, clock=ManualClock())

    def is_untouched(self, document: bytes) -> bool:
        return bool(self.raw[KEY] == document and self.raw.etag(KEY) == self.etag)


def plus_one(state: CounterState | None, generation: int) -> CounterState:
    if state is None:
        return CounterState(total=1)
    return CounterState(total=state.total + 1, unknown=state.unknown)


def test_there_are_enough_of_them() -> None:
    assert len(documents.ALL) >= 50
    assert len(set(documents.ALL.values())) == len(documents.ALL)


@pytest.mark.parametrize("name", documents.ALL)
def test_a_document_that_is_no_record_is_refused_and_left_alone(name: str) -> None:
    document = documents.ALL[name]
    stored = Stored(document)
    sys.modules.pop("this", None)
    modules = set(sys.modules)
    for call in (
        stored.cell.look,
        lambda: stored.cell.look(stored.cell.absent()),
        lambda: stored.cell.update(plus_one, deadline=5.0),
        lambda: stored.cell.update(plus_one, deadline=5.0, base=stored.cell.absent()),
    ):
        with pytest.raises(RecordError) as caught:
            call()
        assert caught.value.key == KEY
        text = str(caught.value)
        assert repr(KEY) in text
        assert len(text) < 300
        assert "\n" not in text
    assert stored.is_untouched(document)
    assert set(sys.modules) == modules


def test_the_documents_differ_from_a_record_in_one_thing_only() -> None:
    stored = Stored(json.dumps(envelope()).encode())
    assert isinstance(stored.cell.update(plus_one, deadline=5.0), Updated)
    assert json.loads(stored.raw[KEY])["body"] == {"total": 6}


@pytest.mark.parametrize(
    "document",
    [documents.MALICIOUS["jsonpickle reduce as a body"], documents.MALICIOUS["pickle, protocol 2"]],
)
def test_on_every_store(place: Place, document: bytes) -> None:
    d = place.open(serialization_format="json")
    stored = Stored(document, d)
    with pytest.raises(RecordError) as caught:
        stored.cell.update(plus_one, deadline=5.0)
    assert caught.value.key == KEY
    assert stored.is_untouched(document)


def test_of_a_primitive_too(place: Place, fleet: Any) -> None:
    coordinator = fleet(place, prefix="fleet")
    hits: Counter = coordinator.counter("hits")
    raw = place.open(serialization_format="json").get_subdict("fleet").with_codec(RawCodec())
    raw[KEY] = b"garbage"
    for call in (hits.add, hits.value, hits.reset):
        with pytest.raises(RecordError) as caught:
            call()
        assert caught.value.key == KEY
    assert raw[KEY] == b"garbage"


class TestNewerMinor:
    DOCUMENT = envelope(
        format=[1, 7],
        priority=[1, {"deep": None}],
        body={"total": 5, "unit": "bytes", "more": {"a": [1.5, True]}},
    )

    def test_what_it_added_is_kept_over_updates(self) -> None:
        stored = Stored(json.dumps(self.DOCUMENT).encode())
        for _ in range(RING + 4):
            assert isinstance(stored.cell.update(plus_one, deadline=5.0), Updated)
        after = json.loads(stored.raw[KEY])
        assert after["format"] == [1, 7]
        assert after["priority"] == self.DOCUMENT["priority"]
        assert after["body"] == {**self.DOCUMENT["body"], "total": 5 + RING + 4}
        assert after["generation"] == 2 + RING + 4
        assert after["ops"].endswith(after["op"])
        assert len(after["ops"]) == RING * OP_LENGTH

    def test_by_a_primitive(self, place: Place, fleet: Any) -> None:
        raw = place.open(serialization_format="json").get_subdict("c").with_codec(RawCodec())
        raw[KEY] = json.dumps(self.DOCUMENT).encode()
        assert fleet(place, prefix="c").counter("hits").add(2) == 7
        after = json.loads(raw[KEY])
        assert after["priority"] == self.DOCUMENT["priority"]
        assert after["body"] == {**self.DOCUMENT["body"], "total": 7}

    def test_the_largest_minor(self) -> None:
        assert CODEC.decode(json.dumps(envelope(format=[1, MAX_INT])).encode()).format[1] == MAX_INT


def test_the_bytes_of_a_record() -> None:
    record = first(kind="counter", body={"total": 1}, op=OPS[0], written="now")
    assert json.loads(CODEC.encode(record)) == {
        "format": [1, 0],
        "kind": "counter",
        "generation": 1,
        "op": OPS[0],
        "ops": OPS[0],
        "written": "now",
        "body": {"total": 1},
    }


def test_the_ring_as_a_list_is_refused_by_name() -> None:
    with pytest.raises(RecordError, match=r"its ops is missing or no str"):
        CODEC.decode(json.dumps(envelope(ops=OPS[:2])).encode())


@pytest.mark.parametrize("generation", [1, 2, RING, RING + 1, 3 * RING])
def test_what_the_ring_tells(generation: int) -> None:
    made = [first(kind="counter", body={}, op=f"{1:024x}", written="")]
    for number in range(2, generation + 1):
        made.append(made[-1].next(body={}, op=f"{number:024x}", written=""))
    record = made[-1]
    for version in made:
        is_told = version.generation > generation - RING
        assert record.tells_of(version.generation) == is_told
        assert record.op_of(version.generation) == (version.op if is_told else "")
        assert record.stems_from(version) == is_told
        assert version.stems_from(record) == (version is record)
        assert not record.stems_from(replace(version, op="f" * 24))
    assert record.op_of(0) == record.op_of(generation + 1) == record.op_of(generation + 9) == ""


def test_limits_that_are_still_allowed() -> None:
    document = json.dumps(envelope()).encode()
    assert CODEC.decode(document + b" " * (MAX_BYTES - len(document))).generation == 2
    deep: Any = []
    for _ in range(MAX_DEPTH - 2):
        deep = [deep]
    assert CODEC.decode(json.dumps(envelope(extra=deep)).encode()).unknown == {"extra": deep}
    with pytest.raises(RecordError, match="more than 16 deep"):
        CODEC.decode(json.dumps(envelope(extra=[deep])).encode())
    full = json.dumps(envelope(**LAST)).encode()
    assert CODEC.decode(full).generation == MAX_INT
    for number in (2**53, -(10**307), int(sys.float_info.max)):
        assert CODEC.decode(json.dumps(envelope(extra=number)).encode()).unknown["extra"] == number
    emoji = '"\\ud83d\\ude00"'
    pair = CODEC.decode(json.dumps(envelope(note="@")).replace('"@"', emoji).encode())
    assert pair.unknown == {"note": "😀"}


def test_what_fits_once_goes_on_fitting_as_the_ring_grows() -> None:
    empty = first(kind="tally", body={"x": ""}, op="0" * OP_LENGTH, written="")
    room = MAX_BYTES - len(CODEC.encode(empty)) - (RING - 1) * OP_LENGTH
    with pytest.raises(RecordTooLargeError, match="65537 bytes, and 65536 is the most"):
        CODEC.encode(replace(empty, body={"x": "a" * (room + 1)}))
    record = replace(empty, body={"x": "a" * (room - 2)})
    for number in range(2 * RING):
        assert len(CODEC.encode(record)) <= MAX_BYTES
        record = record.next(body=record.body, op=f"{number:024x}", written="")


def test_the_last_generation_is_not_overstepped() -> None:
    document = json.dumps(envelope(**LAST)).encode()
    stored = Stored(document)
    with pytest.raises(RecordError, match="generation"):
        stored.cell.update(plus_one, deadline=5.0)
    assert stored.is_untouched(document)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"x": float("nan")}, RecordError),
        ({"x": float("inf")}, RecordError),
        ({"x": [10**309]}, RecordError),
        ({"x": -(10**400)}, RecordError),
        ({"x": "\udc00"}, RecordError),
        ({"x": "a" * MAX_BYTES}, RecordError),
        ({"x": object()}, TypeError),
        ({"x": (1, 2)}, TypeError),
        ({1: 2}, TypeError),
        ({1: 2, "1": 3}, RecordError),
        ({"x": b"bytes"}, TypeError),
    ],
    ids=shown,
)
def test_what_could_not_be_read_back_is_not_written(body: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        CODEC.encode(first(kind="counter", body=body, op=OPS[0], written=""))
    assert "aaaa" not in str(caught.value)


def test_endless_bodies_are_not_written() -> None:
    body: dict[str, Any] = {}
    body["self"] = body
    with pytest.raises(RecordError):
        CODEC.encode(first(kind="counter", body=body, op=OPS[0], written=""))


def test_only_records_are_written() -> None:
    with pytest.raises(TypeError, match="not a dict"):
        CODEC.encode({"kind": "counter"})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INT, MAX_INT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner)
    ),
    max_leaves=12,
)


@given(body=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON, max_size=4))
def test_what_is_written_is_read_back(body: dict[str, Any]) -> None:
    record = first(kind="counter", body=body, op=OPS[0], written="")
    later = record.next(body=body, op=OPS[1], written="later")
    assert CODEC.decode(CODEC.encode(later)) == later


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_record_or_a_record_error(body: bytes) -> None:
    with pytest.raises(RecordError):
        CODEC.decode(body)


@given(document=st.fixed_dictionaries(dict.fromkeys(envelope(), JSON)))
def test_any_json_of_the_right_fields_is_a_record_or_a_record_error(document: Any) -> None:
    try:
        record = CODEC.decode(json.dumps(document).encode())
    except RecordError:
        return
    assert isinstance(record, Record)


def test_a_record_error_survives_pickling() -> None:
    import copy
    import pickle

    error = RecordError("it is too old", key=KEY)
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (str(other), other.key, other.problem) == (str(error), KEY, "it is too old")


def test_on_s3_it_is_json_for_everyone(bucket: InBucket, fleet: Any) -> None:
    fleet(bucket, prefix="fleet").counter("hits").add(3)
    answer = bucket.client.get_object(Bucket=bucket.bucket, Key="fleet/counter/hits.record")
    assert answer["ContentType"] == "application/json"
    assert json.loads(answer["Body"].read())["body"] == {"total": 3}
