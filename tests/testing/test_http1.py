"""The server's HTTP/1.1, against bytes that boto3 does not happen to send."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from persidict.testing import EmbeddedS3

Talk = Callable[[bytes], bytes]

AUTHORIZATION = (
    b"Authorization: AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request\r\n"
)


@pytest.fixture
def peer(persidict_server: EmbeddedS3) -> Iterator[socket.socket]:
    host, port = persidict_server.endpoint_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connected:
        yield connected


def head(peer: socket.socket) -> bytes:
    """What the server sends, up to the end of a head."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        byte = peer.recv(1)
        if not byte:
            break
        received += byte
    return received


def put(bucket: str, *headers: bytes, body: bytes = b"") -> bytes:
    request_line = f"PUT /{bucket}/key HTTP/1.1\r\nHost: localhost\r\n".encode()
    return request_line + AUTHORIZATION + b"".join(headers) + b"\r\n" + body


def stored(peer: socket.socket, bucket: str) -> bytes:
    peer.sendall(
        f"GET /{bucket}/key HTTP/1.0\r\nHost: localhost\r\n".encode() + AUTHORIZATION + b"\r\n"
    )
    answer = b""
    while part := peer.recv(65_536):
        answer += part
    return answer.partition(b"\r\n\r\n")[2]


def test_a_chunked_body(peer: socket.socket, persidict_bucket: str) -> None:
    chunks = b"3;extension=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: ignored\r\n\r\n"
    peer.sendall(put(persidict_bucket, b"Transfer-Encoding: chunked\r\n", body=chunks))

    assert head(peer).startswith(b"HTTP/1.1 200 OK\r\n")
    assert stored(peer, persidict_bucket) == b"abc0123456789"


def test_a_body_that_waits_to_be_asked_for(peer: socket.socket, persidict_bucket: str) -> None:
    peer.sendall(put(persidict_bucket, b"Expect: 100-continue\r\n", b"Content-Length: 3\r\n"))
    assert head(peer) == b"HTTP/1.1 100 Continue\r\n\r\n"

    peer.sendall(b"abc")

    assert head(peer).startswith(b"HTTP/1.1 200 OK\r\n")
    assert stored(peer, persidict_bucket) == b"abc"


def test_one_connection_serves_request_after_request(
    peer: socket.socket, persidict_bucket: str
) -> None:
    request = put(persidict_bucket, b"Content-Length: 1\r\n", body=b"x")
    peer.sendall(b"\r\n" + request + request)

    assert [head(peer)[:15] for _ in range(2)] == [b"HTTP/1.1 200 OK"] * 2


def test_a_client_that_wants_no_more_is_told_so(peer: socket.socket, persidict_bucket: str) -> None:
    peer.sendall(put(persidict_bucket, b"Connection: close\r\n"))

    assert b"\r\nConnection: close\r\n" in head(peer)
    assert peer.recv(1) == b""


def test_repeated_headers_are_one(peer: socket.socket, persidict_bucket: str) -> None:
    peer.sendall(put(persidict_bucket, b"x-amz-meta-a: 1\r\n", b"X-Amz-Meta-A: 2\r\n"))
    head(peer)
    peer.sendall(put(persidict_bucket).replace(b"PUT", b"HEAD"))

    assert b"\r\nx-amz-meta-a: 1,2\r\n" in head(peer)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 201 + b"\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
    ],
)
def test_nonsense_ends_the_connection_and_no_other(
    nonsense: bytes, peer: socket.socket, persidict_server: EmbeddedS3
) -> None:
    peer.sendall(nonsense)

    assert head(peer).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    persidict_server.create_bucket()


def test_a_body_cut_short_is_not_applied(
    peer: socket.socket, persidict_bucket: str, persidict_server: EmbeddedS3
) -> None:
    peer.sendall(put(persidict_bucket, b"Content-Length: 10\r\n", body=b"half"))
    peer.shutdown(socket.SHUT_WR)
    head(peer)

    client = persidict_server.client()
    assert client.list_objects_v2(Bucket=persidict_bucket)["KeyCount"] == 0
    client.close()


def test_unknown_commands_are_refused(peer: socket.socket) -> None:
    peer.sendall(b"POST /_persidict/no-such-command HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert head(peer).startswith(b"HTTP/1.1 404 Not Found\r\n")
