"""What a `BasicS3Dict` leaves in the bucket, as any other program sees it."""

from __future__ import annotations

import io
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from persidict import BasicS3Dict, Codec
from tests.contract.places import InBucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def place(s3_client: S3Client, persidict_bucket: str) -> InBucket:
    return InBucket(persidict_bucket, client=s3_client)


@pytest.mark.parametrize(
    ("settings", "value", "content_type"),
    [
        ({"serialization_format": "pkl"}, [1], "application/octet-stream"),
        ({"serialization_format": "json"}, [1], "application/json"),
        ({"serialization_format": "txt", "base_class_for_values": str}, "1", "text/plain"),
        ({"serialization_format": "html", "base_class_for_values": str}, "1", "text/plain"),
    ],
)
@pytest.mark.parametrize("write", ["assign", "create", "transform"])
def test_content_types(
    place: InBucket, settings: dict[str, Any], value: Any, content_type: str, write: str
) -> None:
    d = place.open(root_prefix="r", **settings)
    if write == "assign":
        d["a", "b"] = value
    elif write == "create":
        d.setdefault(("a", "b"), value)
    else:
        d.transform_item(("a", "b"), transformer=lambda _: value)

    head = place.client.head_object(
        Bucket=place.bucket, Key=f"r/a/b.{settings['serialization_format']}"
    )
    assert head["ContentType"] == content_type
    assert head["ETag"] == d.etag(("a", "b"))


def body_of(place: InBucket, key: str) -> bytes:
    return place.client.get_object(Bucket=place.bucket, Key=key)["Body"].read()


def test_json_is_readable_utf_8(place: InBucket) -> None:
    d = place.open(serialization_format="json")
    d["a"] = {"straße": ["ü", 1, None], "n": 1.5}

    text = body_of(place, "a.json").decode("utf-8")

    assert text.rstrip() == '{"straße": ["ü", 1, null], "n": 1.5}'
    assert json.loads(text) == d["a"]


def test_text_is_utf_8_and_nothing_else(place: InBucket) -> None:
    d = place.open(serialization_format="txt", base_class_for_values=str)
    d["a"] = "straße\r\n"

    assert body_of(place, "a.txt") == "straße\r\n".encode()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_any_standard_pickle_is_read(place: InBucket, protocol: int) -> None:
    value = {"a": (1, {2}), "b": b"\0"}
    body = pickle.dumps(value, protocol)
    place.client.put_object(Bucket=place.bucket, Key="a.pkl", Body=body)

    assert place.open()["a"] == value


def test_our_pickles_are_standard_ones(place: InBucket) -> None:
    place.open()["a"] = [1, (2,)]

    assert pickle.loads(body_of(place, "a.pkl")) == [1, (2,)]


def test_each_write_has_an_id_in_its_metadata(place: InBucket) -> None:
    d = place.open(serialization_format="json")
    ids = set()
    for _ in range(3):
        d["a"] = 1
        head = place.client.head_object(Bucket=place.bucket, Key="a.json")
        ids.add(head["Metadata"]["persidict-write"])

    assert len(ids) == 3
    assert all(len(bytes.fromhex(each)) * 8 >= 96 for each in ids)


def after_pickle(body: bytes) -> bytes:
    stream = io.BytesIO(body)
    pickle.load(stream)
    return stream.read()


@pytest.mark.parametrize(
    ("serialization_format", "after_document", "bits"),
    [("pkl", after_pickle, 8), ("json", lambda body: body[len(body.rstrip()) :], 2)],
)
def test_the_bytes_of_equal_values_differ_by_96_bits(
    place: InBucket, serialization_format: str, after_document: Any, bits: int
) -> None:
    d = place.open(serialization_format=serialization_format)
    stamps = []
    for _ in range(64):
        d["a"] = {"state": "open"}
        stamps.append(after_document(body_of(place, f"a.{serialization_format}")))

    assert {len(stamp) * bits for stamp in stamps} == {96}
    assert len(set(stamps)) == 64
    # Each byte takes part: 64 random ones are not all the same.
    assert all(len(set(column)) > 1 for column in zip(*stamps, strict=True))


class Upper(Codec):
    format = "up"
    content_type = "text/x-upper; charset=utf-8"

    def encode(self, value: str) -> bytes:
        return value.upper().encode()

    def decode(self, body: bytes) -> str:
        return body.decode().lower()


def test_a_codec_says_what_its_content_is(place: InBucket) -> None:
    place.open().with_codec(Upper())["a"] = "ü"

    head = place.client.head_object(Bucket=place.bucket, Key="a.up")
    assert head["ContentType"] == "text/x-upper; charset=utf-8"
    assert body_of(place, "a.up").decode() == "Ü"


def test_arrays_and_frames_in_json(place: InBucket) -> None:
    import numpy as np
    import pandas as pd

    d = place.open(serialization_format="json")
    array, frame = np.arange(6.0).reshape(2, 3), pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    d["array"], d["frame"] = array, frame

    np.testing.assert_array_equal(d["array"], array)
    pd.testing.assert_frame_equal(d["frame"], frame)
    json.loads(body_of(place, "frame.json"))


def test_where_the_items_are(place: InBucket) -> None:
    d = place.open(root_prefix="a/b")
    assert isinstance(d, BasicS3Dict)

    assert (d.bucket_name, d.root_prefix) == (place.bucket, "a/b/")
    assert d.base_url == f"s3://{place.bucket}/a/b/"
    assert d.region == "us-east-1"
    assert d.s3_client is place.client
    assert place.open(root_prefix="").root_prefix == ""


@pytest.mark.parametrize("etag", ["*", "", "a, b", 'W/"a"'])
def test_no_header_says_more_than_one_etag(place: InBucket, etag: str) -> None:
    """A store may take `*` for any etag, and the embedded one does not."""
    from persidict import ETAG_IS_THE_SAME

    d = place.open()
    d["a"] = 1
    sent: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        headers = params["headers"]
        sent.extend(headers[name] for name in ("If-Match", "If-None-Match") if name in headers)

    place.client.meta.events.register("before-call.s3", note)
    try:
        terms: Any = {"condition": ETAG_IS_THE_SAME, "expected_etag": etag}
        d.set_item_if("a", value=2, **terms)
        d.get_item_if("a", **terms)
        d.discard_if("a", **terms)
    finally:
        place.client.meta.events.unregister("before-call.s3", note)

    assert len(sent) >= 3
    assert all(len(value.strip('"')) == 32 for value in sent)
