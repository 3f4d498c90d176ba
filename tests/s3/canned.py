"""A loopback HTTP server that answers what a function says, for answers that no store gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Asked:
    """One request, and the client's side of the connection that it came over."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    port: int


@dataclass(frozen=True)
class Answered:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str) -> Answered:
    """An error as S3 words it."""
    return Answered(status, f"<Error><Code>{code}</Code><Message>-</Message></Error>".encode())


class CannedServer:
    """Answers requests by `answer`, from threads, on kept connections."""

    def __init__(self, answer: Callable[[Asked], Answered]) -> None:
        self.asked: list[Asked] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Asked(self.command, self.path, self.headers, body, self.client_address[1])
                asked.append(request)
                answered = answer(request)
                lines = [
                    f"HTTP/1.1 {answered.status} -",
                    f"Content-Length: {len(answered.body)}",
                    *(f"{name}: {value}" for name, value in answered.headers.items()),
                ]
                head = "\r\n".join([*lines, "", ""]).encode()
                # In one piece: two would wait for the acknowledgement of the first.
                self.wfile.write(head + (b"" if self.command == "HEAD" else answered.body))

            def log_message(self, *_: Any) -> None:
                pass

        for method in ("GET", "HEAD", "PUT", "DELETE", "POST"):
            setattr(Handler, f"do_{method}", Handler._handle)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"
