"""Addresses of stores: how people write them, and the dictionaries at them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from persidict import LocalDict, PersiDict, SQLiteDict
from persidict.clock import Clock

S3_SETTINGS: Final = ("endpoint_url", "region", "expected_bucket_owner")
FORMS: Final = (
    "s3://bucket/prefix?endpoint_url=URL&region=NAME&expected_bucket_owner=ID (all after the "
    "bucket may be left out), sqlite:///relative/path, sqlite:////absolute/path or memory:"
)


_NAME: Final = re.compile("[a-z_]{1,30}")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A prefix of a bucket; the settings are not in its repr, for they may be secret."""

    name: str
    prefix: str = ""
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class File:
    """One file, by its absolute path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of this process."""


Address: TypeAlias = Bucket | File | Memory


def parse(text: str, *, extras: Collection[str] = ()) -> Address:
    """What an address names.

    As with SQLAlchemy, what follows `sqlite:///` is a path: `sqlite:///fleet.db` lies in the
    working directory, `sqlite:////var/lib/fleet.db` has the path `/var/lib/fleet.db`. Characters
    that mean something in a URL are written as `%20` and the like.

    Args:
        text: `s3://bucket/prefix?endpoint_url=…&region=…&expected_bucket_owner=…`,
            `sqlite:///relative/path`, `sqlite:////absolute/path` or `memory:`.
        extras: What else may be set after the `?` of an `s3://` address.

    Raises:
        ValueError: It is none of these, or the file's folder does not exist. The error repeats
            nothing of it but names of settings and of that folder.

    Example:
        >>> parse("s3://jobs/nightly?region=eu-west-1")
        Bucket(name='jobs', prefix='nightly')
        >>> parse("sqlite:////tmp/fleet.db")
        File(path=PosixPath('/tmp/fleet.db'))
    """
    try:
        url = urlsplit(text)
    except ValueError:
        raise _unusable("it is no valid URL") from None
    match url.scheme:
        case "memory" if text == "memory:":
            return Memory()
        case "sqlite":
            return _file(url, is_rooted=text.startswith("sqlite:///"))
        case "s3":
            return _bucket(url, (*S3_SETTINGS, *extras))
        case _:
            raise _unusable("it names no kind of store that is known here")


def dictionary(address: str, *, timeout: float, clock: Clock) -> PersiDict[Any]:
    """The dictionary at an address; over S3, one request to see that its bucket is there.

    Args:
        address: As for `parse`.
        timeout: Seconds within which a call of the dictionary must be settled.
        clock: Its clock.

    Raises:
        ValueError: It is no such address.
        BackendError: The store could not be opened.
    """
    settings: dict[str, Any] = {
        "serialization_format": "json",
        "operation_timeout": timeout,
        "clock": clock,
    }
    match parse(address):
        case Memory():
            return LocalDict(**settings)
        case File(path):
            return SQLiteDict(path, **settings)
        case Bucket(name, prefix, given):
            from persidict import BasicS3Dict

            settings |= given
            return BasicS3Dict(bucket_name=name, root_prefix=prefix, **settings)


def _file(url: SplitResult, *, is_rooted: bool) -> File:
    path = Path(unquote(url.path.removeprefix("/")))
    if not is_rooted or url.netloc or url.query or url.fragment or not path.name:
        raise _unusable("sqlite takes a path behind three slashes, and nothing else")
    if not path.parent.is_dir():
        hint = "" if path.is_absolute() else ", or use four slashes for an absolute path"
        raise ValueError(f"there is no folder {path.parent}. Create it{hint}.")
    return File(path.absolute())


def _bucket(url: SplitResult, known: tuple[str, ...]) -> Bucket:
    if not url.netloc or "@" in url.netloc or url.fragment:
        raise _unusable(
            "s3:// needs a bucket, and takes no user, password or fragment; credentials are found "
            "by the AWS SDK"
        )
    pairs = parse_qsl(url.query, keep_blank_values=True)
    settings = dict(pairs)
    if unknown := sorted(settings.keys() - set(known)):
        # A name that is none may be a part of a secret.
        named = ", ".join(name for name in unknown if _NAME.fullmatch(name)) or "what it was given"
        raise _unusable(
            f"s3:// knows {', '.join(known)}, and not {named}; credentials are found by the AWS SDK"
        )
    if len(settings) != len(pairs) or "" in settings.values():
        raise _unusable("a setting of s3:// is empty, or there twice")
    if "endpoint_url" in settings and not _is_plain_http(settings["endpoint_url"]):
        raise _unusable("endpoint_url must be http(s)://host:port, without password or query")
    return Bucket(url.netloc, unquote(url.path).strip("/"), settings)


def _is_plain_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    has_extras = "@" in parts.netloc or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not has_extras


def _unusable(problem: str) -> ValueError:
    return ValueError(f"the address cannot be used: {problem}. It must be {FORMS}.")
