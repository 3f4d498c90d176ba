"""Addresses of stores: how people write them, and the dictionaries at them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

from persidict import LocalDict, PersiDict, SQLiteDict
from persidict.bucket_address import FORM, Bucket, parse_bucket, unusable
from persidict.clock import Clock

FORMS: Final = f"{FORM}, sqlite:///relative/path, sqlite:////absolute/path or memory:"


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
        text: `s3://bucket/prefix?endpoint_url=…&region=…&expected_bucket_owner=…&create_bucket=…`,
            see `persidict.bucket_address.parse_bucket`; `sqlite:///relative/path`,
            `sqlite:////absolute/path` or `memory:`.
        extras: What else may be set after the `?` of an `s3://` address.

    Raises:
        ValueError: It is none of these, or the file's folder does not exist. The error repeats
            nothing of it but names of settings and of that folder.

    Example:
        >>> parse("s3://jobs/nightly?create_bucket=true")
        Bucket(name='jobs', prefix='nightly', create_bucket=True)
        >>> parse("sqlite:////tmp/fleet.db")
        File(path=PosixPath('/tmp/fleet.db'))
    """
    match text.partition(":")[0].strip().lower():
        case "memory" if text == "memory:":
            return Memory()
        case "sqlite":
            return _file(text)
        case "s3":
            return parse_bucket(text, extras=extras)
        case _:
            raise unusable("it names no kind of store that is known here", FORMS)


def dictionary(address: str, *, timeout: float, clock: Clock) -> PersiDict[Any]:
    """The dictionary at an address; over S3, one request to see that its bucket is there.

    Args:
        address: As for `parse`.
        timeout: Seconds within which a call of the dictionary must be settled.
        clock: Its clock.

    Raises:
        ValueError: It is no such address.
        BackendError: The store could not be opened: of S3, the bucket is missing and the address
            does not say `create_bucket=true`, or it could not be looked at.
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
        case Bucket() as bucket:
            return bucket.open(**settings)


def _file(text: str) -> File:
    problem = "sqlite takes a path behind three slashes, and nothing else"
    if not text.startswith("sqlite:///"):
        raise unusable(problem, FORMS)
    url = urlsplit(text)
    path = Path(unquote(url.path.removeprefix("/")))
    if url.query or url.fragment or not path.name:
        raise unusable(problem, FORMS)
    if not path.parent.is_dir():
        hint = "" if path.is_absolute() else ", or use four slashes for an absolute path"
        raise ValueError(f"there is no folder {path.parent}. Create it{hint}.")
    return File(path.absolute())
