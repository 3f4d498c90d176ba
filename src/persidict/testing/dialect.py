"""How real S3 stores differ from AWS, as switches over one store that behaves like AWS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from persidict.testing.messages import Answer, Request, Store, error_answer

_METADATA: Final = "x-amz-meta-"
_ETAG_IN_XML: Final = re.compile(
    rb"(<ETag>(?:&quot;|&#34;|\")?)([0-9a-f]{32})((?:&quot;|&#34;|\")?</ETag>)"
)


class DeleteIfMatch(StrEnum):
    """What DELETE with If-Match does."""

    HONOURED = "honoured"
    """Deletes only what matches (AWS)."""
    CONFIRMS_ABSENT = "confirms-absent"
    """The same, and answers 204 where nothing is there."""
    IGNORED = "ignored"
    """Deletes whatever is there (Ceph RGW 16)."""
    REFUSED = "refused"
    """Deletes nothing and answers 501 (LocalStack)."""


class PutIfMatch(StrEnum):
    """What PUT with If-Match does."""

    HONOURED = "honoured"
    """Writes only over what matches (AWS)."""
    CREATES = "creates"
    """The same, and writes where nothing is there."""
    IGNORED = "ignored"
    """Writes whatever is there (rclone, s3rver)."""


class PutIfAbsent(StrEnum):
    """What PUT with If-None-Match and `*` does."""

    HONOURED = "honoured"
    """Writes only where nothing is there (AWS)."""
    IGNORED = "ignored"
    """Writes whatever is there (rclone, s3rver)."""
    REFUSED = "refused"
    """Writes nothing and answers 501 (Swift 2.30)."""


class PutIfNoneMatchEtag(StrEnum):
    """What PUT with If-None-Match and an etag instead of `*` does."""

    IGNORED = "ignored"
    """Writes whatever is there (moto)."""
    HONOURED = "honoured"
    """Answers 412 if the current etag is that one."""
    REFUSED = "refused"
    """Writes nothing and answers 501 (AWS)."""


class Metadata(StrEnum):
    """What becomes of an object's metadata."""

    KEPT = "kept"
    DROPPED = "dropped"
    TITLE_CASED = "title-cased"
    """`write-id` comes back as `Write-Id` (rclone)."""


_KINDS: Final[Mapping[str, type[StrEnum]]] = {
    "put_if_match": PutIfMatch,
    "put_if_absent": PutIfAbsent,
    "delete_if_match": DeleteIfMatch,
    "put_if_none_match_etag": PutIfNoneMatchEtag,
    "metadata": Metadata,
}


@dataclass(frozen=True, kw_only=True)
class StoreDialect:
    """Differences between stores, all of which may be combined; the defaults are those of moto.

    Args:
        put_if_match: What PUT with If-Match does.
        put_if_absent: What PUT with If-None-Match and `*` does.
        delete_if_match: What DELETE with If-Match does.
        put_if_none_match_etag: What PUT with If-None-Match and an etag does.
        unquoted_if_match_only: PUT and DELETE with a quoted etag in If-Match are always
            answered 412 (Ceph RGW 16).
        if_match_absent_status: 404, or 412 (Ceph RGW): the answer to If-Match on an absent key.
        delete_absent_status: 204, or 404 (Google): the answer to DELETE of an absent key whose
            condition, if there is one, is ignored.
        metadata: What becomes of an object's metadata.
        etag_is_md5: Whether an etag is the MD5 of the body; if not, equal bodies still have
            equal etags.

    Raises:
        ValueError: A status is none of those.
    """

    put_if_match: PutIfMatch = PutIfMatch.HONOURED
    put_if_absent: PutIfAbsent = PutIfAbsent.HONOURED
    delete_if_match: DeleteIfMatch = DeleteIfMatch.HONOURED
    put_if_none_match_etag: PutIfNoneMatchEtag = PutIfNoneMatchEtag.IGNORED
    unquoted_if_match_only: bool = False
    if_match_absent_status: int = 404
    delete_absent_status: int = 204
    metadata: Metadata = Metadata.KEPT
    etag_is_md5: bool = True

    def __post_init__(self) -> None:
        for status, allowed in (
            (self.if_match_absent_status, (404, 412)),
            (self.delete_absent_status, (204, 404)),
        ):
            if status not in allowed:
                raise ValueError(f"{allowed[0]} or {allowed[1]}, not {status}")
        for name, kind in _KINDS.items():
            object.__setattr__(self, name, kind(getattr(self, name)))

    def over(self, store: Store) -> Store:
        """The same store, speaking this dialect; as atomic as the lock around the result."""
        for wrap in (self._conditions, self._metadata, self._etags):
            store = wrap(store)
        return store

    def _conditions(self, store: Store) -> Store:
        def speak(request: Request) -> Answer:
            refusal = self._refusal(request, store=store)
            if refusal is not None:
                return refusal
            ignored = self._ignored(request, store=store)
            if ignored is not None:
                request = _without(request, is_dropped=ignored.__eq__)
            if self._is_delete_refused_as_absent(request, store=store):
                return _no_such_key(request)
            answer = store(request)
            return self._absent(answer, request=request)

        return speak

    def _ignored(self, request: Request, *, store: Store) -> str | None:
        """The condition that the store does not look at."""
        if request.method == "DELETE" and self.delete_if_match is DeleteIfMatch.IGNORED:
            return "if-match"
        if request.method != "PUT":
            return None
        if "if-none-match" in request.headers and self.put_if_absent is PutIfAbsent.IGNORED:
            return "if-none-match"
        if "if-match" not in request.headers or self.put_if_match is PutIfMatch.HONOURED:
            return None
        if self.put_if_match is PutIfMatch.CREATES:
            present = store(Request("HEAD", request.path, _identity(request)))
            return "if-match" if present.status == 404 else None
        return "if-match"

    def _refusal(self, request: Request, *, store: Store) -> Answer | None:
        if_match = request.headers.get("if-match")
        if request.method == "DELETE" and if_match is not None:
            if self.delete_if_match is DeleteIfMatch.REFUSED:
                return _not_implemented(request)
            if self.delete_if_match is DeleteIfMatch.IGNORED:
                return None
        if request.method not in ("PUT", "DELETE"):
            return None
        if self.unquoted_if_match_only and if_match is not None and '"' in if_match:
            return _precondition_failed(request)
        if_none_match = request.headers.get("if-none-match", "*")
        if request.method == "PUT" and "if-none-match" in request.headers:
            return self._refusal_of_none_match(request, etag=if_none_match, store=store)
        return None

    def _refusal_of_none_match(self, request: Request, *, etag: str, store: Store) -> Answer | None:
        if etag == "*":
            is_refused = self.put_if_absent is PutIfAbsent.REFUSED
            return _not_implemented(request) if is_refused else None
        if self.put_if_none_match_etag is PutIfNoneMatchEtag.REFUSED:
            return _not_implemented(request)
        if self.put_if_none_match_etag is PutIfNoneMatchEtag.IGNORED:
            return None
        current = store(Request("HEAD", request.path, _identity(request))).header("etag")
        same = current is not None and current.strip('"') == etag.strip('"')
        return _precondition_failed(request) if same else None

    def _is_delete_refused_as_absent(self, request: Request, *, store: Store) -> bool:
        if request.method != "DELETE" or self.delete_absent_status == 204:
            return False
        if request.is_of_bucket or "if-match" in request.headers:
            return False
        return store(Request("HEAD", request.path, _identity(request))).status == 404

    def _absent(self, answer: Answer, *, request: Request) -> Answer:
        if (
            request.method not in ("PUT", "DELETE")
            or "if-match" not in request.headers
            or answer.status != 404
            or b"NoSuchKey" not in answer.body
        ):
            return answer
        if request.method == "DELETE" and self.delete_if_match is DeleteIfMatch.CONFIRMS_ABSENT:
            return Answer(204)
        return answer if self.if_match_absent_status == 404 else _precondition_failed(request)

    def _metadata(self, store: Store) -> Store:
        if self.metadata is Metadata.DROPPED:
            return lambda request: store(
                _without(request, is_dropped=lambda name: name.startswith(_METADATA))
            )
        if self.metadata is Metadata.TITLE_CASED:
            return lambda request: _title_cased(store(request))
        return store

    def _etags(self, store: Store) -> Store:
        if self.etag_is_md5:
            return store

        def speak(request: Request) -> Answer:
            answer = store(_reversed_conditions(request))
            return _reversed_answer(answer, is_listing=request.is_of_bucket)

        return speak


def _without(request: Request, *, is_dropped: Callable[[str], bool]) -> Request:
    kept = {name: value for name, value in request.headers.items() if not is_dropped(name)}
    return replace(request, headers=kept)


def _identity(request: Request) -> dict[str, str]:
    return {
        name: request.headers[name]
        for name in ("host", "authorization", "user-agent")
        if name in request.headers
    }


def _title_cased(answer: Answer) -> Answer:
    headers = tuple(
        (name.title() if name.lower().startswith(_METADATA) else name, value)
        for name, value in answer.headers
    )
    return replace(answer, headers=headers)


def _reversed_etag(etag: str) -> str:
    # Its own inverse, so that no table is needed to find the etag that the store knows.
    return etag[::-1]


def _reversed_conditions(request: Request) -> Request:
    headers = {
        name: _reversed_etag(value) if name in ("if-match", "if-none-match") else value
        for name, value in request.headers.items()
    }
    return replace(request, headers=headers)


def _reversed_answer(answer: Answer, *, is_listing: bool) -> Answer:
    headers = tuple(
        (name, _reversed_etag(value) if name.lower() == "etag" else value)
        for name, value in answer.headers
    )
    body = answer.body
    if is_listing:
        body = _ETAG_IN_XML.sub(lambda found: found[1] + found[2][::-1] + found[3], body)
    return replace(answer, headers=headers, body=body)


def _not_implemented(request: Request) -> Answer:
    message = "A header you provided implies functionality that is not implemented."
    return error_answer(501, code="NotImplemented", message=message, request=request)


def _no_such_key(request: Request) -> Answer:
    message = "The specified key does not exist."
    return error_answer(404, code="NoSuchKey", message=message, request=request)


def _precondition_failed(request: Request) -> Answer:
    message = "At least one of the pre-conditions you specified did not hold"
    return error_answer(412, code="PreconditionFailed", message=message, request=request)
