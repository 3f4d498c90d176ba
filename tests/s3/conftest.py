"""Buckets, clients and a quiet environment for everything that is tested over real HTTP."""

from __future__ import annotations

import os
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

import boto3
import botocore.endpoint
import pytest

from tests.s3.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from persidict.testing import EmbeddedS3, ServerControl


@pytest.fixture(autouse=True)
def _sdk_as_on_a_bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings, proxies or credentials from outside, and no waiting between SDK retries."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


@cache
def _session() -> boto3.Session:
    # The first client of each session reads the SDK's service model, which takes long.
    return boto3.Session("an-access-key", "a-secret-key", region_name="us-east-1")


@pytest.fixture
def sdk_session(_sdk_as_on_a_bare_machine: None) -> boto3.Session:
    """One session for the clients of all tests."""
    return _session()


@pytest.fixture
def bench(
    persidict_server: EmbeddedS3, persidict_bucket: str, sdk_session: boto3.Session
) -> Iterator[Bench]:
    """A fresh bucket of the server without faults."""
    bench = Bench(persidict_server, session=sdk_session, bucket=persidict_bucket)
    yield bench
    bench.close()


@pytest.fixture
def control(persidict_faults: ServerControl) -> ServerControl:
    """The server's faults, dialect and log; all are as before after the test."""
    return persidict_faults


@pytest.fixture(scope="session")
def _shared_bucket(persidict_server: EmbeddedS3) -> str:
    return persidict_server.create_bucket()


@pytest.fixture
def shared_bench(
    persidict_server: EmbeddedS3, _shared_bucket: str, sdk_session: boto3.Session
) -> Iterator[Bench]:
    """One bucket for many small tests, each with a key of its own; conditional deletes are tried."""
    bench = Bench(persidict_server, session=sdk_session, bucket=_shared_bucket)
    _try_conditional_delete(bench)
    yield bench
    bench.close()


_tried: set[str] = set()


def _try_conditional_delete(bench: Bench) -> None:
    if bench.bucket not in _tried:
        d = bench.given(bench.rival)
        d["warm-up"] = 1
        d.pop("warm-up")
        _tried.add(bench.bucket)
