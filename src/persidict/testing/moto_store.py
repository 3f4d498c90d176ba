"""moto's S3, called as the WSGI application that it is, without a server of its own."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from persidict.testing.messages import Answer, Request, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_METADATA = "x-amz-meta-"


def moto_store() -> Store:
    """A fresh call of moto for every request; atomic only behind a lock (moto checks, then writes).

    The state of moto belongs to the process, so there is one such store per process.
    """
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"
    from moto.moto_server.werkzeug_app import create_backend_app

    application = create_backend_app("s3")
    application.debug = False
    application.config["PROPAGATE_EXCEPTIONS"] = True
    return lambda request: _call(application, request=request)


def _call(application: Callable[..., Iterable[bytes]], *, request: Request) -> Answer:
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        started.append((status, headers))

    answered = application(_environ(request), start_response)
    try:
        body = b"".join(answered)
    finally:
        close = getattr(answered, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Answer(int(status.split()[0]), tuple(headers), body)


def _environ(request: Request) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    underscored: dict[str, str] = {}
    for name, value in request.headers.items():
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = value
        if "_" in name and name.startswith(_METADATA):
            underscored[key] = name
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(len(request.body))
    # WSGI folds "_" and "-" of header names into one; moto looks up here what was really sent.
    environ["moto.preserved_header_names"] = underscored
    return environ
