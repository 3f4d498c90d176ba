"""What boto3's exceptions and HTTP's statuses mean: the one table, and the one wording."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    ProxyConnectionError,
    SSLError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError as TransportError

from persidict.exceptions import BackendError
from persidict.object_store import Name, TransientError
from persidict.root_prefix import redacted

# The last three can come out of reading a body, past the client.
CLIENT_ERRORS: Final = (
    BotoCoreError,
    ClientError,
    ResponseParserError,
    TransportError,
    ConnectionError,
    TimeoutError,
)


class Meaning(Enum):
    """What an exception of the client says about the request that raised it."""

    NOT_MODIFIED = auto()
    ABSENT = auto()
    REFUSED = auto()
    CONFLICT = auto()
    NOT_SENT = auto()
    NOT_ACCEPTED = auto()
    NO_ANSWER = auto()
    FINAL = auto()


# Codes that say more than their status.
_CODES: Final = {
    "NoSuchBucket": Meaning.FINAL,
    # The request arrived damaged or too slowly, and was dropped.
    "BadDigest": Meaning.NOT_ACCEPTED,
    "IncompleteBody": Meaning.NOT_ACCEPTED,
    "RequestTimeout": Meaning.NOT_ACCEPTED,
    "XAmzContentSHA256Mismatch": Meaning.NOT_ACCEPTED,
    "XAmzContentChecksumMismatch": Meaning.NOT_ACCEPTED,
}
_STATUSES: Final = {
    304: Meaning.NOT_MODIFIED,
    404: Meaning.ABSENT,
    409: Meaning.CONFLICT,
    412: Meaning.REFUSED,
    # A byte range of an object that has none: it was created, empty, since it was absent.
    416: Meaning.NO_ANSWER,
    # A gateway may answer these, and any 5xx, for a write that a server behind it applied.
    408: Meaning.NO_ANSWER,
    429: Meaning.NO_ANSWER,
    501: Meaning.FINAL,
}
_HINTS: Final = {
    301: "The bucket lives in another region: pass its region=.",
    401: "Check the credentials.",
    403: "Check the credentials, their permissions and this machine's clock.",
    404: "Check the name of the bucket, and the endpoint. If the bucket is to be a new one, create "
    "it, or have it created by create_bucket=true.",
    501: "The store does not implement this request; conditional operations need one that does.",
}
_HINT_ABSENT: Final = (
    " If the key may be absent, grant s3:ListBucket as well: without it S3 answers 403 for a "
    "key that is not there."
)
_HINT_UNREACHABLE: Final = "Check the endpoint, the credentials' source and the network."


def status(error: BaseException | None) -> int:
    """The HTTP status, 0 where there was no answer."""
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return 0


def retries(error: Exception) -> int:
    """How often the client sent the request again by itself, where that is known."""
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))
    return 0


def code(error: Exception) -> str:
    """The store's code, such as `NoSuchKey`; empty where there was no answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return ""


def meaning(error: Exception) -> Meaning:
    """What `error` says about its request, if that was sent once."""
    match error:
        case ClientError():
            unlisted = Meaning.NO_ANSWER if status(error) >= 500 else Meaning.FINAL
            return _CODES.get(code(error)) or _STATUSES.get(status(error), unlisted)
        case EndpointConnectionError() | ConnectTimeoutError() | ProxyConnectionError():
            return Meaning.NOT_SENT
        case SSLError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Meaning.FINAL
        case (
            BotoConnectionError()
            | HTTPClientError()
            | IncompleteReadError()
            | FlexibleChecksumError()
            | ResponseParserError()
            | TransportError()
            | ConnectionError()
            | TimeoutError()
        ):
            return Meaning.NO_ANSWER
        case _:
            return Meaning.FINAL


def told(error: Exception) -> str:
    """The error in a few words, without anything that was sent."""
    if isinstance(error, ClientError):
        # An answer without a body has its status for a code.
        return " ".join(dict.fromkeys((str(status(error)), code(error)))).strip()
    return f"{type(error).__name__}: {redacted(str(error))}"


def backend_error(error: Exception, *, operation: str, where: str, name: Name) -> BackendError:
    """The package's error for one that no other try would change."""
    hint = _HINTS.get(status(error), "" if status(error) else _HINT_UNREACHABLE)
    if status(error) == 403 and operation in ("head", "get"):
        hint += _HINT_ABSENT
    return BackendError(
        f"S3 {operation} of {where}/{name} failed: {told(error)}. {hint}".rstrip(),
        backend="S3",
        operation=operation,
        key=name.key,
    )


def read_error(
    error: Exception, *, operation: str, where: str, name: Name
) -> BackendError | TransientError:
    """What to raise, from `error`, for a read that failed."""
    if meaning(error) in (Meaning.FINAL, Meaning.ABSENT, Meaning.REFUSED):
        return backend_error(error, operation=operation, where=where, name=name)
    return TransientError(told(error))
