"""What the server says it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from persidict.testing import ServerControl


def test_requests_are_counted_by_verb_and_status(
    persidict_s3_client: S3Client, persidict_bucket: str, persidict_faults: ServerControl
) -> None:
    client, bucket = persidict_s3_client, persidict_bucket
    client.put_object(Bucket=bucket, Key="a/b", Body=b"", IfNoneMatch="*")
    with pytest.raises(client.exceptions.ClientError):
        client.put_object(Bucket=bucket, Key="a/b", Body=b"", IfNoneMatch="*")
    client.get_object(Bucket=bucket, Key="a/b")["Body"].close()
    client.head_object(Bucket=bucket, Key="a/b")
    client.list_objects_v2(Bucket=bucket)
    client.list_objects(Bucket=bucket, Prefix="a")
    client.get_bucket_versioning(Bucket=bucket)
    client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a/b"}]})
    client.delete_object(Bucket=bucket, Key="a/b")
    client.head_bucket(Bucket=bucket)

    log = persidict_faults.log()

    assert log.counts == {
        "PUT": {"200": 1, "412": 1},
        "GET": {"200": 1},
        "HEAD": {"200": 1},
        "LIST": {"200": 2},
        "GET_BUCKET": {"200": 1},
        "DELETE_MANY": {"200": 1},
        "DELETE": {"204": 1},
        "HEAD_BUCKET": {"200": 1},
    }
    assert log.total == len(log.entries) == 10
    first = log.entries[0]
    assert (first.verb, first.name, first.conditional) == ("PUT", f"{bucket}/a/b", True)
    assert (first.applied, first.answered, first.fault) == ([200], "200", None)
    assert log.entries[4].name == bucket


def test_the_log_forgets_on_request(
    persidict_s3_client: S3Client, persidict_bucket: str, persidict_faults: ServerControl
) -> None:
    persidict_s3_client.head_bucket(Bucket=persidict_bucket)
    assert persidict_faults.log(with_entries=False).entries == ()
    assert persidict_faults.log(with_entries=False).total == 1

    persidict_faults.reset_log()

    assert (persidict_faults.log().total, persidict_faults.log().entries) == (0, ())
