"""An S3 request and the answer to it, as plain data between the socket and the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

# No bucket can be called so: "_" is not allowed in the name of a bucket.
CONTROL_PATH: Final = "/_persidict/"

_CONDITION_HEADERS: Final = ("if-match", "if-none-match")
_BODILESS_STATUSES: Final = frozenset({204, 304})
_LISTING_PARAMETERS: Final = frozenset(
    {
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "list-type",
        "marker",
        "max-keys",
        "prefix",
        "start-after",
    }
)


@dataclass(frozen=True)
class Request:
    """One HTTP request; `headers` has lower-case names, `target` is the path as it was sent."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The path of the target, still percent-encoded."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> str:
        """The query of the target, still percent-encoded."""
        return self.target.partition("?")[2]

    @cached_property
    def name(self) -> str:
        """`bucket/key`, or `bucket` alone, or nothing for a request of the whole service."""
        return unquote(self.path).lstrip("/").removesuffix("/" if self.is_of_bucket else "")

    @property
    def is_of_bucket(self) -> bool:
        """Whether the request names no object."""
        return not self.path.lstrip("/").partition("/")[2]

    @property
    def is_conditional(self) -> bool:
        """Whether the request carries If-Match or If-None-Match."""
        return any(name in self.headers for name in _CONDITION_HEADERS)

    @cached_property
    def verb(self) -> str:
        """The method, told apart where the price is: LIST, DELETE_MANY, and `<METHOD>_BUCKET`."""
        if not self.is_of_bucket:
            return self.method
        query = parse_qs(self.query, keep_blank_values=True)
        if self.method == "GET" and query.keys() <= _LISTING_PARAMETERS:
            return "LIST"
        if self.method == "POST" and "delete" in query:
            return "DELETE_MANY"
        return f"{self.method}_BUCKET"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; `headers` keep the case and the order in which they are sent."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header called `name`, in lower case; None if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def has_body_for(self, request: Request) -> bool:
        """Whether HTTP lets this answer carry its body to that request."""
        return request.method != "HEAD" and self.status not in _BODILESS_STATUSES


Store = Callable[[Request], Answer]


def error_answer(status: int, *, code: str, message: str, request: Request) -> Answer:
    """An S3 error document that an SDK reads code and message from."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>"
        f"<Resource>{escape(request.path)}</Resource><RequestId>embedded</RequestId></Error>"
    )
    return Answer(status, (("Content-Type", "application/xml"),), body.encode())


def reason(status: int) -> str:
    """The words that follow `status` in a status line."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
