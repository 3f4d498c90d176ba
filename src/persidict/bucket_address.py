"""Addresses of buckets: how people write them, and the dictionaries at them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Unpack
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from persidict.basic_s3_dict import BasicS3Dict
    from persidict.persi_dict import Settings

SETTINGS: Final = ("endpoint_url", "region", "expected_bucket_owner")
CREATE: Final = "create_bucket"
FORM: Final = (
    "s3://bucket/prefix?endpoint_url=URL&region=NAME&expected_bucket_owner=ID&create_bucket=true "
    "(all after the bucket may be left out)"
)
_NAME: Final = re.compile("[a-z_]{1,30}")
_ANSWERS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A prefix of a bucket; the settings are not in its repr, for they may be secret.

    Args:
        name: The bucket.
        prefix: What the names of its objects begin with.
        settings: More arguments of `BasicS3Dict`, such as `region`.
        create_bucket: Whether the bucket may be created if it is missing.
    """

    name: str
    prefix: str = ""
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    create_bucket: bool = False

    def open(self, **settings: Unpack[Settings]) -> BasicS3Dict[Any]:
        """The dictionary there, over a client of its own; one request, to look at the bucket.

        Args:
            **settings: The arguments of `PersiDict` but `root_prefix`.

        Raises:
            BackendError: The bucket is missing and may not be created, or cannot be looked at. A
                403 on looking is not fatal.
        """
        from persidict.basic_s3_dict import BasicS3Dict

        given: dict[str, Any] = {**self.settings, **settings}
        d: BasicS3Dict[Any] = BasicS3Dict(
            bucket_name=self.name,
            root_prefix=self.prefix,
            create_bucket=self.create_bucket,
            **given,
        )
        if not self.create_bucket:
            d.check_bucket()
        return d


def parse_bucket(text: str, *, extras: Collection[str] = ()) -> Bucket:
    """What an `s3://` address names.

    A bucket that is missing is created only if the address says `create_bucket=true`: a worker
    whose address has a typing error would be alone in a new one. Characters that mean something in
    a URL are written as `%20` and the like.

    Args:
        text: `s3://bucket/prefix?endpoint_url=…&region=…&expected_bucket_owner=…&create_bucket=…`.
        extras: What else may be set after the `?`.

    Raises:
        ValueError: It is none. The error repeats nothing of it but names of settings.

    Example:
        >>> parse_bucket("s3://jobs/nightly?region=eu-west-1")
        Bucket(name='jobs', prefix='nightly', create_bucket=False)
    """
    try:
        url = urlsplit(text)
    except ValueError:
        raise unusable("it is no valid URL", FORM) from None
    if url.scheme != "s3" or not url.netloc or "@" in url.netloc or url.fragment:
        raise unusable(
            "s3:// needs a bucket, and takes no user, password or fragment; credentials are found "
            "by the AWS SDK",
            FORM,
        )
    settings = _settings(url.query, (*SETTINGS, CREATE, *extras))
    answer = settings.pop(CREATE, "false")
    if answer not in _ANSWERS:
        raise unusable(f"{CREATE} must be true or false", FORM)
    return Bucket(url.netloc, unquote(url.path).strip("/"), settings, _ANSWERS[answer])


def unusable(problem: str, forms: str) -> ValueError:
    """The error for an address that is none of `forms`."""
    return ValueError(f"the address cannot be used: {problem}. It must be {forms}.")


def _settings(query: str, known: tuple[str, ...]) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    settings = dict(pairs)
    if unknown := sorted(settings.keys() - set(known)):
        # A name that is none may be a part of a secret.
        named = ", ".join(name for name in unknown if _NAME.fullmatch(name)) or "what it was given"
        raise unusable(
            f"s3:// knows {', '.join(known)}, and not {named}; credentials are found by the AWS "
            "SDK",
            FORM,
        )
    if len(settings) != len(pairs) or "" in settings.values():
        raise unusable("a setting of s3:// is empty, or there twice", FORM)
    if "endpoint_url" in settings and not _is_plain_http(settings["endpoint_url"]):
        raise unusable("endpoint_url must be http(s)://host:port, without password or query", FORM)
    return settings


def _is_plain_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    has_extras = "@" in parts.netloc or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not has_extras
