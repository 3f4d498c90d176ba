"""Bare moto lets two racing creates both succeed; behind the lock two never do.

moto checks the condition and then writes, and another thread may get in between. These are the
same racers twice: at bare moto, which they convict, and at ours.
"""

from __future__ import annotations

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import chain
from typing import TYPE_CHECKING

from persidict.testing import EmbeddedS3, s3_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from persidict.testing import Workers

CREATE_ONLY = {
    "If-None-Match": "*",
    "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request",
}
RACERS = 8
SHORT_SWITCH_INTERVAL = 1e-5
# On 2 cores a quarter of such rounds had more than one winner, and one of the first ten always.
# Even if it were one in a hundred, 5,000 rounds without any had a probability of 1e-22.
MANY_ROUNDS = 5_000
ROUNDS = 200


def race(server: EmbeddedS3, *, racers: int, rounds: int) -> Iterator[list[int]]:
    """For each round, what the racers for its key were answered, in ascending order."""
    bucket = server.create_bucket()
    address = server.endpoint_url.removeprefix("http://")
    together = threading.Barrier(racers)

    def create(connection: http.client.HTTPConnection, key: str) -> int:
        together.wait()
        connection.request("PUT", f"/{bucket}/{key}", b"mine", CREATE_ONLY)
        with connection.getresponse() as response:
            response.read()
            return response.status

    with ExitStack() as stack, ThreadPoolExecutor(racers) as pool:
        connections = [
            stack.enter_context(closing(http.client.HTTPConnection(address))) for _ in range(racers)
        ]
        for number in range(rounds):
            yield sorted(pool.map(create, connections, [f"key-{number}"] * racers))


def one_winner(racers: int) -> list[int]:
    return [200] + [412] * (racers - 1)


def test_bare_moto_has_two_winners_sooner_or_later() -> None:
    with (
        EmbeddedS3(serialised=False, switch_interval=SHORT_SWITCH_INTERVAL) as bare,
        closing(race(bare, racers=RACERS, rounds=MANY_ROUNDS)) as answers,
    ):
        assert any(statuses.count(200) > 1 for statuses in answers)


def test_the_same_racers_never_both_win_behind_the_lock() -> None:
    with EmbeddedS3(switch_interval=SHORT_SWITCH_INTERVAL) as ours:
        answers = list(race(ours, racers=RACERS, rounds=ROUNDS))

    assert answers == [one_winner(RACERS)] * ROUNDS


def test_bare_moto_has_two_winners_whenever_they_pass_its_check_together() -> None:
    with EmbeddedS3(serialised=False, hold_racers=2, hold_seconds=30.0) as bare:
        assert list(race(bare, racers=2, rounds=3)) == [[200, 200]] * 3


def test_behind_the_lock_nobody_passes_the_check_while_a_write_is_held() -> None:
    with EmbeddedS3(hold_racers=2) as ours:
        assert list(race(ours, racers=2, rounds=3)) == [one_winner(2)] * 3


def create_keys(endpoint_url: str, bucket: str, count: int) -> list[str]:
    """The keys that this process has created, against others that create the same."""
    client = s3_client(endpoint_url, retries={"total_max_attempts": 1})
    with closing(client):
        created = []
        for number in range(count):
            try:
                client.put_object(Bucket=bucket, Key=f"{number}", Body=b"", IfNoneMatch="*")
            except client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "PreconditionFailed":
                    raise
            else:
                created.append(f"{number}")
        return created


def test_processes_share_out_the_keys(
    persidict_server: EmbeddedS3, persidict_bucket: str, persidict_workers: Workers
) -> None:
    arguments = (persidict_server.endpoint_url, persidict_bucket, 100)

    created = persidict_workers.map(create_keys, [arguments] * 3)

    assert sorted(chain.from_iterable(created)) == sorted(str(number) for number in range(100))
