"""Where a race takes place: store addresses that a worker can be sent and a person can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from persidict import PersiDict

EMBEDDED: Final = "embedded"
TEMPORARY_FILE: Final = "sqlite:"
_CREDENTIALS: Final = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_FORMS: Final = (
    "embedded, sqlite:, sqlite:///relative/path, sqlite:////absolute/path, or "
    "s3://bucket/prefix?endpoint_url=URL&region=NAME"
)


@dataclass(frozen=True)
class S3Address:
    """A prefix of a bucket; credentials are in no repr and no label."""

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = field(default=None, repr=False)
    region: str | None = None
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_embedded: bool = False

    @property
    def label(self) -> str:
        """The address without its secrets."""
        at = f" at {_without_user(self.endpoint_url)}" if self.endpoint_url else ""
        return f"s3://{self.bucket}/{self.prefix}{at}"

    def under(self, prefix: str) -> Self:
        """The address of a prefix below this one."""
        return replace(self, prefix="/".join(filter(None, (self.prefix, prefix))))

    def open(self, *, create: bool = False) -> PersiDict[Any]:
        """A dictionary over a client of its own."""
        import boto3
        from botocore.config import Config

        from persidict import BasicS3Dict

        session = boto3.session.Session(**self.credentials) if self.credentials else None
        proxies: dict[str, Any] = {"proxies": {}} if self.is_embedded else {}
        path_style = Config(s3={"addressing_style": "path"}, **proxies)
        return BasicS3Dict(
            bucket_name=self.bucket,
            region=self.region,
            root_prefix=self.prefix,
            serialization_format="json",
            session=session,
            endpoint_url=self.endpoint_url,
            config=path_style if self.endpoint_url else None,
            create_bucket=create,
        )


@dataclass(frozen=True)
class SQLiteAddress:
    """A prefix in one file."""

    path: Path
    prefix: str = ""

    @property
    def label(self) -> str:
        """The address."""
        return f"sqlite:///{self.path}" + (f" under {self.prefix}/" if self.prefix else "")

    def under(self, prefix: str) -> Self:
        """The address of a prefix below this one."""
        return replace(self, prefix="/".join(filter(None, (self.prefix, prefix))))

    def open(self, *, create: bool = False) -> PersiDict[Any]:  # noqa: ARG002 - opening creates
        """A dictionary over a connection of its own."""
        from persidict import SQLiteDict

        return SQLiteDict(self.path, root_prefix=self.prefix, serialization_format="json")


Address = S3Address | SQLiteAddress


def parse_store(text: str) -> Address | Literal["embedded", "sqlite:"]:
    """What `--store` names.

    Raises:
        ValueError: It names no store; the text repeats no part of a query.
    """
    if text in (EMBEDDED, TEMPORARY_FILE):
        return text  # type: ignore[return-value]
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
    if endpoint_url is not None and not endpoint_url.startswith(("http://", "https://")):
        raise ValueError("--store s3:// needs an endpoint_url that begins with http(s)://")
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


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")

