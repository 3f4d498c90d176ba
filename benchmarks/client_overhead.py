"""Processor time of the dictionary's operations as a ratio to bare boto3's, over canned answers.

    python -m benchmarks.client_overhead --rounds 60

No network: every request is signed and serialised as usual, and answered by an event hook before
it would be sent. Bare and wrapped calls take turns within each round, so that a machine that slows
down slows both; the figure is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from persidict import ETAG_IS_THE_SAME, BasicS3Dict, ETagValue
from persidict.testing.command_line import status_of

VALUE = {"owner": "w1", "n": 42}
STORED = b'{"owner": "w1", "n": 42}'
ETAG = ETagValue('"0123456789abcdef0123456789abcdef"')
BUCKET, KEY = "bucket", "task-1"
CALLS = 100


class _Raw(io.BytesIO):
    """As much of urllib3's response as botocore reads."""

    def stream(self, *_args: object, **_settings: object) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk


def answer(request: Any, **_context: object) -> Any:
    """200 to a PUT, 24 bytes of JSON to a GET."""
    if request.method == "PUT":
        headers = {"ETag": ETAG, "Content-Length": "0"}
        return AWSResponse(request.url, 200, HTTPHeaders.from_dict(headers), _Raw())
    # A HEAD is sent once: the first write's etag is not the MD5 of its bytes.
    headers = {
        "Content-Length": str(len(STORED)),
        "Content-Type": "application/json",
        "Date": "Mon, 23 Nov 2026 10:00:00 GMT",
        "ETag": ETAG,
        "Last-Modified": "Mon, 23 Nov 2026 09:59:00 GMT",
        "x-amz-meta-persidict-write": "0123456789abcdef01234567",
    }
    return AWSResponse(
        request.url,
        200,
        HTTPHeaders.from_dict(headers),
        _Raw(STORED if request.method == "GET" else b""),
    )


def operations() -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Pairs of what the dictionary does and what bare boto3 does, by name."""
    session = boto3.Session("key", "secret", region_name="us-east-1")
    bare = session.client("s3")
    d = BasicS3Dict[dict[str, Any]](
        bucket_name=BUCKET, session=session, serialization_format="json", create_bucket=False
    )
    for client in (bare, d.s3_client):
        client.meta.events.register("before-send.s3", answer)
    same: dict[str, Any] = {"IfMatch": ETAG, "ContentType": "application/json"}
    metadata = {"persidict-write": "0123456789abcdef01234567"}
    padded = STORED + b" " * 48

    def swap() -> object:
        return d.set_item_if(KEY, value=VALUE, condition=ETAG_IS_THE_SAME, expected_etag=ETAG)

    def put() -> object:
        return bare.put_object(Bucket=BUCKET, Key=KEY, Body=STORED)

    def put_alike() -> object:
        return d.s3_client.put_object(
            Bucket=BUCKET, Key=KEY, Body=padded, Metadata=metadata, **same
        )

    def get() -> object:
        return bare.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()

    def get_alike() -> object:
        return d.s3_client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()

    return {
        "set_item_if / put_object": (swap, put),
        "set_item_if / put_object, same client and headers": (swap, put_alike),
        "get_with_etag / get_object": (lambda: d.get_with_etag(KEY), get),
        "get_with_etag / get_object, same client": (lambda: d.get_with_etag(KEY), get_alike),
    }


def seconds(call: Callable[[], object]) -> float:
    """Processor time of one call, in seconds, over `CALLS` of them."""
    begin = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - begin) / CALLS


def main() -> int:
    """Print a table of processor times and their ratios."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="rounds to take the median of")
    rounds = parser.parse_args().rounds
    print("| processor time | ours, µs | bare, µs | ratio: median | quartiles |")
    print("| --- | --- | --- | --- | --- |")
    for name, (ours, bare) in operations().items():
        ours(), bare()
        pairs = [(seconds(ours), seconds(bare)) for _ in range(rounds)]
        ratios = [a / b for a, b in pairs]
        low, middle, high = statistics.quantiles(ratios, n=4)
        a, b = (1e6 * statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"| {name} | {a:.0f} | {b:.0f} | {middle:.3f} | {low:.3f} to {high:.3f} |")
    return 0


if __name__ == "__main__":
    sys.exit(status_of(main))
