"""HTTP/1.1 on one kept connection, with every way in which a network may spoil an answer."""

from __future__ import annotations

import contextlib
import socket
import struct
from email.utils import formatdate
from typing import Final

from persidict.testing.messages import Answer, Request, reason

_MAX_LINE: Final = 65_536
_MAX_HEADERS: Final = 200
_LINGER_0: Final = struct.pack("ii", 1, 0)


class BadRequestError(Exception):
    """What came over the connection is no HTTP/1.1 request that can be answered."""


class Connection:
    """One client's connection: reads requests, sends answers whole or spoilt."""

    def __init__(self, peer: socket.socket) -> None:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = peer
        self._reader = peer.makefile("rb", buffering=_MAX_LINE)
        self.wants_close = False

    def receive(self) -> Request | None:
        """The next request; None when the client has closed the connection."""
        line = self._line()
        while line in (b"\r\n", b"\n"):
            line = self._line()
        if not line:
            return None
        try:
            method, target, version = line.decode("latin-1").split()
        except ValueError:
            raise BadRequestError(f"no request line: {line[:80]!r}") from None
        headers = self._headers()
        asked = headers.get("connection", "").lower()
        self.wants_close = asked == "close" or (version == "HTTP/1.0" and asked != "keep-alive")
        if headers.get("expect", "").lower() == "100-continue":
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Request(method, target, headers, self._body(headers))

    def send(self, answer: Answer, *, request: Request) -> None:
        """Send the answer whole."""
        self._socket.sendall(self._render(answer, request=request))

    def send_bytes(self, data: bytes) -> None:
        """Send a part of an answer, at once."""
        self._socket.sendall(data)

    def send_half(self, answer: Answer, *, request: Request) -> None:
        """Send half of the body, or half of the status line of an answer that has no body."""
        whole = self._render(answer, request=request)
        head = whole.index(b"\r\n\r\n") + 4
        half = head + (len(whole) - head) // 2 if len(whole) > head else whole.index(b"\r\n") // 2
        self._socket.sendall(whole[:half])

    def split(self, answer: Answer, *, request: Request) -> list[bytes]:
        """The bytes of the answer, one by one."""
        whole = self._render(answer, request=request)
        return [whole[at : at + 1] for at in range(len(whole))]

    def refuse(self, error: BadRequestError) -> None:
        """Say what was wrong with the request, if the client still listens."""
        body = f"{error}\n".encode()
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(body)}\r\nConnection: close"
        with contextlib.suppress(OSError):
            self._socket.sendall(f"{head}\r\n\r\n".encode() + body)

    def hold(self) -> None:
        """Answer nothing until the client gives up or `let_go` is called."""
        with contextlib.suppress(OSError):
            while self._socket.recv(_MAX_LINE):
                pass

    def let_go(self) -> None:
        """End a `hold` from another thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Close so that the client sees a reset instead of an orderly end."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)

    def close(self) -> None:
        """Close the connection, after `reset` with a reset."""
        self._reader.close()
        self._socket.close()

    def _line(self) -> bytes:
        line: bytes = self._reader.readline(_MAX_LINE + 1)
        if len(line) > _MAX_LINE:
            raise BadRequestError("a line of the request is too long")
        return line

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MAX_HEADERS):
            line = self._line()
            if line in (b"\r\n", b"\n"):
                return headers
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise BadRequestError(f"no header line: {line[:80]!r}")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        raise BadRequestError(f"more than {_MAX_HEADERS} headers")

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        return self._exactly(_size(headers.get("content-length") or "0", base=10))

    def _chunks(self) -> bytes:
        chunks = []
        while size := _size(self._line().partition(b";")[0].decode("latin-1"), base=16):
            chunks.append(self._exactly(size))
            self._line()
        while self._line() not in (b"\r\n", b"\n", b""):
            pass
        return b"".join(chunks)

    def _exactly(self, size: int) -> bytes:
        data: bytes = self._reader.read(size)
        if len(data) < size:
            raise BadRequestError(f"the body ended after {len(data)} of {size} bytes")
        return data

    def _render(self, answer: Answer, *, request: Request) -> bytes:
        lines = [f"HTTP/1.1 {answer.status} {reason(answer.status)}"]
        lines += [
            f"{name}: {value}"
            for name, value in answer.headers
            if name.lower() not in ("connection", "content-length", "date")
        ]
        body = answer.body if answer.has_body_for(request) else b""
        length = answer.header("content-length") if request.method == "HEAD" else str(len(body))
        if answer.status not in (204, 304):
            lines.append(f"Content-Length: {length or 0}")
        lines.append(f"Date: {formatdate(usegmt=True)}")
        if self.wants_close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def _size(text: str, *, base: int) -> int:
    try:
        size = int(text, base)
    except ValueError:
        size = -1
    if size < 0:
        raise BadRequestError(f"no size: {text[:80]!r}")
    return size
