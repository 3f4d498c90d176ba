"""boto3 clients of an embedded server, for any process that knows its URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DUMMY: Final = "testing"


def s3_client(endpoint_url: str, **config: Any) -> S3Client:
    """A client with dummy credentials, which never goes through a proxy.

    Args:
        endpoint_url: Where the server listens.
        config: Arguments of `botocore.config.Config`, such as `retries` and `read_timeout`.
    """
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        aws_access_key_id=_DUMMY, aws_secret_access_key=_DUMMY, region_name="us-east-1"
    )
    settings = {"proxies": {}, "s3": {"addressing_style": "path"}, **config}
    return session.client("s3", endpoint_url=endpoint_url, config=Config(**settings))
