"""`BasicS3Dict`: the conditional dictionary over S3 and everything that speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from persidict.jokers_and_status_flags import ValueType
from persidict.object_store import Name
from persidict.persi_dict import PersiDict, Settings
from persidict.s3.connection import S3Connection
from persidict.s3.store import S3Store

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from mypy_boto3_s3 import S3Client


class BasicS3Dict(PersiDict[ValueType]):
    """A `PersiDict` in one bucket, shared by any number of workers on any number of machines.

    As atomic as the store: AWS S3, and others that implement `If-None-Match: *` and `If-Match`
    on PUT. Not guaranteed: delivery in bounded time, or anything on a store that evaluates
    conditions without atomicity, which no single request can reveal.

    A client that is passed in is used as it is, its own retries included. One made here makes
    one attempt a request and leaves retrying to this package, which settles each attempt. The
    constructor sends one request, to look at the bucket, unless `create_bucket=False`.

    Args:
        bucket_name: The bucket.
        region: Its region; None leaves it to the SDK's conventions.
        s3_client: A client to use as it is.
        session: A `boto3.Session` to make the client from.
        endpoint_url: Where the store is; None leaves it to the SDK's conventions.
        config: A `botocore.config.Config` that overrides settings of a client made here.
        create_bucket: Whether to look for the bucket now, and create it if it is missing.
        expected_bucket_owner: Account id that the bucket must belong to.
        **settings: The arguments of `PersiDict`.

    Raises:
        BackendError: The bucket cannot be looked at or created. A 403 on looking is not fatal.
        ValueError: An argument is unusable.
        TypeError: An argument is of the wrong type.

    Example:
        >>> import boto3
        >>> from moto import mock_aws
        >>> with mock_aws():
        ...     d = BasicS3Dict(bucket_name="jobs", region="us-east-1",
        ...                     s3_client=boto3.client("s3", region_name="us-east-1"))
        ...     d["1"] = "open"
        ...     d.base_url, d["1"]
        ('s3://jobs/', 'open')
    """

    _hidden: ClassVar[tuple[str, ...]] = ("clock", "codec", "config", "s3_client", "session")

    def __init__(
        self,
        *,
        bucket_name: str = "my_bucket",
        region: str | None = None,
        s3_client: S3Client | None = None,
        session: boto3.Session | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        create_bucket: bool = True,
        expected_bucket_owner: str | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        super().__init__(**settings)
        if not isinstance(bucket_name, str):
            raise TypeError(f"bucket_name must be a str, not a {type(bucket_name).__name__}")
        if not bucket_name:
            raise ValueError("bucket_name must not be empty")
        self.bucket_name = bucket_name
        self.create_bucket = create_bucket
        self.expected_bucket_owner = expected_bucket_owner
        self._injected = {
            "s3_client": s3_client,
            "session": session,
            "endpoint_url": endpoint_url,
            "config": config,
        }
        self._connection = S3Connection(
            s3_client,
            session=session,
            settings={"region_name": region, "endpoint_url": endpoint_url, "config": config},
            timeout=self.operation_timeout,
        )
        self.region: str | None = region or self.s3_client.meta.region_name
        self._bucket = S3Store(
            bucket_name,
            connection=self._connection,
            owner=expected_bucket_owner,
            probe_prefix=self.root_prefix,
            nonce=self._policy.clock.nonce,
        )
        self._attach(self._bucket)
        if create_bucket:
            self._look_for_bucket("create_bucket", create=True)

    @property
    def s3_client(self) -> S3Client:
        """The client that every request goes through; a forked child has one of its own."""
        return self._connection.client

    @property
    def base_url(self) -> str:
        """Where the items are: `s3://bucket/prefix/`."""
        return f"s3://{self.bucket_name}/{self.root_prefix}"

    def check_bucket(self) -> None:
        """See that the bucket is there; one request, and it is never created.

        Not guaranteed: that it is there when the store answers 403. Without the permission to look
        at a bucket one may still be allowed to use it.

        Raises:
            BackendError: It is missing, or cannot be looked at.

        Example:
            >>> from moto import mock_aws
            >>> with mock_aws():
            ...     d = BasicS3Dict(bucket_name="jbos", region="us-east-1", create_bucket=False)
            ...     d.check_bucket()
            Traceback (most recent call last):
            ...
            persidict.exceptions.BackendError: S3 head_bucket of s3://jbos/ failed: 404. Check \
the name of the bucket, and the endpoint. If the bucket is to be a new one, create it, or have it \
created by create_bucket=true.
        """
        self._look_for_bucket("head_bucket", create=False)

    def _look_for_bucket(self, operation: str, *, create: bool) -> None:
        self._items.store.retried(
            lambda: self._bucket.ensure_bucket(self.region, create=create),
            operation,
            Name.of(None, self.base_url),
        )

    def _params(self) -> dict[str, Any]:
        return {
            **super()._params(),
            **self._injected,
            "bucket_name": self.bucket_name,
            "create_bucket": self.create_bucket,
            "expected_bucket_owner": self.expected_bucket_owner,
            "region": self.region,
        }
