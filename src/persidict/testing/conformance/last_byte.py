"""Races of S3 requests whose last bytes are sent together, as closely as one machine can."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from persidict.exceptions import BackendError
from persidict.persi_dict import PersiDict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TIMEOUT: Final = 20.0
_BODY: Final = b"1"
_CREATED: Final = range(200, 300)


class LastByte:
    """Racers that have sent all of a request but its last byte, and wait for one another.

    Args:
        client: Signs the requests.
        bucket: Where the objects are.
        prefix: What their names begin with.
        suffix: What they end with.
        racers: How many at a time.
    """

    def __init__(
        self, client: S3Client, *, bucket: str, prefix: str, suffix: str, racers: int
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._name = f"{prefix}{{}}{suffix}"
        self._racers = racers

    @classmethod
    def of(cls, d: PersiDict[Any], *, racers: int) -> LastByte | None:
        """Over the store of a dictionary, if that is one of S3's kind."""
        client, bucket = getattr(d, "s3_client", None), getattr(d, "bucket_name", None)
        if client is None or bucket is None:
            return None
        suffix = f".{d.serialization_format}"
        return cls(client, bucket=bucket, prefix=d.root_prefix, suffix=suffix, racers=racers)

    def creates(self, rounds: int) -> Iterator[int]:
        """For each round how many have created the same object."""
        yield from self._rounds("created", rounds, lambda _: {"IfNoneMatch": "*"})

    def replaces(self, rounds: int) -> Iterator[int]:
        """For each round how many have replaced the same version."""
        is_quoted = True

        def condition(name: str) -> dict[str, str]:
            etag = self._client.put_object(Bucket=self._bucket, Key=name, Body=b"0")["ETag"]
            return {"IfMatch": etag if is_quoted else etag.strip('"')}

        for number, winners in enumerate(self._rounds("replaced", rounds, condition)):
            if number == 0 and winners == 0:
                # Some stores compare only unquoted etags.
                is_quoted = False
                continue
            yield winners

    def _rounds(
        self, kind: str, rounds: int, condition: Callable[[str], Mapping[str, str]]
    ) -> Iterator[int]:
        together = threading.Barrier(self._racers)
        with ExitStack() as stack, ThreadPoolExecutor(self._racers) as pool:
            connections: list[http.client.HTTPConnection] = []
            for number in range(rounds):
                name = self._name.format(f"{kind}-{number}")
                arguments = condition(name)
                url = urlsplit(self._sign(name, arguments))
                while len(connections) < self._racers:
                    connections.append(stack.enter_context(closing(_connect(url))))
                headers = _headers(arguments)
                statuses = pool.map(
                    lambda connection, url=url, headers=headers: _put(
                        connection, url, headers, together
                    ),
                    connections,
                )
                yield sum(status in _CREATED for status in statuses)

    def _sign(self, name: str, arguments: Mapping[str, str]) -> str:
        parameters = {"Bucket": self._bucket, "Key": name, **arguments}
        return self._client.generate_presigned_url("put_object", Params=parameters)


def _headers(arguments: Mapping[str, str]) -> Mapping[str, str]:
    names = {"IfNoneMatch": "If-None-Match", "IfMatch": "If-Match"}
    return {names[argument]: value for argument, value in arguments.items()}


def _connect(url: SplitResult) -> http.client.HTTPConnection:
    if url.scheme == "https":
        return http.client.HTTPSConnection(
            url.netloc, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)


def _put(
    connection: http.client.HTTPConnection,
    url: SplitResult,
    headers: Mapping[str, str],
    together: threading.Barrier,
) -> int:
    try:
        connection.putrequest("PUT", f"{url.path}?{url.query}", skip_accept_encoding=True)
        for name, value in {**headers, "Content-Length": str(len(_BODY))}.items():
            connection.putheader(name, value)
        connection.endheaders()
        together.wait(TIMEOUT)
        connection.send(_BODY)
        with connection.getresponse() as response:
            response.read()
            return response.status
    except (OSError, http.client.HTTPException, threading.BrokenBarrierError) as error:
        together.abort()
        raise BackendError(
            f"a race was broken off: {type(error).__name__}",
            backend="S3",
            operation="put",
            key=None,
        ) from error
