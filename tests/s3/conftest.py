"""Buckets, clients and a quiet environment for everything that is tested over real HTTP."""

from __future__ import annotations

import os
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING

import boto3
import botocore.endpoint
import pytest

from tests.s3.bench import Bench, Sdk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from persidict.testing import EmbeddedS3, ServerControl


def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(autouse=True)
def _sdk_as_on_a_bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings, proxies or credentials from outside, and no waiting between SDK retries."""
    _bare_environment(monkeypatch)
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture(scope="session")
def sdk(persidict_server: EmbeddedS3) -> Iterator[Sdk]:
    """What all tests share, because making it takes longer than most of them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _bare_environment(monkeypatch)
        session = boto3.Session("an-access-key", "a-secret-key", region_name="us-east-1")
        sdk = Sdk(session, endpoint_url=persidict_server.endpoint_url)
    yield sdk
    sdk.close()


@pytest.fixture
def bench(persidict_server: EmbeddedS3, persidict_bucket: str, sdk: Sdk) -> Iterator[Bench]:
    """A fresh bucket of the server without faults."""
    bench = Bench(sdk, control=persidict_server.control, bucket=persidict_bucket)
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def _shared_bucket(persidict_server: EmbeddedS3) -> str:
    return persidict_server.create_bucket()


@pytest.fixture
def shared_bench(persidict_server: EmbeddedS3, _shared_bucket: str, sdk: Sdk) -> Iterator[Bench]:
    """One bucket for many small tests, each with keys of its own; conditional deletes are tried."""
    bench = Bench(sdk, control=persidict_server.control, bucket=_shared_bucket)
    if bench.bucket not in sdk.tried_buckets:
        bench.try_conditional_delete()
    yield bench
    bench.close()


@pytest.fixture
def control(persidict_faults: ServerControl) -> ServerControl:
    """The server's faults, dialect and log; all are as before after the test."""
    return persidict_faults


@pytest.fixture
def nobodys_endpoint() -> Iterator[str]:
    """A loopback address at which nobody listens, and nobody else will as long as the test runs."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
