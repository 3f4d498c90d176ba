"""boto3 clients of an embedded server, for any process that knows its URL."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_s3 import S3Client

_DUMMY: Final = "testing"
_creating: Final = threading.Lock()


def s3_client(endpoint_url: str, **config: Any) -> S3Client:
    """A client with dummy credentials, which never goes through a proxy.

    Args:
        endpoint_url: Where the server listens.
        config: Arguments of `botocore.config.Config`, such as `retries` and `read_timeout`.
    """
    from botocore.config import Config

    settings = {"proxies": {}, "s3": {"addressing_style": "path"}, **config}
    with _creating:
        return _session().client("s3", endpoint_url=endpoint_url, config=Config(**settings))


@cache
def _session() -> Session:
    # Making a client is safe under threads only with a session of one's own, or a lock; a session
    # of one's own reads the description of S3 again, which takes ten times as long as the rest.
    from boto3.session import Session

    return Session(aws_access_key_id=_DUMMY, aws_secret_access_key=_DUMMY, region_name="us-east-1")
