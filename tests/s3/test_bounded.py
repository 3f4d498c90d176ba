"""Calls with a time limit of their own: black holes, and answers that drip for ever."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    BackendError,
    BasicS3Dict,
    OutcomeUnknownError,
)
from persidict.bounded_store import BoundedStore, in_time, request_limit
from persidict.clock import SYSTEM_CLOCK
from persidict.daemons import Daemons
from persidict.testing import FaultKind, FaultRule
from tests.s3.test_timeouts import stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

LIMIT = 1.5
"""Seconds of a call."""
STALLED = [
    FaultRule(kind=FaultKind.BLACK_HOLE),
    # A byte well within every timeout of a socket, and the whole answer in minutes.
    FaultRule(kind=FaultKind.DRIP, seconds=0.25),
]
ABSENT: Any = {"condition": ETAG_IS_THE_SAME, "expected_etag": ITEM_NOT_AVAILABLE}
READS: dict[str, Callable[[BasicS3Dict[Any]], object]] = {
    "get": lambda d: d["a"],
    "in": lambda d: "a" in d,
    "len": len,
    "get_item_if": lambda d: d.get_item_if("a", **ABSENT),
}
WRITES: dict[str, Callable[[BasicS3Dict[Any]], object]] = {
    "set": lambda d: d.__setitem__("a", 1),
    "setdefault_if": lambda d: d.setdefault_if("a", default_value=1, **ABSENT),
    "set_item_if": lambda d: d.set_item_if("a", value=1, **ABSENT),
}


def by_kind(rule: FaultRule) -> str:
    return str(rule.kind)


@pytest.fixture
def d(bench: Bench) -> BasicS3Dict[Any]:
    """A dictionary whose sockets are patient."""
    client = bench.client("one attempt", read_timeout=60)
    return bench.given(client, clock=SYSTEM_CLOCK)


@pytest.mark.parametrize("rule", STALLED, ids=by_kind)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_ends_in_time(
    d: BasicS3Dict[Any], control: ServerControl, rule: FaultRule, read: Callable[..., object]
) -> None:
    control.set_faults(rule)
    with stopwatch() as took, pytest.raises(BackendError, match="no usable answer"):
        read(d.with_timeout(LIMIT))
    assert took() <= 1.1 * LIMIT


@pytest.mark.parametrize("rule", STALLED, ids=by_kind)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_ends_in_time_and_says_that_it_may_have_been_applied(
    d: BasicS3Dict[Any], control: ServerControl, rule: FaultRule, write: Callable[..., object]
) -> None:
    control.set_faults(rule)
    with stopwatch() as took, pytest.raises(OutcomeUnknownError):
        write(d.with_timeout(LIMIT))
    assert took() <= 1.1 * LIMIT


@pytest.mark.parametrize("rule", STALLED, ids=by_kind)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_one_stalled_request_is_settled_by_the_next(
    d: BasicS3Dict[Any], control: ServerControl, rule: FaultRule, write: Callable[..., object]
) -> None:
    stalled = FaultRule(kind=rule.kind, seconds=rule.seconds, methods=("PUT",), nth=(0,))
    control.set_faults(stalled)
    write(d.with_timeout(LIMIT))
    assert control.fault_report().count(rule.kind) == 1
    control.clear_faults()
    assert d["a"] == 1


def test_without_faults_it_is_the_same_dictionary(d: BasicS3Dict[Any]) -> None:
    limited = d.with_timeout(LIMIT)
    limited["a"] = 1
    assert (d["a"], d.etag("a")) == (1, limited.etag("a"))
    assert (limited.operation_timeout, d.operation_timeout) == (LIMIT, 30.0)
    assert limited.with_timeout(9.0).get_subdict("b").operation_timeout == 9.0
    assert limited.s3_client is d.s3_client
    with pytest.raises(KeyError):
        limited["b"]
    with pytest.raises(ValueError, match="more than 0"):
        d.with_timeout(0)


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_any_number_of_seconds_is_a_limit(d: BasicS3Dict[Any], seconds: float) -> None:
    d.with_timeout(seconds)["a"] = 1
    assert d.with_timeout(seconds)["a"] == 1


def test_a_limit_is_not_wrapped_around_another(d: BasicS3Dict[Any]) -> None:
    store = d.with_timeout(9.0).with_timeout(0.9)._items.store.store
    assert isinstance(store, BoundedStore)
    assert not isinstance(store.inner, BoundedStore)
    assert store.request_timeout == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("seconds", "one"), [(30.0, 10.0), (3.0, 1.0), (0.9, 0.3), (0.7, 0.3), (0.5, 0.25)]
)
def test_two_requests_at_least_fit_into_a_call(seconds: float, one: float) -> None:
    assert request_limit(seconds) == pytest.approx(one)


def test_what_a_request_raises_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: 1 / 0, 30.0)


def test_what_has_been_given_up_and_not_begun_never_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submitted: list[Callable[[], object]] = []
    monkeypatch.setattr(
        "persidict.bounded_store._daemons.submit", lambda act: submitted.append(act) or True
    )
    begun: list[int] = []
    with pytest.raises(TimeoutError):
        in_time(lambda: begun.append(1), 0.01)
    submitted[0]()
    assert begun == []


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_that_never_began_was_certainly_not_applied(
    d: BasicS3Dict[Any], monkeypatch: pytest.MonkeyPatch, write: Callable[..., object]
) -> None:
    daemons, is_over = Daemons(1), threading.Event()
    monkeypatch.setattr("persidict.bounded_store._daemons", daemons)
    daemons.submit(is_over.wait)
    with pytest.raises(BackendError, match=r"not be reached in 1 try \(NoFreeT") as raised:
        write(d.with_timeout(0.3))
    assert not isinstance(raised.value, OutcomeUnknownError)
    assert "64 requests are under way" in str(raised.value.__cause__)
    is_over.set()
    assert "a" not in d.with_timeout(LIMIT)


def test_where_no_thread_can_be_started_it_is_done_in_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("persidict.bounded_store._daemons.submit", lambda _: False)
    assert in_time(threading.get_ident, 30.0) == threading.get_ident()


def test_nothing_is_kept_of_what_was_answered() -> None:
    class Answer:
        pass

    kept = weakref.ref(in_time(Answer, 30.0))
    gc.collect()
    assert kept() is None
