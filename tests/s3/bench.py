"""One bucket over real HTTP, dictionaries on it with clients of every make, and a rival."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from persidict import BasicS3Dict
from persidict.testing.clock import ManualClock

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3 import S3Client

    from persidict.testing import ServerControl

_SETTINGS: dict[str, Any] = {"proxies": {}, "s3": {"addressing_style": "path"}}
RETRIES: dict[str, dict[str, Any]] = {
    "one attempt": {"total_max_attempts": 1},
    "default": {},
    "standard": {"mode": "standard", "total_max_attempts": 3},
    "legacy": {"mode": "legacy", "total_max_attempts": 5},
}
_seeds = itertools.count(1)


class Sdk:
    """A session, and clients that are never altered by a test."""

    def __init__(self, session: boto3.Session, *, endpoint_url: str) -> None:
        self.session = session
        self.endpoint_url = endpoint_url
        self.rival = self.client("one attempt")
        self.plain = self.client("one attempt")
        self.tried_buckets: set[str] = set()

    def close(self) -> None:
        self.rival.close()
        self.plain.close()

    def client(
        self, retrying: str = "default", *, endpoint_url: str | None = None, **config: Any
    ) -> S3Client:
        settings = {**_SETTINGS, "retries": RETRIES[retrying], **config}
        url = endpoint_url or self.endpoint_url
        return self.session.client("s3", endpoint_url=url, config=Config(**settings))


class Bench:
    """A bucket of the embedded server; clients that are made here are closed by `close`.

    Attributes:
        rival: A client of somebody else's.
        plain: A client that makes one attempt a request, shared by all tests.
    """

    def __init__(self, sdk: Sdk, *, control: ServerControl, bucket: str) -> None:
        self.sdk = sdk
        self.control = control
        self.bucket = bucket
        self.rival = sdk.rival
        self.plain = sdk.plain
        self._stack = contextlib.ExitStack()

    def close(self) -> None:
        self._stack.close()

    def client(self, retrying: str = "default", **config: Any) -> S3Client:
        client = self.sdk.client(retrying, **config)
        self._stack.callback(client.close)
        return client

    def own(self, **settings: Any) -> BasicS3Dict[Any]:
        """A dictionary that makes its own client."""
        where = {"session": self.sdk.session, "endpoint_url": self.sdk.endpoint_url}
        d = self._open(**{**where, **settings})
        self._stack.callback(d.s3_client.close)
        return d

    def given(self, client: S3Client | None = None, **settings: Any) -> BasicS3Dict[Any]:
        """A dictionary over a client that was passed in, `plain` by default."""
        return self._open(s3_client=client or self.plain, **settings)

    def open(
        self, make: str, *, endpoint_url: str | None = None, **settings: Any
    ) -> BasicS3Dict[Any]:
        """A dictionary whose client is its `own`, or is given and retries like this."""
        if make == "own":
            return self.own(endpoint_url=endpoint_url or self.sdk.endpoint_url, **settings)
        return self.given(self.client(make, endpoint_url=endpoint_url), **settings)

    def _open(self, **settings: Any) -> BasicS3Dict[Any]:
        clock = ManualClock(seed=next(_seeds))
        where = {"bucket_name": self.bucket, "create_bucket": False, "clock": clock}
        return BasicS3Dict(**{**where, **settings})

    def try_conditional_delete(self) -> None:
        """Have the first conditional delete in this bucket, and its probe, behind us."""
        d = self.given(self.rival)
        d["warm-up"] = 1
        d.pop("warm-up")
        self.sdk.tried_buckets.add(self.bucket)

    def put(self, name: str, value: object) -> str:
        """Have the rival write a pickle, with bytes of its own; its etag."""
        body = pickle.dumps(value) + os.urandom(12)
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

    def value(self, name: str) -> object:
        """What the pickle in the bucket holds, None for nothing."""
        body = self.read(name)
        return None if body is None else pickle.loads(body)

    def etag(self, name: str) -> str | None:
        """The etag that the bucket shows, None for nothing."""
        page = self.rival.list_objects_v2(Bucket=self.bucket, Prefix=name, MaxKeys=1)
        found = page.get("Contents", [])
        return found[0]["ETag"] if found and found[0]["Key"] == name else None

    def names(self) -> list[str]:
        """All names in the bucket, of at most 1,000."""
        page = self.rival.list_objects_v2(Bucket=self.bucket)
        return [found["Key"] for found in page.get("Contents", ())]
