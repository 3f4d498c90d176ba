"""Where a race takes place: store addresses that a worker can be sent and a person can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from persidict import BasicS3Dict, PersiDict, SQLiteDict

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
_FORMS: Final = (
    "embedded, sqlite:, sqlite:///relative/path, sqlite:////absolute/path, or "
    "s3://bucket/prefix?endpoint_url=URL&region=NAME"
)


@dataclass(frozen=True)
class S3Address:
    """A prefix of a bucket; the credentials are neither in its repr nor in its URL."""

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_embedded: bool = False

    @property
    def url(self) -> str:
        """The address as `parse_store` reads it, without its secrets."""
        known = {"endpoint_url": self.endpoint_url, "region": self.region}
        query = "&".join(f"{name}={value}" for name, value in known.items() if value)
        return f"s3://{self.bucket}/{self.prefix}" + (f"?{query}" if query else "")

    def under(self, prefix: str) -> Self:
        """The address of a prefix below this one."""
        return replace(self, prefix="/".join(filter(None, (self.prefix, prefix))))

    def open(self, *, create: bool = False) -> PersiDict[Any]:
        """A dictionary over a client of its own."""
        session = _session(self.credentials) if self.credentials else None
        return BasicS3Dict(
            bucket_name=self.bucket,
            region=self.region,
            root_prefix=self.prefix,
            serialization_format="json",
            session=session,
            endpoint_url=self.endpoint_url,
            config=_path_style(has_proxies=not self.is_embedded) if self.endpoint_url else None,
            create_bucket=create,
        )


@dataclass(frozen=True)
class SQLiteAddress:
    """A prefix in one file."""

    path: Path
    prefix: str = ""

    @property
    def url(self) -> str:
        """The address of the file, as `parse_store` reads it."""
        return f"sqlite:///{self.path}"

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
        url = urlsplit(text)
    except ValueError:
        raise ValueError(f"--store is no valid URL. Give {_FORMS}") from None
    if url.scheme == "s3":
        return _parse_s3(url)
    if url.scheme == "sqlite":
        return _parse_sqlite(url)
    raise ValueError(f"--store does not name a store that is known here. Give {_FORMS}")


def _parse_s3(url: SplitResult) -> S3Address:
    bucket = url.netloc
    if not bucket or "@" in bucket or url.fragment:
        raise ValueError(
            "--store s3:// needs a bucket and no user, password or fragment: "
            "s3://bucket/prefix?endpoint_url=URL&region=NAME"
        )
    query = dict(parse_qsl(url.query, keep_blank_values=False))
    endpoint_url = query.pop("endpoint_url", None)
    region = query.pop("region", None)
    credentials = {name: query.pop(name) for name in _CREDENTIALS if name in query}
    if query:
        raise ValueError(
            f"--store s3:// does not know {', '.join(sorted(query))}. It knows endpoint_url, "
            f"region, {', '.join(_CREDENTIALS)}"
        )
    if endpoint_url is not None and not _is_plain_http(endpoint_url):
        raise ValueError(
            "--store s3:// needs an endpoint_url of the form http(s)://host:port, without user, "
            "password and query"
        )
    if len(credentials.keys() & set(_CREDENTIALS[:2])) == 1:
        raise ValueError(f"--store s3:// needs both {_CREDENTIALS[0]} and {_CREDENTIALS[1]}")
    return S3Address(bucket, unquote(url.path).strip("/"), endpoint_url, region, credentials)


def _parse_sqlite(url: SplitResult) -> SQLiteAddress:
    path = Path(unquote(url.path.removeprefix("/")))
    if url.netloc or url.query or url.fragment or not path.name:
        raise ValueError(
            "--store sqlite: takes a path and nothing else: sqlite:///relative/path, "
            "sqlite:////absolute/path, or sqlite: for a temporary file"
        )
    if not path.parent.is_dir():
        raise ValueError(
            f"--store: there is no folder {path.parent}. Create it"
            + ("" if path.is_absolute() else ", or use four slashes for an absolute path")
        )
    return SQLiteAddress(path.resolve())


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


def _is_plain_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    has_extras = "@" in parts.netloc or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not has_extras
