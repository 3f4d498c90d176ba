"""Where a race takes place: store addresses that a worker can be sent and a person can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, urlencode

from persidict import BasicS3Dict, PersiDict, SQLiteDict
from persidict.bucket_address import CREATE, SETTINGS, Bucket
from persidict_sync.address import File, Memory, parse

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

EMBEDDED: Final = "embedded"
TEMPORARY_FILE: Final = "sqlite:"
_CREDENTIALS: Final[tuple[str, ...]] = (
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
)


@dataclass(frozen=True)
class S3Address:
    """A prefix of a bucket, as `persidict.bucket_address.Bucket`, and who may use it.

    The credentials are neither in its repr nor in its URL.
    """

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_embedded: bool = False
    expected_bucket_owner: str | None = None
    create_bucket: bool = False

    @property
    def url(self) -> str:
        """The address as `parse_store` reads it, without its secrets."""
        settings = {name: getattr(self, name) for name in SETTINGS}
        settings[CREATE] = "true" if self.create_bucket else None
        query = urlencode({name: value for name, value in settings.items() if value}, safe=":/")
        return f"s3://{self.bucket}/{quote(self.prefix)}" + (f"?{query}" if query else "")

    def under(self, prefix: str) -> Self:
        """The address of a prefix below this one."""
        return replace(self, prefix="/".join(filter(None, (self.prefix, prefix))))

    def open(self, *, create: bool = False) -> PersiDict[Any]:
        """A dictionary over a client of its own.

        Args:
            create: Whether to create the bucket, if it is missing and the address says so.
        """
        session = _session(self.credentials) if self.credentials else None
        return BasicS3Dict(
            bucket_name=self.bucket,
            region=self.region,
            root_prefix=self.prefix,
            serialization_format="json",
            session=session,
            endpoint_url=self.endpoint_url,
            config=_path_style(has_proxies=not self.is_embedded) if self.endpoint_url else None,
            create_bucket=create and self.create_bucket,
            expected_bucket_owner=self.expected_bucket_owner,
        )


@dataclass(frozen=True)
class SQLiteAddress:
    """A prefix in one file."""

    path: Path
    prefix: str = ""

    @property
    def url(self) -> str:
        """The address of the file, as `parse_store` reads it."""
        return f"sqlite:///{quote(str(self.path))}"

    def under(self, prefix: str) -> Self:
        """The address of a prefix below this one."""
        return replace(self, prefix="/".join(filter(None, (self.prefix, prefix))))

    def open(self, *, create: bool = False) -> PersiDict[Any]:  # noqa: ARG002 - opening creates
        """A dictionary over a connection of its own."""
        return SQLiteDict(self.path, root_prefix=self.prefix, serialization_format="json")


Address = S3Address | SQLiteAddress


def parse_store(text: str) -> Address | str:
    """What `--store` names: an address, or `EMBEDDED` or `TEMPORARY_FILE` as they are.

    Raises:
        ValueError: It names no store; the text repeats no part of a query.
    """
    if text in (EMBEDDED, TEMPORARY_FILE):
        return text
    try:
        found = parse(text, extras=_CREDENTIALS)
    except ValueError as error:
        raise ValueError(f"--store: {error} --help shows all forms.") from None
    match found:
        case File(path):
            return SQLiteAddress(path)
        case Bucket() as bucket:
            return _s3_address(bucket)
        case Memory():
            raise ValueError("--store: workers are processes and share no memory; give sqlite:")


def _s3_address(bucket: Bucket) -> S3Address:
    settings = bucket.settings
    credentials = {name: settings[name] for name in _CREDENTIALS if name in settings}
    if len(credentials.keys() & set(_CREDENTIALS[:2])) == 1:
        raise ValueError(f"--store s3:// needs both {_CREDENTIALS[0]} and {_CREDENTIALS[1]}")
    others: dict[str, Any] = {name: settings[name] for name in SETTINGS if name in settings}
    return S3Address(
        bucket.name,
        bucket.prefix,
        **others,
        credentials=credentials,
        create_bucket=bucket.create_bucket,
    )


def _session(credentials: Mapping[str, str]) -> boto3.Session:
    import boto3  # noqa: PLC0415 - races over SQLite do without it

    key, secret, token = (credentials.get(name) for name in _CREDENTIALS)
    return boto3.Session(
        aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token
    )


def _path_style(*, has_proxies: bool) -> Config:
    from botocore.config import Config  # noqa: PLC0415 - races over SQLite do without it

    proxies: dict[str, Any] = {} if has_proxies else {"proxies": {}}
    return Config(s3={"addressing_style": "path"}, **proxies)
