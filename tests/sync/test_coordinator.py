"""The front door: what it takes, what it refuses, and what it tells."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest
import tenacity

from persidict import BackendError, LocalDict, SQLiteDict
from persidict.testing import EmbeddedS3, FaultKind, FaultRule, ServerControl
from persidict.testing.clock import ManualClock
from persidict_sync.context import OWNER_MAX_LENGTH
from persidict_sync.coordinator import Coordinator
from persidict_sync.events import LOGGER, Event
from tests.contract.places import InBucket, InMemory, Place
from tests.s3.wire import Wire


def record_names(place: InMemory) -> list[str]:
    return sorted(place.memory.objects)


class TestAddresses:
    def test_memory(self) -> None:
        assert Coordinator("memory:").counter("n").add() == 1
        assert Coordinator("memory:").counter("n").add() == 1

    def test_a_file(self, tmp_path: Path) -> None:
        address = f"sqlite:///{tmp_path}/with%20space.db"
        assert Coordinator(address).counter("n").add() == 1
        assert Coordinator(address).counter("n").add() == 2
        assert (tmp_path / "with space.db").exists()

    def test_a_bucket(
        self, persidict_server: EmbeddedS3, bucket: InBucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        address = (
            f"s3://{bucket.bucket}/some/prefix"
            f"?endpoint_url={persidict_server.endpoint_url}&region=us-east-1"
        )
        assert Coordinator(address, prefix="fleet").counter("n").add() == 1
        page = bucket.client.list_objects_v2(Bucket=bucket.bucket)
        assert [one["Key"] for one in page["Contents"]] == ["some/prefix/fleet/counter/n.record"]

    def test_a_missing_bucket_is_created_only_if_the_address_says_so(
        self,
        persidict_server: EmbeddedS3,
        bucket: InBucket,
        control: ServerControl,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        name = f"{bucket.bucket}-with-a-typo"
        address = f"s3://{name}?endpoint_url={persidict_server.endpoint_url}&region=us-east-1"
        for refused in (address, f"{address}&create_bucket=false"):
            control.reset_log()
            with pytest.raises(BackendError, match=rf"s3://{name}/.*create_bucket=true"):
                Coordinator(refused)
            assert control.log().counts == {"HEAD_BUCKET": {"404": 1}}
        Coordinator(f"{address}&create_bucket=true").counter("n").add()
        control.reset_log()
        assert Coordinator(address).counter("n").value() == 1
        assert control.log().counts == {"HEAD_BUCKET": {"200": 1}, "GET": {"200": 1}}

    def test_what_is_none_is_refused_and_leaves_nothing_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for address in ("", "fleet.db", "sqlite:fleet.db", "sqlite:///fleet.db?mode=ro"):
            with pytest.raises(ValueError, match="address cannot be used"):
                Coordinator(address)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"store": 5}, TypeError),
        ({"store": {}}, TypeError),
        ({"store": LocalDict(append_only=True)}, TypeError),
        ({"timeout": 0}, ValueError),
        ({"timeout": -1.0}, ValueError),
        ({"timeout": float("nan")}, ValueError),
        ({"timeout": float("inf")}, ValueError),
        ({"timeout": 1e10}, ValueError),
        ({"timeout": 10**400}, ValueError),
        ({"timeout": "30"}, TypeError),
        ({"timeout": True}, TypeError),
        ({"timeout": None}, TypeError),
        ({"owner": ""}, ValueError),
        ({"owner": "x" * (OWNER_MAX_LENGTH + 1)}, ValueError),
        ({"owner": "a\nb"}, ValueError),
        ({"owner": "\ud800"}, ValueError),
        ({"owner": 5}, TypeError),
        ({"prefix": "a/b"}, ValueError),
        ({"prefix": 5}, TypeError),
        ({"conflicts": 5}, TypeError),
        ({"conflicts": tenacity.AsyncRetrying()}, TypeError),
        ({"clock": None}, TypeError),
        ({"clock": 0}, TypeError),
        ({"clock": time}, TypeError),
        ({"clock": time.monotonic}, TypeError),
        ({"clock": ManualClock}, TypeError),
        ({"listeners": [5]}, TypeError),
        ({"listeners": 5}, TypeError),
    ],
)
def test_wrong_arguments_fail_at_construction(
    arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Coordinator(**{"store": "memory:", **arguments})


def test_any_dictionary_will_do_and_keeps_its_items_apart(place: Place) -> None:
    d = place.open(serialization_format="json", base_class_for_values=int)
    d["counter", "n"] = 5
    fleet = Coordinator(d, prefix=("a", "b"), clock=place.clock)
    assert fleet.counter("n").add() == 1
    assert dict(d.items()) == {("counter", "n"): 5}


def test_the_layout_of_names() -> None:
    place = InMemory()
    fleet = Coordinator(place.open(), clock=place.clock)
    fleet.counter("hits").add()
    fleet.counter(("eu", "hits")).add()
    fleet.value("config").set(1)
    fleet.sequence("ids").next()
    assert record_names(place) == [
        "coordination/counter/eu/hits.record",
        "coordination/counter/hits.record",
        "coordination/sequence/ids.record",
        "coordination/value/config.record",
    ]


def test_the_owner_is_the_host_and_the_process_by_default() -> None:
    one, other = Coordinator("memory:"), Coordinator("memory:", owner="worker 7")
    assert one.owner.rpartition("-")[2].isdigit()
    assert other.owner == "worker 7"


def test_a_policy_of_ones_own(place: Place) -> None:
    policy = tenacity.Retrying(stop=tenacity.stop_after_attempt(1))
    d = place.open()
    ours = Coordinator(d, clock=place.clock, conflicts=policy).counter("n")
    theirs = Coordinator(d, clock=place.clock).counter("n")
    ours.add()
    theirs.add()
    with pytest.raises(RuntimeError, match="before the only attempt"):
        ours.add()
    assert ours.add() == 3


def test_calls_of_the_dictionary_are_shorter_than_an_update(tmp_path: Path) -> None:
    coordinator = Coordinator(f"sqlite:///{tmp_path}/x.db", timeout=30.0)
    records = coordinator._context.records
    assert isinstance(records, SQLiteDict)
    assert records.operation_timeout == 10.0


class TestEvents:
    def test_of_an_update_with_trouble(
        self,
        bucket: InBucket,
        rival_bucket: InBucket,
        control: ServerControl,
        fleet: Any,
        wire: Wire,
    ) -> None:
        told: list[Event] = []
        ours = fleet(bucket, listeners=[told.append]).counter(("eu", "n"))
        theirs = fleet(rival_bucket).counter(("eu", "n"))
        ours.add()
        theirs.add()
        ours.add()
        wire.after_write(theirs.add, before=("GetObject", "HeadObject"))
        control.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("PUT",), nth=(0,)))
        ours.add()
        names = ["counted", "conflict", "counted", "doubt", "settled", "counted"]
        assert [event.name for event in told] == names
        assert {(event.kind, event.key, event.owner) for event in told} == {
            ("counter", "eu/n", "tester")
        }
        assert told[1].fields == {"based_on": 1, "found": 2}
        assert told[4].fields["applied"] is True
        assert told[3].fields["op"] == told[4].fields["op"]

    def test_a_listener_that_fails_disturbs_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        told: list[Event] = []

        def fail(event: Event) -> None:
            raise ZeroDivisionError

        counter = Coordinator("memory:", listeners=[fail, told.append]).counter("n")
        with caplog.at_level(logging.ERROR, logger=LOGGER):
            assert counter.add() == 1
        assert [event.name for event in told] == ["counted"]
        assert "a listener failed at 'counted'" in caplog.text

    def test_quiet_until_asked(
        self, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        counter = Coordinator("memory:", clock=ManualClock()).counter("n")
        counter.add()
        assert capfd.readouterr() == ("", "")
        with caplog.at_level(logging.INFO, logger=LOGGER):
            counter.add()
        (line,) = [one for one in caplog.messages if "counted" in one]
        assert "generation" in line

    def test_values_are_not_told(self, caplog: pytest.LogCaptureFixture) -> None:
        told: list[Event] = []
        with caplog.at_level(logging.DEBUG, logger=LOGGER):
            value = Coordinator("memory:", listeners=[told.append]).value("v")
            value.set("s3cr3t")
            value.update(lambda now: now + "!")
        assert [event.name for event in told] == ["changed", "changed"]
        assert "s3cr3t" not in repr(told)
        assert "s3cr3t" not in caplog.text
