"""The stores and formats that every test of the contract runs over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.places import InBucket, InFile, InMemory, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from persidict import PersiDict
    from persidict.testing import EmbeddedS3


@pytest.fixture(scope="session")
def s3_client(persidict_server: EmbeddedS3) -> Iterator[S3Client]:
    """One client for all tests: making it takes longer than most of them."""
    client = persidict_server.client(
        retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=32
    )
    yield client
    client.close()


@pytest.fixture(params=["memory", "sqlite", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A storage with nothing in it, of each kind."""
    match request.param:
        case "memory":
            return InMemory()
        case "sqlite":
            return InFile(tmp_path / "items.db")
        case _:
            client = request.getfixturevalue("s3_client")
            return InBucket(request.getfixturevalue("persidict_bucket"), client=client)


@pytest.fixture(params=["pkl", "json"])
def serialization_format(request: pytest.FixtureRequest) -> str:
    """Each format that takes any value."""
    return str(request.param)


@pytest.fixture
def d(place: Place, serialization_format: str) -> PersiDict[Any]:
    """An empty dictionary on each store, in each format."""
    return place.open(serialization_format=serialization_format)
