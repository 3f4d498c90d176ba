"""The embedded S3 server, started and stopped from the process that tests with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

from persidict.testing.client import s3_client
from persidict.testing.control import ServerControl
from persidict.testing.racers import HOLD_SECONDS

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_s3 import S3Client

_STOP_TIMEOUT: Final = 5.0


class ServerStartError(RuntimeError):
    """The embedded server did not start; the text says why, with the server's own output."""


class EmbeddedS3:
    """An S3 server in a process of its own, over real HTTP on the loopback interface.

    Guarantee: each request is one atomic step (unless `serialised=False`), and the server ends
    with this process, however that ends. Not guaranteed: that objects survive the server, that
    credentials are checked, or that anybody on this machine is kept out.

    Args:
        serialised: Run one request at a time. False serves moto as it is, where two of several
            racing creates may both succeed: for tests of what finds such a store out.
        switch_interval: Seconds between switches of the server's threads; None: Python's own.
            A short one (1e-5) makes the races of `serialised=False` frequent.
        hold_racers: Hold every PUT after moto's check and before its write until so many are
            there, which makes the races of `serialised=False` certain, as long as all of them come
            within `hold_seconds`.
        hold_seconds: For how long a PUT is held at most; each that comes alone is.
        start_timeout: Seconds that the server may take to start.

    Example:
        >>> with EmbeddedS3() as server:
        ...     bucket = server.create_bucket()
        ...     client = server.client()
        ...     etag = client.put_object(Bucket=bucket, Key="k", Body=b"v")["ETag"]
        ...     client.get_object(Bucket=bucket, Key="k")["Body"].read()
        b'v'
    """

    def __init__(
        self,
        *,
        serialised: bool = True,
        switch_interval: float | None = None,
        hold_racers: int | None = None,
        hold_seconds: float = HOLD_SECONDS,
        start_timeout: float = 60.0,
    ) -> None:
        self._options = [] if serialised else ["--bare"]
        if switch_interval is not None:
            self._options += ["--switch-interval", str(switch_interval)]
        if hold_racers is not None:
            self._options += ["--hold-racers", str(hold_racers)]
            self._options += ["--hold-seconds", str(hold_seconds)]
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._control: ServerControl | None = None
        _servers.add(self)

    def __repr__(self) -> str:
        where = self._control.endpoint_url if self._control else "not running"
        return f"<EmbeddedS3 {where}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start the server, unless it is running.

        Raises:
            ServerStartError: It did not start.
        """
        if self._process is not None:
            return self
        with tempfile.TemporaryFile() as errors:
            self._process = _spawn(self._options, errors=errors)
            line = self._first_line()
            if "port" not in line:
                self.stop()
                errors.seek(0)
                output = errors.read().decode(errors="replace").strip()
                raise ServerStartError(_explain(line, output=output))
        self._control = ServerControl(f"http://127.0.0.1:{line['port']}")
        return self

    def stop(self) -> None:
        """Stop the server, unless it is stopped; what it stored is gone."""
        process, self._process, self._control = self._process, None, None
        if process is None:
            return
        with process:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()

    @property
    def control(self) -> ServerControl:
        """Faults, dialect and log of the running server.

        Raises:
            RuntimeError: The server is not running.
        """
        if self._control is None:
            raise RuntimeError("the embedded server is not running: call start(), or use `with`")
        return self._control

    @property
    def endpoint_url(self) -> str:
        """Where the running server listens: `http://127.0.0.1:<port>`."""
        return self.control.endpoint_url

    @property
    def pid(self) -> int:
        """The process of the running server."""
        if self._process is None:
            raise RuntimeError("the embedded server is not running: call start(), or use `with`")
        return self._process.pid

    def client(self, **config: Any) -> S3Client:
        """A boto3 client of the running server; `config` as for `botocore.config.Config`."""
        return s3_client(self.endpoint_url, **config)

    def create_bucket(self, name: str | None = None) -> str:
        """Create a bucket, by default of a name that nobody else uses; its name."""
        return self.control.create_bucket(name)

    def forget_inherited(self) -> None:
        """Have the server end with the parent of this forked child, and not with the child."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _first_line(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        timer = threading.Timer(self._start_timeout, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        try:
            return dict(json.loads(line))
        except ValueError:
            return {}


_servers: weakref.WeakSet[EmbeddedS3] = weakref.WeakSet()


def _after_fork() -> None:
    for server in list(_servers):
        server.forget_inherited()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _spawn(options: list[str], *, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    package_root = str(Path(__file__).parents[2])
    code = (
        f"import sys; sys.path.append({package_root!r}); "
        "from persidict.testing.server import main; sys.exit(main())"
    )
    # moto's own warnings are nobody's concern, and may be errors by the environment.
    # A session of its own: Ctrl-C in the terminal is for the test process, which then stops it.
    return subprocess.Popen(  # noqa: S603 - the interpreter itself, and options from above
        [sys.executable, "-W", "ignore", "-c", code, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
    )


def _explain(line: dict[str, Any], *, output: str) -> str:
    if "error" in line:
        return f"the embedded S3 server cannot start: {line['error']}"
    return (
        "the embedded S3 server did not start in time, or died; its output was:\n"
        f"{output or '(nothing)'}"
    )
