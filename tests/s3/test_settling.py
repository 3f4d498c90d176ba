"""Mishaps that go on: until the write is settled, or the deadline ends the attempts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from persidict import (
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    BackendError,
    BasicS3Dict,
    ConcurrencyConflictError,
    OutcomeUnknownError,
)
from persidict.testing import EmbeddedS3, FaultKind, FaultRule
from tests.s3 import writes
from tests.s3.bench import Bench, Sdk
from tests.s3.wire import READS, WRITES, Sent, Wire
from tests.s3.writes import KEY, Verdict, Write

if TYPE_CHECKING:
    from persidict.testing import ServerControl

NAME = f"{KEY}.pkl"
TIMEOUT = 9.0
CLIENTS = ("own", "default", "legacy")
CONDITIONAL = tuple(write for write in writes.ALL if write.is_conditional)
PUTS = tuple(write for write in CONDITIONAL if write.verb == "PUT")


def over(makes: tuple[str, ...], chosen: tuple[Write, ...]) -> list[tuple[str, Write]]:
    """All the writes over the own client, and one of each kind over the others."""
    few = [write for write in chosen if write in writes.ONE_OF_EACH]
    return [(make, write) for make in makes for write in (chosen if make == "own" else few)]


PUTS_OVER_CLIENTS = pytest.mark.parametrize(("make", "write"), over(CLIENTS, PUTS), ids=str)
CONDITIONAL_OVER_CLIENTS = pytest.mark.parametrize(
    ("make", "write"), over(CLIENTS, CONDITIONAL), ids=str
)


def fault(kind: FaultKind, *methods: str, **more: Any) -> FaultRule:
    return FaultRule(kind=kind, methods=methods, **more)


def begin(bench: Bench, write: Write, make: str, **settings: Any) -> tuple[BasicS3Dict[Any], Any]:
    settings = {"operation_timeout": TIMEOUT, **settings}
    d = bench.open(make, append_only=write.append_only, **settings)
    return d, ITEM_NOT_AVAILABLE if write.creates else bench.put(NAME, "old")


def identities(sent: Wire) -> list[tuple[str, str]]:
    """The id and the digest of the bytes of each attempt to write."""
    return [
        (each.headers["x-amz-meta-persidict-write"], each.headers["x-amz-content-sha256"])
        for each in sent
        if each.operation == "PutObject"
    ]


@PUTS_OVER_CLIENTS
def test_with_every_reply_lost_a_read_settles_it(
    bench: Bench, control: ServerControl, write: Write, make: str
) -> None:
    d, etag = begin(bench, write, make)
    replies = fault(FaultKind.DROP_REPLY, "PUT")
    first_reads = fault(FaultKind.DROP_REPLY, "GET", "HEAD", nth=tuple(range(5)))
    control.set_faults(replies)
    with Wire(d.s3_client.meta.events) as wire:
        wire.after_write(lambda: control.set_faults(replies, first_reads), before=READS)
        ended = write.run(d, etag)
    assert wire.has_acted
    control.clear_faults()
    assert ended.verdict is Verdict.WON
    assert bench.value(NAME) == write.makes_of("absent" if write.creates else "old")


@PUTS_OVER_CLIENTS
def test_a_write_that_never_lands_is_sent_again_as_it_was_until_the_deadline(
    bench: Bench, control: ServerControl, write: Write, make: str
) -> None:
    d, etag = begin(bench, write, make)
    control.set_faults(fault(FaultKind.DROP_REQUEST, "PUT"))
    begun = d._policy.clock.monotonic()
    with Wire(d.s3_client.meta.events) as wire:
        ended = write.run(d, etag)
    assert ended.verdict is Verdict.UNKNOWN
    assert ended.told["before"] == etag
    assert bench.etag(NAME) == (None if write.creates else etag)
    assert len(identities(wire)) > 3
    assert len(set(identities(wire))) == 1
    assert 0.4 * TIMEOUT < d._policy.clock.monotonic() - begun <= TIMEOUT + 2.0


@pytest.mark.parametrize("make", CLIENTS)
def test_an_unconditional_write_is_sent_again_with_other_bytes(
    bench: Bench, control: ServerControl, make: str
) -> None:
    d = bench.open(make)
    d[KEY] = "old"
    # The SDK's default is `standard` from botocore 1.44.0 on, and was `legacy`.
    by_default = {"standard": 3, "legacy": 5}[d.s3_client.meta.config.retries["mode"]]
    attempts = {"own": 1, "default": by_default, "legacy": 5}[make]
    control.set_faults(fault(FaultKind.DROP_REQUEST, "PUT", nth=tuple(range(2 * attempts))))
    with Wire(d.s3_client.meta.events) as wire:
        d[KEY] = "mine"
    assert bench.value(NAME) == "mine"
    # What the SDK sends again by itself is the same; what is sent again here is not.
    assert len(identities(wire)) == 2 * attempts + 1
    assert len(set(identities(wire))) == 3


@CONDITIONAL_OVER_CLIENTS
def test_nobody_can_look_after_a_lost_reply(
    bench: Bench, control: ServerControl, write: Write, make: str
) -> None:
    bench.try_conditional_delete()
    d, etag = begin(bench, write, make)
    with Wire(d.s3_client.meta.events) as wire:
        wire.after_write(
            lambda: control.set_faults(fault(FaultKind.DROP_REQUEST)), before=READS + WRITES
        )
        control.set_faults(fault(FaultKind.DROP_REPLY, write.verb, nth=(0,)))
        ended = write.run(d, etag)
    assert ended.verdict is Verdict.UNKNOWN
    assert ended.told["before"] is None


@pytest.mark.parametrize("make", CLIENTS)
def test_the_store_goes_away_after_a_lost_reply(sdk: Sdk, make: str) -> None:
    """Then nobody answers at all, and that the later attempts were never sent proves nothing."""
    with EmbeddedS3() as server:
        bench = Bench(
            Sdk(sdk.session, endpoint_url=server.endpoint_url),
            control=server.control,
            bucket=server.create_bucket(),
        )
        d = bench.open(make, operation_timeout=TIMEOUT)
        server.control.set_faults(fault(FaultKind.DROP_REPLY, "PUT", nth=(0,)))
        with Wire(d.s3_client.meta.events) as wire:
            wire.after_write(server.stop, before=READS + WRITES)
            with pytest.raises(OutcomeUnknownError) as raised:
                d.setdefault(KEY, "mine")
        assert wire.has_acted
        assert raised.value.actual_etag is None
        bench.close()


@pytest.mark.parametrize("kind", [FaultKind.FORBIDDEN, FaultKind.NO_SUCH_BUCKET], ids=str)
@pytest.mark.parametrize("write", CONDITIONAL, ids=str)
def test_a_refused_read_after_a_lost_reply_settles_nothing(
    bench: Bench, control: ServerControl, write: Write, kind: FaultKind
) -> None:
    bench.try_conditional_delete()
    d, etag = begin(bench, write, "own")
    control.set_faults(fault(FaultKind.DROP_REPLY, write.verb, nth=(0,)))
    with Wire(d.s3_client.meta.events) as wire:
        wire.after_write(lambda: control.set_faults(fault(kind, "GET", "HEAD")), before=READS)
        ended = write.run(d, etag)
    assert ended.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("write", CONDITIONAL, ids=str)
def test_a_refused_resend_after_a_lost_request_settles_nothing(
    bench: Bench, control: ServerControl, write: Write
) -> None:
    bench.try_conditional_delete()
    d, etag = begin(bench, write, "own")
    control.set_faults(
        fault(FaultKind.DROP_REQUEST, write.verb, nth=(0,)),
        fault(FaultKind.FORBIDDEN, write.verb),
    )
    ended = write.run(d, etag)
    assert ended.verdict is Verdict.UNKNOWN
    assert ended.told["before"] == etag


@pytest.mark.parametrize("write", CONDITIONAL, ids=str)
def test_a_late_attempt_lands_between_the_read_and_the_resend(
    bench: Bench, control: ServerControl, write: Write
) -> None:
    bench.try_conditional_delete()
    d, etag = begin(bench, write, "own")
    control.set_faults(fault(FaultKind.LATE, write.verb, nth=(0,), close=True))
    with Wire(d.s3_client.meta.events) as wire:

        def is_resend(sent: Sent) -> bool:
            return sent.operation in WRITES and sent.operation in wire.operations

        wire.once(is_resend, control.release_late)
        ended = write.run(d, etag)
    assert wire.has_acted
    if write.verb == "PUT":
        assert ended.verdict is Verdict.WON
        assert bench.value(NAME) == write.makes_of("absent" if write.creates else "old")
    else:
        assert ended.verdict is Verdict.UNKNOWN
        assert ended.told["before"] is ITEM_NOT_AVAILABLE


@CONDITIONAL_OVER_CLIENTS
def test_a_conflict_without_end_is_no_failed_condition(
    bench: Bench, control: ServerControl, write: Write, make: str
) -> None:
    bench.try_conditional_delete()
    d, etag = begin(bench, write, make)
    control.set_faults(fault(FaultKind.CONFLICT, write.verb))
    with Wire(d.s3_client.meta.events) as wire, pytest.raises(ConcurrencyConflictError) as raised:
        write.run(d, etag)
    assert raised.value.attempts == sum(op in WRITES for op in wire.operations) == 5
    assert bench.etag(NAME) == (None if write.creates else etag)


def test_conflicts_after_a_lost_request_settle_nothing(
    bench: Bench, control: ServerControl
) -> None:
    d = bench.own(operation_timeout=TIMEOUT)
    control.set_faults(
        fault(FaultKind.DROP_REQUEST, "PUT", nth=(0,)), fault(FaultKind.CONFLICT, "PUT")
    )
    with pytest.raises(OutcomeUnknownError) as raised:
        d.setdefault(KEY, "mine")
    assert raised.value.actual_etag is ITEM_NOT_AVAILABLE


@pytest.mark.parametrize("method", ["set_item_if", "discard_if", "transform_item", "pop"])
def test_a_rival_before_every_attempt(bench: Bench, method: str) -> None:
    bench.try_conditional_delete()
    d = bench.given()
    bench.put(NAME, "old")
    call = {
        "set_item_if": writes.SWAPS[1],
        "transform_item": writes.SWAPS[3],
        "discard_if": writes.TAKES[2],
        "pop": writes.TAKES[3],
    }[method]
    with Wire(d.s3_client.meta.events) as wire:
        for attempt in range(8):
            wire.before_request(1 + 2 * attempt, lambda: bench.put(NAME, "theirs"))
        with pytest.raises(ConcurrencyConflictError) as raised:
            call.run(d, "no such etag")
    attempts = sum(op in WRITES for op in wire.operations)
    assert raised.value.attempts == attempts == (7 if method == "transform_item" else 6)
    assert bench.value(NAME) == "theirs"


def test_a_key_that_keeps_appearing_and_vanishing(bench: Bench) -> None:
    d = bench.given()
    with Wire(d.s3_client.meta.events) as wire:
        for attempt in range(8):
            wire.before_request(2 * attempt, lambda: bench.put(NAME, "theirs"))
            wire.before_request(2 * attempt + 1, lambda: bench.delete(NAME))
        with pytest.raises(ConcurrencyConflictError) as raised:
            d.setdefault(KEY, "mine")
    assert raised.value.attempts == wire.counts["PutObject"] == 5


@pytest.mark.parametrize("make", CLIENTS)
def test_an_unknown_outcome_says_what_is_known(
    bench: Bench, control: ServerControl, make: str
) -> None:
    d = bench.open(make, operation_timeout=TIMEOUT)
    control.set_faults(fault(FaultKind.DROP_REQUEST, "PUT"))
    with pytest.raises(OutcomeUnknownError, match="may or may not") as raised:
        d.set_item_if(
            ("a", "b"),
            value=1,
            condition=ETAG_IS_THE_SAME,
            expected_etag=ITEM_NOT_AVAILABLE,
        )
    error = raised.value
    assert (error.key, error.operation, error.backend) == (("a", "b"), "put", "S3")
    assert error.actual_etag is ITEM_NOT_AVAILABLE
    assert isinstance(error.__cause__, BotoCoreError | ClientError)
    assert re.search(r"[Rr]ead the item", str(error))


@pytest.mark.parametrize("write", writes.ALL, ids=str)
def test_a_write_that_was_never_sent_is_no_unknown_outcome(
    bench: Bench, nobodys_endpoint: str, write: Write
) -> None:
    bench.try_conditional_delete()
    etag = ITEM_NOT_AVAILABLE if write.creates else bench.put(NAME, "old")
    d = bench.own(endpoint_url=nobodys_endpoint, append_only=write.append_only)
    with pytest.raises(BackendError) as raised:
        write.call(d, etag)
    assert not isinstance(raised.value, OutcomeUnknownError)


@pytest.mark.parametrize("read_timeout", [60.0, None])
def test_a_read_timeout_beyond_the_deadline_still_leaves_room_for_another_try(
    bench: Bench, control: ServerControl, read_timeout: float | None
) -> None:
    """Found by: `Config(read_timeout=60)` and one 409, which then ended the call."""
    d = bench.own(config=Config(read_timeout=read_timeout))
    control.set_faults(fault(FaultKind.CONFLICT, "PUT", nth=(0,)))
    assert d.setdefault(KEY, "mine") == "mine"
    assert d.setdefault(KEY, "yours") == "mine"
    control.set_faults(fault(FaultKind.DROP_REPLY, "GET", nth=(0, 1)))
    assert d[KEY] == "mine"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 505, 507, 520, 524, 529, 599])
@pytest.mark.parametrize("make", ["one attempt", "default"])
def test_any_failure_of_a_gateway_may_hide_an_applied_write(
    bench: Bench, make: str, status: int
) -> None:
    """Found by: a write that was applied and answered 524, which then counted as not applied."""
    d = bench.open(make)
    replies = [status] * 5

    def spoil(request: Any, **_: Any) -> Any:
        if not replies:
            return None
        answer = bench.rival._endpoint.http_session.send(request)
        answer.status_code = replies.pop()
        return answer

    d.s3_client.meta.events.register("before-send.s3.PutObject", spoil)
    assert d.setdefault(KEY, "mine") == "mine"
    assert bench.value(NAME) == "mine"
    assert len(replies) < 5
