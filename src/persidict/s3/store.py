"""The five verbs over one S3 bucket."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, Final

from persidict.bounded_store import BoundedStore
from persidict.exceptions import BackendError
from persidict.object_store import (
    NOT_MODIFIED,
    PAGE_SIZE,
    Answer,
    Applied,
    Entry,
    IfAbsent,
    IfMatch,
    Name,
    NotApplied,
    NotModified,
    ObjectStore,
    Precondition,
    Refused,
    Snapshot,
    TransientError,
    Unaccounted,
)
from persidict.s3.conditional_delete import NO_SUCH_ETAG, ConditionalDelete
from persidict.s3.connection import READERS, S3Connection
from persidict.s3.errors import (
    CLIENT_ERRORS,
    Meaning,
    backend_error,
    code,
    meaning,
    read_error,
    retries,
    status,
)
from persidict.write import md5

WRITE_ID: Final = "persidict-write"

_BUCKET_IS_THERE: Final = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted")
_NOWHERE: Final = Name.of(None, "")
# A header takes more: "*" and "" for any etag, a list for each in it, "W/" for a weak comparison.
_IS_ETAG: Final = re.compile(r'"[!#-~]*"|[\w.+=/-]+', re.ASCII).fullmatch


def field(answer: Mapping[str, Any], name: str) -> Any:
    """A part of an answer that every store should send."""
    try:
        return answer[name]
    except KeyError:
        raise BackendError(
            f"The store's answer has no {name}, which this package depends on. Use a store that "
            "sends it.",
            backend="S3",
            operation="read",
        ) from None


def _spelled(etag: str) -> str:
    return etag if _IS_ETAG(etag) else NO_SUCH_ETAG


class S3Snapshot:
    """One answer to HEAD or GET, kept as it came; what is seldom asked for is parsed when asked."""

    __slots__ = ("_response", "body", "etag")

    def __init__(self, response: Mapping[str, Any], *, body: bytes | None) -> None:
        self._response = response
        self.etag: str = field(response, "ETag")
        self.body = body

    @property
    def write_id(self) -> str | None:
        # Names of metadata are case-insensitive, and some stores title-case them.
        for name, value in self._response.get("Metadata", {}).items():
            if name.lower() == WRITE_ID:
                return str(value)
        return None

    @property
    def modified(self) -> float:
        return float(field(self._response, "LastModified").timestamp())

    @property
    def age(self) -> float:
        answered = parsedate_to_datetime(
            field(self._response["ResponseMetadata"]["HTTPHeaders"], "date")
        )
        return max(0.0, answered.timestamp() - self.modified)


class S3Store(ObjectStore):
    """One bucket.

    A given client may retry by itself. Whatever it says after more than one attempt, the
    earlier ones are unaccounted for.

    Args:
        bucket: The bucket's name.
        connection: What requests go through.
        owner: Account id that the bucket must belong to, or None.
        probe_prefix: Where the one probe object may be written.
        nonce: Source of the probe's identity.
    """

    backend = "S3"

    def __init__(
        self,
        bucket: str,
        *,
        connection: S3Connection,
        owner: str | None,
        probe_prefix: str,
        nonce: Callable[[], bytes],
    ) -> None:
        self.bucket: Final = bucket
        self.connection: Final = connection
        self._common: dict[str, Any] = {"Bucket": bucket}
        if owner is not None:
            self._common["ExpectedBucketOwner"] = owner
        self._unquoted = False
        self._keeps_identity = False
        self._conditional_delete = ConditionalDelete(self, prefix=probe_prefix, nonce=nonce)
        self.request_timeout = connection.request_timeout
        self.readers = min(READERS, connection.setting("max_pool_connections"))

    def within(self, seconds: float) -> ObjectStore:
        return BoundedStore(self, seconds=seconds)

    def ensure_bucket(self, region: str | None, *, create: bool) -> None:
        """See that the bucket is there, in one request; create it if it is missing and may be."""
        client = self.connection.client
        try:
            client.head_bucket(**self._common)
            return
        except CLIENT_ERRORS as error:
            # Without the permission to look at a bucket one may still be allowed to use it.
            if status(error) == 403:
                return
            if status(error) != 404 or not create:
                raise self._read_error(error, "head_bucket", _NOWHERE) from error
        settings: dict[str, Any] = {}
        if region not in (None, "us-east-1", "aws-global"):
            settings["CreateBucketConfiguration"] = {"LocationConstraint": region}
        try:
            client.create_bucket(Bucket=self.bucket, **settings)
        except CLIENT_ERRORS as error:
            if code(error) not in _BUCKET_IS_THERE:
                raise self._read_error(error, "create_bucket", _NOWHERE) from error

    def head(self, name: Name, *, certain: bool = True) -> Snapshot | None:
        try:
            response = self.connection.client.head_object(Key=name, **self._common)
        except CLIENT_ERRORS as error:
            if meaning(error) is not Meaning.ABSENT:
                raise self._read_error(error, "head", name) from error
            if not certain or code(error) == "NoSuchKey":
                return None
            # By now the object may be there: then this answer is as good as the HEAD's.
            return self._first_byte(name)
        return S3Snapshot(response, body=None)

    def peek(self, name: Name) -> Snapshot | None:
        try:
            return self._first_byte(name)
        except TransientError as error:
            # No byte of an empty object is the first.
            if status(error.__cause__) != 416:
                raise
            return self.head(name)

    def _first_byte(self, name: Name) -> Snapshot | None:
        # A HEAD answers a bare 404 for a missing key and a missing bucket; a GET says which.
        try:
            response = self.connection.client.get_object(
                Key=name, Range="bytes=0-0", **self._common
            )
        except CLIENT_ERRORS as error:
            self._check_absent(error, "head", name)
            return None
        # The connection can serve another request only when the byte has been read.
        with suppress(*CLIENT_ERRORS):
            response["Body"].read()
        return S3Snapshot(response, body=None)

    def _check_absent(self, error: Exception, operation: str, name: Name) -> None:
        if meaning(error) is not Meaning.ABSENT:
            raise self._read_error(error, operation, name) from error
        if code(error) != "NoSuchKey":
            try:
                self.connection.client.head_bucket(**self._common)
            except CLIENT_ERRORS as worse:
                raise self._read_error(worse, operation, name) from worse

    def get(self, name: Name, *, unless: str | None = None) -> Snapshot | NotModified | None:
        condition: dict[str, Any] = {} if unless is None else {"IfNoneMatch": _spelled(unless)}
        try:
            response = self.connection.client.get_object(Key=name, **condition, **self._common)
            return S3Snapshot(response, body=response["Body"].read())
        except CLIENT_ERRORS as error:
            if meaning(error) is Meaning.NOT_MODIFIED:
                return NOT_MODIFIED
            self._check_absent(error, "get", name)
            return None

    def put(
        self,
        name: Name,
        body: bytes,
        *,
        write_id: str,
        content_type: str,
        precondition: Precondition | None,
    ) -> Answer:
        try:
            response = self.connection.client.put_object(
                Key=name,
                Body=body,
                ContentType=content_type,
                Metadata={WRITE_ID: write_id},
                **self._condition(precondition),
                **self._common,
            )
            etag = response["ETag"]
        except KeyError as error:
            return Unaccounted(error)
        except CLIENT_ERRORS as error:
            return self._answer(error, "put", name, precondition)
        if not self._keeps_identity:
            self._check_identity(name, etag=etag, body=body)
        return Applied(etag)

    def delete(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        if precondition is not None and (doubt := self._conditional_delete.doubt(name)):
            return doubt
        return self.delete_untested(name, precondition=precondition)

    def delete_untested(self, name: Name, *, precondition: IfMatch | None) -> Answer:
        """Delete without asking whether the store heeds a precondition; for the probe."""
        try:
            self.connection.client.delete_object(
                Key=name, **self._condition(precondition), **self._common
            )
        except CLIENT_ERRORS as error:
            return self._answer(error, "delete", name, precondition)
        return Applied("")

    def list(self, prefix: Name, *, after: str = "") -> tuple[Sequence[Entry], str | None]:
        position: dict[str, Any] = {"ContinuationToken": after} if after else {}
        try:
            page = self.connection.client.list_objects_v2(
                Prefix=prefix, MaxKeys=PAGE_SIZE, **position, **self._common
            )
        except CLIENT_ERRORS as error:
            raise self._read_error(error, "list", prefix) from error
        entries = [
            Entry(found["Key"], field(found, "LastModified").timestamp())
            for found in page.get("Contents", ())
        ]
        return entries, field(page, "NextContinuationToken") if page.get("IsTruncated") else None

    def delete_batch(self, names: Sequence[str]) -> Sequence[str]:
        batch: Any = {"Objects": [{"Key": name} for name in names], "Quiet": True}
        try:
            response = self.connection.client.delete_objects(Delete=batch, **self._common)
        except CLIENT_ERRORS as error:
            raise self._read_error(error, "delete", _NOWHERE) from error
        return [
            f"{failed.get('Key')} ({failed.get('Code')})" for failed in response.get("Errors", ())
        ]

    def etag_form_refused(self) -> None:
        # Ceph RGW 16 compares only unquoted etags; others take either form.
        self._unquoted = not self._unquoted

    def _condition(self, precondition: Precondition | None) -> dict[str, Any]:
        match precondition:
            case None:
                return {}
            case IfAbsent():
                return {"IfNoneMatch": "*"}
            case IfMatch(etag):
                spelled = _spelled(etag)
                return {"IfMatch": spelled.strip('"') if self._unquoted else spelled}

    def _answer(
        self, error: Exception, operation: str, name: Name, precondition: Precondition | None
    ) -> Answer:
        """What an exception says about a write: a plain answer only if it was the only attempt."""
        said = meaning(error)
        if said is Meaning.NO_ANSWER or not self._was_only_attempt(error):
            return Unaccounted(error)
        if said in (Meaning.CONFLICT, Meaning.NOT_SENT, Meaning.NOT_ACCEPTED):
            return NotApplied(error, conflict=said is Meaning.CONFLICT)
        if said is Meaning.REFUSED and precondition is not None:
            return Refused()
        # If-Match on an absent object: 404 on some stores, 412 on others.
        if said is Meaning.ABSENT and isinstance(precondition, IfMatch):
            return Refused()
        # Most stores answer an unconditional DELETE of an absent object 204, some 404.
        if operation == "delete" and precondition is None and code(error) == "NoSuchKey":
            return Applied("")
        raise backend_error(
            error, operation=operation, where=f"s3://{self.bucket}", name=name
        ) from error

    def _was_only_attempt(self, error: Exception) -> bool:
        if status(error):
            return not retries(error)
        # Raised before anything could be sent, or by an attempt whose predecessors are not known.
        return meaning(error) is Meaning.FINAL or self.connection.makes_one_attempt

    def _check_identity(self, name: Name, *, etag: str, body: bytes) -> None:
        """Refuse a store that gives back neither the id of a write nor the MD5 of its bytes."""
        if etag.strip('"') != md5(body):
            try:
                seen = self.head(name)
            except (TransientError, BackendError):
                return
            if seen is None or seen.etag != etag:
                return
            if seen.write_id is None:
                raise BackendError(
                    "The store keeps neither an object's metadata nor the MD5 of its bytes as "
                    "etag, so that a write whose answer is lost could not be recognised. The "
                    f"write of {name.key!r} was applied. Use another store.",
                    backend=self.backend,
                    operation="put",
                    key=name.key,
                )
        self._keeps_identity = True

    def _read_error(self, error: Exception, operation: str, name: Name) -> Exception:
        return read_error(error, operation=operation, where=f"s3://{self.bucket}", name=name)
