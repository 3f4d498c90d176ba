"""One bucket over real HTTP, dictionaries on it with clients of every make, and a rival."""

from __future__ import annotations

import contextlib
import itertools
import pickle
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from persidict import BasicS3Dict
from persidict.testing.clock import ManualClock

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client

    from persidict.testing import EmbeddedS3, ServerControl

CLIENTS = ("own", "standard", "legacy")
"""The dictionary's own client, and given ones that retry by themselves in either mode."""

_SETTINGS: dict[str, Any] = {"proxies": {}, "s3": {"addressing_style": "path"}}
_RETRIES: dict[str, dict[str, Any]] = {
    "one attempt": {"total_max_attempts": 1},
    "default": {},
    "standard": {"mode": "standard", "total_max_attempts": 3},
    "legacy": {"mode": "legacy", "total_max_attempts": 5},
}
_seeds = itertools.count(1)


class Bench:
    """A bucket of the embedded server; everything opened here is closed by `close`."""

    def __init__(self, server: EmbeddedS3, *, session: boto3.Session, bucket: str) -> None:
        self.control: ServerControl = server.control
        self.endpoint_url = server.endpoint_url
        self.session = session
        self.bucket = bucket
        self._stack = contextlib.ExitStack()
        self.rival = self.client("one attempt")
        """A client of somebody else's."""

    def close(self) -> None:
        self._stack.close()

    def client(self, retries: str = "default", **config: Any) -> S3Client:
        settings = {**_SETTINGS, "retries": _RETRIES[retries], **config}
        client = self.session.client(
            "s3", endpoint_url=self.endpoint_url, config=Config(**settings)
        )
        self._stack.callback(client.close)
        return client

    def own(self, **settings: Any) -> BasicS3Dict[Any]:
        """A dictionary that makes its own client."""
        where = {
            "bucket_name": self.bucket,
            "session": self.session,
            "endpoint_url": self.endpoint_url,
            "create_bucket": False,
            "clock": ManualClock(seed=next(_seeds)),
        }
        d: BasicS3Dict[Any] = BasicS3Dict(**{**where, **settings})
        self._stack.callback(d.s3_client.close)
        return d

    def given(self, client: S3Client, **settings: Any) -> BasicS3Dict[Any]:
        """A dictionary over a client that was passed in."""
        where = {
            "bucket_name": self.bucket,
            "s3_client": client,
            "create_bucket": False,
            "clock": ManualClock(seed=next(_seeds)),
        }
        return BasicS3Dict(**{**where, **settings})

    def open(self, make: str, **settings: Any) -> BasicS3Dict[Any]:
        """A dictionary whose client is of this make: one of `CLIENTS`, or of the retry modes."""
        return self.own(**settings) if make == "own" else self.given(self.client(make), **settings)

    def put(self, name: str, value: object) -> str:
        """Have the rival write a pickle; its etag."""
        body = pickle.dumps(value)
        return self.rival.put_object(Bucket=self.bucket, Key=name, Body=body)["ETag"]

    def delete(self, name: str) -> None:
        """Have the rival delete an object."""
        self.rival.delete_object(Bucket=self.bucket, Key=name)

    def read(self, name: str) -> bytes | None:
        """The bytes that the bucket holds, None for nothing."""
        try:
            return self.rival.get_object(Bucket=self.bucket, Key=name)["Body"].read()
        except self.rival.exceptions.NoSuchKey:
            return None

    def etag(self, name: str) -> str | None:
        """The etag that the bucket shows, None for nothing."""
        try:
            return self.rival.head_object(Bucket=self.bucket, Key=name)["ETag"]
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
            return None

    def names(self) -> list[str]:
        """All names in the bucket, of at most 1,000."""
        page = self.rival.list_objects_v2(Bucket=self.bucket)
        return [found["Key"] for found in page.get("Contents", ())]
