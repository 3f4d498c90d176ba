"""pytest fixtures for the embedded S3 server; nothing is imported or started before its first use.

Under pytest-xdist each worker has a server of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from persidict import BasicS3Dict
    from persidict.testing.control import ServerControl
    from persidict.testing.embedded_s3 import EmbeddedS3
    from persidict.testing.workers import Workers


@pytest.fixture(scope="session")
def persidict_server() -> Iterator[EmbeddedS3]:
    """An embedded S3 server, shared by all tests of this pytest process."""
    from persidict.testing.embedded_s3 import EmbeddedS3

    with EmbeddedS3() as server:
        yield server


@pytest.fixture
def persidict_bucket(persidict_server: EmbeddedS3) -> str:
    """The name of a fresh, empty bucket."""
    return persidict_server.create_bucket()


@pytest.fixture
def persidict_s3_client(persidict_server: EmbeddedS3) -> Iterator[S3Client]:
    """A boto3 client of the embedded server, with the SDK's default settings."""
    client = persidict_server.client()
    yield client
    client.close()


@pytest.fixture
def persidict_store(persidict_bucket: str, persidict_s3_client: S3Client) -> BasicS3Dict[Any]:
    """A `BasicS3Dict` of format json over the fresh bucket."""
    from persidict import BasicS3Dict

    return BasicS3Dict(
        bucket_name=persidict_bucket,
        s3_client=persidict_s3_client,
        serialization_format="json",
        create_bucket=False,
    )


@pytest.fixture
def persidict_faults(persidict_server: EmbeddedS3) -> Iterator[ServerControl]:
    """Control of the server: its log begins with the test, its faults and dialect end with it."""
    from persidict.testing.dialect import StoreDialect

    control = persidict_server.control
    control.reset_log()
    yield control
    control.clear_faults()
    control.set_dialect(StoreDialect())


@pytest.fixture
def persidict_workers() -> Iterator[Workers]:
    """Spawned worker processes, all of which are reaped after the test."""
    from persidict.testing.workers import Workers

    with Workers() as workers:
        yield workers
