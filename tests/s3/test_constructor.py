"""What the constructor asks of the bucket, and what it leaves to the conventions of the SDK."""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from persidict import BackendError, BasicS3Dict
from persidict.testing import FaultKind, FaultRule
from tests.s3.canned import Answered, CannedServer, error
from tests.s3.test_never_absent import KEY, OF_ALL_ITEMS, OF_ONE_ITEM
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from persidict.testing import ServerControl
    from tests.s3.bench import Bench


def new_name() -> str:
    return f"bucket-{uuid.uuid4().hex}"


class TestTheBucket:
    def test_is_created_if_it_is_missing(self, bench: Bench) -> None:
        client = bench.client()
        with Wire(client.meta.events) as wire:
            d = bench.given(client, bucket_name=new_name(), create_bucket=True)
        assert wire.operations == ["HeadBucket", "CreateBucket"]
        d["k"] = 1
        assert d["k"] == 1

    @pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-south-1"])
    @pytest.mark.parametrize("is_given", [True, False])
    def test_is_created_in_the_region(self, bench: Bench, region: str, is_given: bool) -> None:
        name = new_name()
        if is_given:
            client = bench.client(region_name=region)
            d = bench.given(client, bucket_name=name, create_bucket=True)
        else:
            d = bench.own(region=region, bucket_name=name, create_bucket=True)
        assert d.region == region
        location = bench.rival.get_bucket_location(Bucket=name)["LocationConstraint"]
        assert location == (None if region == "us-east-1" else region)

    @pytest.mark.parametrize(
        "code", ["BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted"]
    )
    def test_may_be_created_by_another_meanwhile(self, bench: Bench, code: str) -> None:
        answers = {"HEAD": Answered(404), "PUT": error(409, code)}
        with CannedServer(lambda asked: answers[asked.method]) as server:
            bench.own(endpoint_url=server.endpoint_url, create_bucket=True)
        assert [asked.method for asked in server.asked] == ["HEAD", "PUT"]

    def test_may_be_one_that_must_not_be_looked_at(self, bench: Bench) -> None:
        with CannedServer(lambda _: Answered(403)) as server:
            bench.own(endpoint_url=server.endpoint_url, create_bucket=True).check_bucket()
        assert [asked.method for asked in server.asked] == ["HEAD", "HEAD"]

    @pytest.mark.parametrize(
        ("head", "put"),
        [
            (Answered(404), error(403, "AccessDenied")),
            (Answered(404), error(400, "InvalidBucketName")),
            (Answered(404), error(409, "InvalidBucketState")),
            (Answered(404), error(503, "SlowDown")),
            (Answered(404), error(500, "InternalError")),
            (Answered(400), error(200, "unused")),
            (Answered(500), error(200, "unused")),
            (Answered(503), error(200, "unused")),
            (Answered(429), error(200, "unused")),
        ],
        ids=lambda answered: str(answered.status),
    )
    @pytest.mark.parametrize("make", ["own", "default"])
    def test_cannot_be_had(self, bench: Bench, make: str, head: Answered, put: Answered) -> None:
        answers = {"HEAD": head, "PUT": put}
        with (
            CannedServer(lambda asked: answers[asked.method]) as server,
            pytest.raises(BackendError) as raised,
        ):
            bench.open(make, endpoint_url=server.endpoint_url, create_bucket=True)
        assert isinstance(raised.value.__cause__, ClientError)
        assert raised.value.backend == "S3"
        assert bench.bucket in str(raised.value)

    def test_is_asked_for_again_after_a_passing_failure(
        self, bench: Bench, control: ServerControl
    ) -> None:
        control.set_faults(
            FaultRule(kind=FaultKind.ERROR_503_BEFORE, methods=("HEAD",), nth=(0,)),
            FaultRule(kind=FaultKind.DROP_REPLY, methods=("HEAD",), nth=(1,)),
        )
        assert len(bench.own(create_bucket=True)) == 0

    @pytest.mark.parametrize("make", ["own", "default"])
    def test_cannot_be_reached(self, bench: Bench, make: str, nobodys_endpoint: str) -> None:
        with pytest.raises(BackendError) as raised:
            bench.open(make, endpoint_url=nobodys_endpoint, create_bucket=True)
        assert isinstance(raised.value.__cause__, BotoCoreError)
        assert bench.bucket in str(raised.value)

    def test_is_checked_and_never_created(self, bench: Bench) -> None:
        name, client = new_name(), bench.client()
        d = bench.given(client, bucket_name=name)
        with Wire(client.meta.events) as wire:
            with pytest.raises(BackendError, match=rf"{name}.* create it") as raised:
                d.check_bucket()
            bench.given(client).check_bucket()
        assert wire.operations == ["HeadBucket", "HeadBucket"]
        assert raised.value.operation == "head_bucket"
        assert isinstance(raised.value.__cause__, ClientError)

    def test_is_checked_through_any_view(self, bench: Bench) -> None:
        d = bench.given(bucket_name=new_name())
        for view in (d.get_subdict("a"), d.with_timeout(5.0), d.with_meter(lambda *_: None)):
            with pytest.raises(BackendError, match="create it"):
                view.check_bucket()

    @pytest.mark.parametrize(
        ("head", "told"),
        [
            (Answered(301, headers={"x-amz-bucket-region": "eu-west-1"}), "pass its region="),
            (Answered(400), "failed: 400"),
            (Answered(503), "no usable answer"),
        ],
        ids=lambda part: str(getattr(part, "status", "")),
    )
    def test_cannot_be_checked(self, bench: Bench, head: Answered, told: str) -> None:
        with (
            CannedServer(lambda _: head) as server,
            pytest.raises(BackendError, match=told),
        ):
            bench.own(endpoint_url=server.endpoint_url).check_bucket()

    def test_must_belong_to_the_expected_owner(self, bench: Bench) -> None:
        d = bench.given(expected_bucket_owner="123456789012")
        with Wire(d.s3_client.meta.events) as wire:
            bench.given(expected_bucket_owner="123456789012", create_bucket=True)
            d[KEY] = 1
            for calls in (OF_ONE_ITEM | OF_ALL_ITEMS).values():
                for call in calls:
                    try:
                        call(d)
                    except KeyError:
                        d[KEY] = 1
        assert len(wire) > 50
        assert {sent.headers.get("x-amz-expected-bucket-owner") for sent in wire} == {
            "123456789012"
        }


def handlers(client: S3Client) -> list[str]:
    """Everything that is registered with a client, as text."""
    root = client.meta.events._emitter._handlers._root
    found: list[str] = []

    def walk(node: Any, path: str) -> None:
        for place in node["values"] or ():
            found.extend(f"{path}: {handler!r}" for handler in place)
        for name, child in node["children"].items():
            walk(child, f"{path}.{name}")

    walk(root, "")
    return found


class TestTheClient:
    @pytest.mark.parametrize("retrying", ["default", "one attempt", "legacy"])
    def test_that_was_passed_in_is_never_altered(self, bench: Bench, retrying: str) -> None:
        client = bench.client(retrying)
        before = copy.deepcopy(vars(client.meta.config)), handlers(client)
        d = bench.given(client, create_bucket=True)
        for calls in (OF_ONE_ITEM | OF_ALL_ITEMS).values():
            for call in calls:
                try:
                    call(d)
                except KeyError:
                    d[KEY] = 1
        assert len(before[1]) > 10
        assert (vars(client.meta.config), handlers(client)) == before
        assert d.s3_client is client
        assert d.get_subdict("a").s3_client is client
        assert d.get_params()["s3_client"] is client

    def test_of_its_own_makes_one_attempt_whatever_the_environment_says(
        self, bench: Bench, control: ServerControl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
        monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
        session = boto3.Session("a", "b", region_name="us-east-1")
        d = bench.own(session=session)
        control.set_faults(FaultRule(kind=FaultKind.ERROR_500_BEFORE, methods=("PUT",), nth=(0,)))
        with Wire(d.s3_client.meta.events) as wire:
            d["k"] = 1
        assert wire.operations == ["PutObject", "GetObject", "PutObject"]

    def test_of_its_own_takes_settings(self, bench: Bench) -> None:
        d = bench.own(config=Config(read_timeout=7.5, max_pool_connections=3), region="eu-west-1")
        assert d.s3_client.meta.config.read_timeout == 7.5
        assert d.s3_client.meta.config.retries["total_max_attempts"] == 1
        assert d.region == d.s3_client.meta.region_name == "eu-west-1"

    def test_of_its_own_heeds_the_endpoint_of_the_environment(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bench.sdk.endpoint_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        d: BasicS3Dict[int] = BasicS3Dict(bucket_name=bench.bucket, region="us-east-1")
        d["k"] = 1
        assert bench.names() == ["k.pkl"]
        d.s3_client.close()

    def test_of_its_own_heeds_profile_and_shared_config(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        config = tmp_path / "config"
        config.write_text(
            "[profile lab]\nregion = eu-central-1\nservices = here\n"
            f"[services here]\ns3 =\n  endpoint_url = {bench.sdk.endpoint_url}\n"
        )
        credentials = tmp_path / "credentials"
        credentials.write_text("[lab]\naws_access_key_id = of-lab\naws_secret_access_key = b\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
        monkeypatch.setenv("AWS_PROFILE", "lab")
        d: BasicS3Dict[int] = BasicS3Dict(bucket_name=bench.bucket)
        with Wire(d.s3_client.meta.events) as wire:
            d["k"] = 1
        assert bench.names() == ["k.pkl"]
        assert d.region == "eu-central-1"
        assert "Credential=of-lab/" in wire.sent[0].headers["authorization"]
        d.s3_client.close()

    def test_cannot_be_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(BackendError) as raised:
            BasicS3Dict(region="us-east-1")
        assert isinstance(raised.value.__cause__, BotoCoreError)
        monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
        with pytest.raises(BackendError) as raised:
            BasicS3Dict()
        assert isinstance(raised.value.__cause__, BotoCoreError)


def test_equal_dictionaries(bench: Bench) -> None:
    for d in (bench.given(root_prefix="a"), bench.own(region="us-east-1", create_bucket=False)):
        again = type(d)(**d.get_params())
        assert again == d
        assert again.get_params() == d.get_params()
        if again.s3_client is not bench.plain:
            again.s3_client.close()
