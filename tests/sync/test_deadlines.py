"""Every call ends by its deadline while nothing is answered, or an answer drips, by real time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from persidict import BackendError, OutcomeUnknownError
from persidict.clock import SYSTEM_CLOCK
from persidict.testing import FaultKind, FaultRule
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import AcquireTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from persidict.testing import EmbeddedS3, ServerControl

LIMIT = 1.5
"""Seconds."""
STALLED = [
    FaultRule(kind=FaultKind.BLACK_HOLE),
    FaultRule(kind=FaultKind.DRIP, seconds=0.25),
]


def by_kind(rule: FaultRule) -> str:
    return str(rule.kind)


@pytest.fixture
def store(persidict_server: EmbeddedS3, persidict_bucket: str) -> Any:
    from persidict import BasicS3Dict

    # Sockets that are patient, so that they do not end what is to be ended.
    client = persidict_server.client(
        retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=60
    )
    yield BasicS3Dict(bucket_name=persidict_bucket, s3_client=client, create_bucket=False)
    client.close()


@pytest.fixture
def fleet(store: Any) -> Coordinator:
    return Coordinator(store, timeout=LIMIT)


def ended_in_time(act: Callable[[], object], *errors: type[Exception]) -> None:
    begin = SYSTEM_CLOCK.monotonic()
    with pytest.raises(errors):
        act()
    assert SYSTEM_CLOCK.monotonic() - begin <= 1.1 * LIMIT


@pytest.mark.parametrize("rule", STALLED, ids=by_kind)
def test_updates_and_looks(fleet: Coordinator, control: ServerControl, rule: FaultRule) -> None:
    counter, value = fleet.counter("n"), fleet.value("v")
    counter.add()
    control.set_faults(rule)
    ended_in_time(counter.add, OutcomeUnknownError)
    ended_in_time(lambda: value.set(1), BackendError)
    ended_in_time(lambda: fleet.claims("frames").claim("1"), OutcomeUnknownError)
    ended_in_time(fleet.lease("nightly").try_acquire, BackendError)


@pytest.mark.parametrize("rule", STALLED, ids=by_kind)
@pytest.mark.parametrize("primitive", ["lease", "semaphore"])
def test_waiting(store: Any, control: ServerControl, rule: FaultRule, primitive: str) -> None:
    fleet = Coordinator(store)
    lease: Any = fleet.lease("gpu") if primitive == "lease" else fleet.semaphore("gpu", 1)
    control.set_faults(rule)
    ended_in_time(lambda: lease.acquire(timeout=LIMIT), BackendError, AcquireTimeout)


@pytest.mark.parametrize("kind", [FaultKind.BLACK_HOLE, FaultKind.DRIP], ids=str)
def test_a_short_lease_outlives_one_dead_connection(
    store: Any, control: ServerControl, kind: FaultKind
) -> None:
    renewed = threading.Event()
    stalls = FaultRule(
        kind=kind,
        seconds=0.25 if kind is FaultKind.DRIP else None,
        methods=("PUT",),
        max_count=1,
    )
    with Coordinator(
        store, listeners=[lambda event: renewed.set() if event.name == "renewed" else None]
    ) as fleet:
        held = fleet.lease("nightly", ttl=4.0).acquire()
        control.set_faults(stalls)
        assert renewed.wait(30.0)
        assert control.fault_report().count(kind) == 1
        held.check()
