"""Where the measured processes work: a bucket of the embedded server, or a file; sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from persidict import BasicS3Dict, PersiDict, SQLiteDict

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True)
class Bucket:
    """A bucket of an embedded server."""

    endpoint_url: str
    name: str

    def open(self, *, timeout: float = 10.0, **settings: Any) -> PersiDict[Any]:
        """A dictionary whose client is its own, with all its own settings; no request."""
        from botocore.config import Config  # noqa: PLC0415 - a file does without it

        return BasicS3Dict(
            bucket_name=self.name,
            endpoint_url=self.endpoint_url,
            session=_session(),
            config=Config(proxies={}, s3={"addressing_style": "path"}),
            create_bucket=False,
            operation_timeout=timeout,
            **{"serialization_format": "json", **settings},
        )


@dataclass(frozen=True)
class File:
    """A file."""

    path: str

    def open(self, *, timeout: float = 10.0, **settings: Any) -> PersiDict[Any]:
        """A dictionary over a connection of its own."""
        settings = {"serialization_format": "json", **settings}
        return SQLiteDict(self.path, operation_timeout=timeout, **settings)


Place = Bucket | File


@cache
def _session() -> boto3.Session:
    import boto3  # noqa: PLC0415 - a file does without it

    dummy = "testing"
    return boto3.Session(dummy, dummy, region_name="us-east-1")
