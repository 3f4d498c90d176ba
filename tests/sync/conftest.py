"""The stores that every primitive is tested over, and coordinators on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from persidict.testing.clock import ManualClock
from persidict_sync.coordinator import Coordinator
from tests.contract.places import InBucket, InFile, InMemory, Place
from tests.s3.wire import Wire
from tests.sync.remotes import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from persidict.testing import EmbeddedS3, ServerControl
    from persidict.testing.workers import Workers


@pytest.fixture(scope="session")
def s3_client(persidict_server: EmbeddedS3) -> Iterator[S3Client]:
    """One client for all tests, which makes one attempt a request."""
    client = persidict_server.client(
        retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=32
    )
    yield client
    client.close()


@pytest.fixture
def bucket(persidict_bucket: str, s3_client: S3Client) -> InBucket:
    """An empty bucket over HTTP."""
    return InBucket(persidict_bucket, client=s3_client)


@pytest.fixture(scope="session")
def rival_client(persidict_server: EmbeddedS3) -> Iterator[S3Client]:
    """Somebody else's client, which no `wire` sees."""
    client = persidict_server.client(retries={"total_max_attempts": 1, "mode": "standard"})
    yield client
    client.close()


@pytest.fixture
def rival_bucket(bucket: InBucket, rival_client: S3Client) -> InBucket:
    """The same bucket, by somebody else's client and clock."""
    rival = InBucket(bucket.bucket, client=rival_client)
    rival.clock = ManualClock(seed=1)
    return rival


@pytest.fixture
def wire(s3_client: S3Client) -> Iterator[Wire]:
    """What the client of `bucket` sends, request by request."""
    with Wire(s3_client.meta.events) as wire:
        yield wire


@pytest.fixture
def control(persidict_faults: ServerControl) -> ServerControl:
    """The server's faults; all are as before after the test."""
    return persidict_faults


@pytest.fixture(params=["memory", "sqlite", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A storage with nothing in it, of each kind."""
    match request.param:
        case "memory":
            return InMemory()
        case "sqlite":
            return InFile(tmp_path / "records.db")
        case _:
            return request.getfixturevalue("bucket")


@pytest.fixture
def fleet() -> Callable[..., Coordinator]:
    """Opens a coordinator in a place, by the place's clock."""

    def open_in(place: Place, **settings: Any) -> Coordinator:
        return Coordinator(
            place.open(serialization_format="json"),
            **{"clock": place.clock, "owner": "tester", **settings},
        )

    return open_in


@pytest.fixture
def s3_address(
    persidict_server: EmbeddedS3, persidict_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The address of an empty bucket, which every process of this machine can open."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    endpoint = persidict_server.endpoint_url
    return f"s3://{persidict_bucket}/fleet?endpoint_url={endpoint}&region=us-east-1"


@pytest.fixture(params=["sqlite", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store of each kind that processes can share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fleet.db"
    found: str = request.getfixturevalue("s3_address")
    return found


@pytest.fixture
def remote(address: str, persidict_workers: Workers) -> Iterator[Callable[[str], Remote]]:
    """Starts a process with a coordinator of its own, by its owner's name."""
    remotes: list[Remote] = []

    def start(owner: str) -> Remote:
        remotes.append(Remote(persidict_workers, address, owner))
        return remotes[-1]

    yield start
    for one in remotes:
        one.hang_up()
