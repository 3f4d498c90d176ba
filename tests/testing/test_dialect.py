"""Each way in which a store may differ from AWS, seen through boto3."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from persidict.testing import (
    DeleteIfMatch,
    Metadata,
    PutIfAbsent,
    PutIfMatch,
    PutIfNoneMatchEtag,
    StoreDialect,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from persidict.testing import ServerControl

Put = Callable[..., Any]
MOTO = tuple(map(int, metadata.version("moto").split(".")[:3]))


@pytest.fixture
def speak(persidict_faults: ServerControl) -> Callable[..., None]:
    return lambda **dialect: persidict_faults.set_dialect(StoreDialect(**dialect))


class Item:
    """One key; each method's result is the status of the answer."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._where = {"Bucket": bucket, "Key": "key"}
        self.head: dict[str, Any] = {}

    def put(self, **arguments: Any) -> int:
        return self._call("put_object", Body=b"value", **arguments)

    def delete(self, **arguments: Any) -> int:
        return self._call("delete_object", **arguments)

    def look(self, **arguments: Any) -> int:
        return self._call("get_object", **arguments)

    def _call(self, method: str, **arguments: Any) -> int:
        try:
            self.head = getattr(self._client, method)(**self._where, **arguments)
        except ClientError as error:
            self.head = error.response
        if "Body" in self.head:
            self.head["Body"].close()
        return int(self.head["ResponseMetadata"]["HTTPStatusCode"])


@pytest.fixture
def item(persidict_s3_client: S3Client, persidict_bucket: str) -> Item:
    return Item(persidict_s3_client, persidict_bucket)


def test_by_default_conditions_are_those_of_aws(item: Item) -> None:
    assert item.put(IfMatch='"stale"') == 404
    assert item.put(IfNoneMatch="*") == 200
    etag = item.head["ETag"]
    assert item.put(IfNoneMatch="*") == 412
    assert item.put(IfMatch='"stale"') == 412
    assert item.put(IfMatch=etag) == 200
    assert item.put(IfMatch=etag.strip('"')) == 200
    assert item.look(IfNoneMatch=etag) == 304
    assert item.delete(IfMatch='"stale"') == 412
    assert item.delete(IfMatch=etag) == 204
    assert item.delete(IfMatch=etag) == 404


def test_put_ignores_if_match(speak: Put, item: Item) -> None:
    speak(put_if_match=PutIfMatch.IGNORED)
    assert item.put(IfMatch='"stale"') == 200
    assert item.put(IfMatch='"stale"') == 200
    assert item.put(IfNoneMatch="*") == 412


def test_put_under_if_match_creates(speak: Put, item: Item) -> None:
    speak(put_if_match=PutIfMatch.CREATES)
    assert item.put(IfMatch='"stale"') == 200
    etag = item.head["ETag"]
    assert item.put(IfMatch='"stale"') == 412
    assert item.put(IfMatch=etag) == 200


def test_put_ignores_if_none_match(speak: Put, item: Item) -> None:
    speak(put_if_absent=PutIfAbsent.IGNORED)
    assert item.put(IfNoneMatch="*") == 200
    assert item.put(IfNoneMatch="*") == 200
    assert item.put(IfMatch='"stale"') == 412


def test_put_refuses_if_none_match(speak: Put, item: Item) -> None:
    speak(put_if_absent=PutIfAbsent.REFUSED)
    assert item.put(IfNoneMatch="*") == 501
    assert item.look() == 404
    assert item.put() == 200
    assert item.put(IfMatch=item.head["ETag"]) == 200


@pytest.mark.parametrize("etag", ['"stale"', "stale"])
def test_delete_ignores_its_condition(speak: Put, item: Item, etag: str) -> None:
    speak(delete_if_match=DeleteIfMatch.IGNORED, unquoted_if_match_only=True)
    item.put()

    assert item.delete(IfMatch=etag) == 204
    assert item.look() == 404


def test_delete_confirms_what_is_not_there(speak: Put, item: Item) -> None:
    speak(delete_if_match=DeleteIfMatch.CONFIRMS_ABSENT, if_match_absent_status=412)
    item.put()

    assert item.delete(IfMatch='"stale"') == 412
    assert item.look() == 200
    assert item.delete(IfMatch=item.head["ETag"]) == 204
    assert item.delete(IfMatch='"stale"') == 204
    assert item.put(IfMatch='"stale"') == 412


def test_delete_of_what_is_not_there_is_refused(speak: Put, item: Item) -> None:
    speak(delete_absent_status=404, delete_if_match=DeleteIfMatch.IGNORED)

    assert item.delete() == 404
    assert item.head["Error"]["Code"] == "NoSuchKey"
    assert item.delete(IfMatch='"stale"') == 404
    item.put()
    assert item.delete(IfMatch='"stale"') == 204
    assert item.delete() == 404


def test_delete_refuses_a_condition(speak: Put, item: Item) -> None:
    speak(delete_if_match="refused")
    item.put()

    assert item.delete(IfMatch=item.head["ETag"]) == 501
    assert item.head["Error"]["Code"] == "NotImplemented"
    assert item.look() == 200
    assert item.delete() == 204


@pytest.mark.parametrize(
    ("handling", "current", "other"),
    [
        (PutIfNoneMatchEtag.IGNORED, 200, 200),
        (PutIfNoneMatchEtag.HONOURED, 412, 200),
        (PutIfNoneMatchEtag.REFUSED, 501, 501),
    ],
)
def test_put_under_if_none_match_with_an_etag(
    speak: Put, item: Item, handling: PutIfNoneMatchEtag, current: int, other: int
) -> None:
    speak(put_if_none_match_etag=handling)
    item.put()
    etag = item.head["ETag"]

    assert item.put(IfNoneMatch=etag) == current
    assert item.put(IfNoneMatch='"other"') == other
    assert item.put(IfNoneMatch="*") == 412


def test_only_unquoted_etags_match(speak: Put, item: Item) -> None:
    speak(unquoted_if_match_only=True)
    item.put()
    etag = item.head["ETag"]

    assert item.put(IfMatch=etag) == 412
    assert item.delete(IfMatch=etag) == 412
    assert item.put(IfMatch=etag.strip('"')) == 200
    assert item.put(IfMatch="stale") == 412
    assert item.look(IfNoneMatch=etag) == 304


def test_if_match_on_an_absent_key_fails_its_condition(speak: Put, item: Item) -> None:
    speak(if_match_absent_status=412)

    assert item.put(IfMatch='"any"') == 412
    assert item.delete(IfMatch='"any"') == 412
    assert item.look(IfMatch='"any"') == 404


def test_if_match_in_an_absent_bucket_names_the_bucket(
    speak: Put, persidict_s3_client: S3Client
) -> None:
    speak(if_match_absent_status=412)
    item = Item(persidict_s3_client, "absent-bucket")

    assert item.put(IfMatch='"any"') == 404
    assert item.head["Error"]["Code"] == "NoSuchBucket"


@pytest.mark.parametrize(
    ("handling", "expected"),
    [
        (Metadata.KEPT, {"write-id": "7"}),
        (Metadata.DROPPED, {}),
        (Metadata.TITLE_CASED, {"Write-Id": "7"}),
    ],
)
def test_metadata(speak: Put, item: Item, handling: Metadata, expected: dict[str, str]) -> None:
    speak(metadata=handling)
    item.put(Metadata={"write-id": "7"})

    item.look()

    assert item.head["Metadata"] == expected


@pytest.mark.skipif(MOTO < (5, 2, 5), reason="moto makes hyphens of them")
def test_underscores_in_metadata_names_are_kept(item: Item) -> None:
    item.put(Metadata={"write_id": "7"})

    item.look()

    assert item.head["Metadata"] == {"write_id": "7"}


def test_an_etag_that_is_not_the_md5_is_an_etag_all_the_same(
    speak: Put, item: Item, persidict_s3_client: S3Client, persidict_bucket: str
) -> None:
    speak(etag_is_md5=False, put_if_none_match_etag="honoured")
    item.put()
    etag = item.head["ETag"]

    assert etag != f'"{hashlib.md5(b"value").hexdigest()}"'
    assert item.look(IfMatch=etag) == 200
    assert item.head["ETag"] == etag
    listed = persidict_s3_client.list_objects_v2(Bucket=persidict_bucket)["Contents"]
    assert [entry["ETag"] for entry in listed] == [etag]
    assert item.put(IfNoneMatch=etag) == 412
    assert item.put(IfMatch='"stale"') == 412
    assert item.put(IfMatch=etag) == 200
    assert item.delete(IfMatch=etag) == 204


@pytest.mark.parametrize(
    "arguments",
    [
        {"if_match_absent_status": 500},
        {"delete_if_match": "sometimes"},
        {"put_if_none_match_etag": "sometimes"},
        {"metadata": "sometimes"},
    ],
)
def test_a_dialect_that_nobody_speaks_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"sometimes|500"):
        StoreDialect(**arguments)
