"""What each kind of fault does, seen from a client that never retries, and from the store."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import RemoteDisconnected
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    FlexibleChecksumError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from persidict.testing import FaultKind, FaultPlan, FaultRule
from persidict.testing.active_plan import ActivePlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_s3 import S3Client

    from persidict.testing import EmbeddedS3, ServerControl

KEY = "a-key"
ONCE = {"total_max_attempts": 1}
READ_TIMEOUT = 0.5


@dataclass
class Bucket:
    """A bucket, seen by a client that sends each request once."""

    client: S3Client
    name: str

    def put(self, body: bytes = b"new", **condition: str) -> dict[str, Any]:
        return dict(self.client.put_object(Bucket=self.name, Key=KEY, Body=body, **condition))

    def create(self) -> dict[str, Any]:
        return self.put(IfNoneMatch="*")

    def delete(self) -> dict[str, Any]:
        return dict(self.client.delete_object(Bucket=self.name, Key=KEY))

    def read(self) -> bytes | None:
        try:
            return self.client.get_object(Bucket=self.name, Key=KEY)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None


@pytest.fixture
def bucket(persidict_server: EmbeddedS3, persidict_bucket: str) -> Iterator[Bucket]:
    with closing(persidict_server.client(retries=ONCE)) as client:
        yield Bucket(client, persidict_bucket)


@pytest.fixture
def impatient(persidict_server: EmbeddedS3, persidict_bucket: str) -> Iterator[Bucket]:
    """The same bucket, seen by a client that does not wait long for an answer."""
    with closing(persidict_server.client(retries=ONCE, read_timeout=READ_TIMEOUT)) as client:
        yield Bucket(client, persidict_bucket)


def await_that(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline


def first_put(kind: FaultKind, **how: Any) -> FaultRule:
    return FaultRule(kind=kind, nth=(0,), methods=("PUT",), **how)


def status_and_code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize(
    ("kind", "is_applied", "error"),
    [
        (FaultKind.DROP_REQUEST, False, RemoteDisconnected),
        (FaultKind.DROP_REPLY, True, RemoteDisconnected),
        (FaultKind.RESET_REPLY, True, ConnectionResetError),
    ],
)
def test_lost_answers(
    kind: FaultKind,
    is_applied: bool,
    error: type[Exception],
    bucket: Bucket,
    persidict_faults: ServerControl,
) -> None:
    persidict_faults.set_faults(first_put(kind))

    with pytest.raises(ConnectionClosedError) as caught:
        bucket.create()

    _, cause = caught.value.kwargs["error"].args
    assert type(cause) is error
    assert bucket.read() == (b"new" if is_applied else None)


@pytest.mark.parametrize(
    ("kind", "is_applied", "answer"),
    [
        (FaultKind.ERROR_500_BEFORE, False, (500, "InternalError")),
        (FaultKind.ERROR_500_AFTER, True, (500, "InternalError")),
        (FaultKind.ERROR_503_BEFORE, False, (503, "SlowDown")),
        (FaultKind.ERROR_503_AFTER, True, (503, "SlowDown")),
        (FaultKind.CONFLICT, False, (409, "ConditionalRequestConflict")),
        (FaultKind.FORBIDDEN, False, (403, "AccessDenied")),
        (FaultKind.NO_SUCH_BUCKET, False, (404, "NoSuchBucket")),
    ],
)
def test_injected_errors(
    kind: FaultKind,
    is_applied: bool,
    answer: tuple[int, str],
    bucket: Bucket,
    persidict_faults: ServerControl,
) -> None:
    persidict_faults.set_faults(first_put(kind))

    with pytest.raises(ClientError) as caught:
        bucket.create()

    assert status_and_code(caught) == answer
    assert bucket.read() == (b"new" if is_applied else None)


def test_an_injected_error_to_head_has_no_body_and_keeps_the_connection(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    bucket.put()
    persidict_faults.set_faults(FaultRule(kind=FaultKind.FORBIDDEN, nth=(0,)))

    with pytest.raises(ClientError) as caught:
        bucket.client.head_object(Bucket=bucket.name, Key=KEY)

    assert status_and_code(caught) == (403, "403")
    assert bucket.read() == b"new"


def test_a_duplicate_delivers_the_first_answer(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.DUPLICATE_FIRST))

    bucket.create()

    assert bucket.read() == b"new"
    assert persidict_faults.log().entries[0].applied == [200, 412]


def test_a_duplicate_delivers_the_second_answer_though_the_write_has_landed(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.DUPLICATE_SECOND))

    with pytest.raises(ClientError) as caught:
        bucket.create()

    assert status_and_code(caught) == (412, "PreconditionFailed")
    assert bucket.read() == b"new"


def test_a_late_request_held_beyond_the_timeout_is_applied_when_released(
    bucket: Bucket, impatient: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.LATE))

    with pytest.raises(ReadTimeoutError):
        impatient.create()

    await_that(lambda: persidict_faults.count_late() == 1)
    assert bucket.read() is None
    assert persidict_faults.release_late() == (200,)
    assert bucket.read() == b"new"
    assert persidict_faults.release_late() == ()


def test_late_requests_are_released_in_order_and_under_their_conditions(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(
        FaultRule(kind=FaultKind.LATE, nth=(0, 1), methods=("PUT",), close=True)
    )
    for body in (b"first", b"second"):
        with pytest.raises(ConnectionClosedError):
            bucket.put(body, IfNoneMatch="*")

    assert persidict_faults.release_late() == (200, 412)
    assert bucket.read() == b"first"


def test_a_late_request_waits_for_further_requests(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.LATE, after_requests=2, close=True))
    with pytest.raises(ConnectionClosedError):
        bucket.create()

    assert [bucket.read() for _ in range(3)] == [None, None, b"new"]


def test_a_late_request_waits_for_its_time(bucket: Bucket, persidict_faults: ServerControl) -> None:
    persidict_faults.set_faults(first_put(FaultKind.LATE, seconds=0.2, close=True))
    with pytest.raises(ConnectionClosedError):
        bucket.create()
    assert bucket.read() is None

    await_that(lambda: bucket.read() == b"new")


@pytest.mark.parametrize("seconds", [None, 3600.0])
def test_a_late_request_is_never_applied_once_the_plan_has_ended(
    seconds: float | None, bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.LATE, seconds=seconds, close=True))
    with pytest.raises(ConnectionClosedError):
        bucket.create()

    persidict_faults.clear_faults()

    assert persidict_faults.release_late() == ()
    assert bucket.read() is None


def test_requests_that_overlap_the_end_of_a_plan_apply_nothing_late() -> None:
    rule = first_put(FaultKind.LATE, after_requests=1)
    applied: list[int] = []
    plan = ActivePlan(FaultPlan(rules=(rule,)))
    plan.postpone(lambda: applied.append(1) or 200, rule=rule)

    plan.end()
    plan.postpone(lambda: applied.append(2) or 200, rule=rule)
    plan.count_applied()

    assert applied == []


def test_a_black_hole_holds_its_client_until_the_faults_are_cleared(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.BLACK_HOLE))
    with ThreadPoolExecutor(1) as pool:
        swallowed = pool.submit(bucket.create)
        await_that(lambda: persidict_faults.fault_report().fired)

        assert bucket.read() is None
        persidict_faults.clear_faults()

        with pytest.raises(ConnectionClosedError):
            swallowed.result(timeout=60)
    assert bucket.read() is None


def test_a_black_hole_outlasts_the_read_timeout(
    impatient: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.BLACK_HOLE))

    with pytest.raises(ReadTimeoutError):
        impatient.create()


def test_a_delayed_answer_comes_after_its_delay(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.DELAY, seconds=0.1))
    before = time.monotonic()

    bucket.create()

    assert time.monotonic() - before >= 0.1
    assert bucket.read() == b"new"


def test_an_answer_delayed_beyond_the_timeout_was_applied(
    bucket: Bucket, impatient: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.DELAY, seconds=3600.0))

    with pytest.raises(ReadTimeoutError):
        impatient.create()

    await_that(lambda: bucket.read() == b"new")


def test_a_dripping_answer_outlives_the_read_timeout(
    bucket: Bucket, impatient: Bucket, persidict_faults: ServerControl
) -> None:
    bucket.put(b"a value of some length")
    persidict_faults.set_faults(FaultRule(kind=FaultKind.DRIP, nth=(0,), seconds=0.002))
    before = time.monotonic()

    assert impatient.read() == b"a value of some length"

    assert time.monotonic() - before > READ_TIMEOUT


def test_a_truncated_body_is_noticed_when_it_is_read(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    bucket.put(b"0123456789")
    persidict_faults.set_faults(FaultRule(kind=FaultKind.TRUNCATE, nth=(0,)))
    body = bucket.client.get_object(Bucket=bucket.name, Key=KEY)["Body"]

    with pytest.raises(ResponseStreamingError):
        body.read()

    assert bucket.read() == b"0123456789"


def test_a_truncated_answer_without_body_is_none_at_all_though_the_write_has_landed(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.TRUNCATE))

    with pytest.raises(ConnectionClosedError):
        bucket.create()

    assert bucket.read() == b"new"


def test_a_flipped_bit_is_noticed_only_where_a_checksum_is_stored(
    bucket: Bucket, persidict_server: EmbeddedS3, persidict_faults: ServerControl
) -> None:
    careless = persidict_server.client(response_checksum_validation="when_required")
    bucket.put(b"0123456789")
    persidict_faults.set_faults(FaultRule(kind=FaultKind.FLIP_BIT))

    with pytest.raises(FlexibleChecksumError):
        bucket.read()
    flipped = careless.get_object(Bucket=bucket.name, Key=KEY)["Body"].read()

    difference = int.from_bytes(flipped) ^ int.from_bytes(b"0123456789")
    assert difference.bit_count() == 1
    careless.close()


def test_a_bit_cannot_flip_in_a_bodiless_answer(
    bucket: Bucket, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.FLIP_BIT))

    bucket.create()

    assert persidict_faults.fault_report().fired == ()


def test_deletes_fail_like_puts(bucket: Bucket, persidict_faults: ServerControl) -> None:
    bucket.put()
    persidict_faults.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("DELETE",)))

    with pytest.raises(ConnectionClosedError):
        bucket.delete()

    assert bucket.read() is None


def test_the_sdks_own_retry_meets_its_own_write(
    persidict_s3_client: S3Client, persidict_bucket: str, persidict_faults: ServerControl
) -> None:
    persidict_faults.set_faults(first_put(FaultKind.DROP_REPLY))

    with pytest.raises(ClientError) as caught:
        Bucket(persidict_s3_client, persidict_bucket).create()

    assert status_and_code(caught) == (412, "PreconditionFailed")
    assert persidict_faults.log().counts["PUT"] == {"412": 1, "none": 1}


NEVER_ANSWERED = (FaultKind.LATE, FaultKind.BLACK_HOLE)


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_is_recorded_when_it_fires(
    kind: FaultKind, bucket: Bucket, impatient: Bucket, persidict_faults: ServerControl
) -> None:
    bucket.put()
    persidict_faults.reset_log()
    seconds = 0.0 if kind in (FaultKind.DELAY, FaultKind.DRIP) else None
    persidict_faults.set_faults(FaultRule(kind=kind, nth=(0,), seconds=seconds))
    with suppress(BotoCoreError, ClientError):
        (impatient if kind in NEVER_ANSWERED else bucket).read()

    await_that(lambda: persidict_faults.log().total)
    (fired,) = persidict_faults.fault_report().fired
    assert (fired.kind, fired.rule, fired.index) == (kind, 0, 0)
    assert (fired.method, fired.name) == ("GET", f"{bucket.name}/{KEY}")
    (entry,) = persidict_faults.log().entries
    assert entry.fault == kind
