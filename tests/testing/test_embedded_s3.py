"""The embedded server's life: how it starts, whom it serves, and that it never outlives anybody."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

import persidict.testing
from persidict.testing import EmbeddedS3, ServerStartError
from persidict.testing.server import main
from tests.stores.forking import in_forked_child

if TYPE_CHECKING:
    from persidict.testing import Workers

SOURCES = Path(persidict.testing.__file__).parents[2]


def await_end(pid: int) -> None:
    """Wait until a process that is no child of ours has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            assert selector.select(timeout=60), f"process {pid} is still alive"
    finally:
        os.close(descriptor)


def test_it_serves_what_was_put() -> None:
    with EmbeddedS3() as server, closing(server.client()) as client:
        bucket = server.create_bucket()
        client.put_object(Bucket=bucket, Key="key", Body=b"value")

        assert client.get_object(Bucket=bucket, Key="key")["Body"].read() == b"value"


def test_clients_go_through_no_proxy(
    monkeypatch: pytest.MonkeyPatch, persidict_server: EmbeddedS3, persidict_bucket: str
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with closing(persidict_server.client()) as client:
        client.head_bucket(Bucket=persidict_bucket)


def test_two_servers_share_nothing() -> None:
    with EmbeddedS3() as one, EmbeddedS3() as other, closing(other.client()) as client:
        one.create_bucket("bucket-of-one")

        assert one.endpoint_url != other.endpoint_url
        assert client.list_buckets()["Buckets"] == []


def test_buckets_have_fresh_names(persidict_server: EmbeddedS3) -> None:
    assert persidict_server.create_bucket() != persidict_server.create_bucket()


def test_stopping_and_starting_are_idempotent() -> None:
    server = EmbeddedS3()
    server.stop()
    with server:
        pid = server.pid
        assert server.start().pid == pid
        server.stop()
        await_end(pid)
    server.stop()

    assert "not running" in repr(server)
    for attribute in ("endpoint_url", "control", "pid"):
        with pytest.raises(RuntimeError, match="not running"):
            getattr(server, attribute)


def test_a_frozen_server_is_stopped_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persidict.testing.embedded_s3._STOP_TIMEOUT", 0.1)
    with EmbeddedS3() as server:
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)

    await_end(pid)


def serve_until_killed(announce: str) -> None:
    server = EmbeddedS3().start()
    Path(announce).write_text(f"{server.pid}")
    os.kill(os.getpid(), signal.SIGKILL)


def test_it_ends_with_a_parent_that_is_killed(persidict_workers: Workers, tmp_path: Path) -> None:
    announce = tmp_path / "pid"
    parent = persidict_workers.spawn(serve_until_killed, str(announce))

    with pytest.raises(persidict.testing.WorkerDiedError):
        parent.result()

    await_end(int(announce.read_text()))


def test_a_forked_child_does_not_keep_it_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it end with the child."""
    kill = Mock()
    monkeypatch.setattr("subprocess.Popen.kill", kill)
    ready, forked = os.pipe()
    gone, go = os.pipe()

    def live() -> int:
        os.write(forked, b".")
        return len(os.read(gone, 1))

    with ThreadPoolExecutor(1) as pool:
        with EmbeddedS3() as server:
            child = pool.submit(in_forked_child, live)
            assert os.read(ready, 1) == b"."
            in_forked_child(server.stop)
            assert server.create_bucket()
            pid = server.pid

        os.write(go, b".")
        assert child.result(20.0) == 1
    for end in (ready, forked, gone, go):
        os.close(end)
    await_end(pid)
    kill.assert_not_called()


def test_it_listens_on_loopback_only(persidict_server: EmbeddedS3) -> None:
    port = int(persidict_server.endpoint_url.rpartition(":")[2])

    assert listening_addresses(port) == {"0100007F"}


def listening_addresses(port: int) -> set[str]:
    """The local addresses, in the kernel's hexadecimal, on which anybody listens to `port`."""
    lines = [
        line.split()
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    ]
    local = [fields[1].split(":") for fields in lines if fields[3] == "0A"]
    return {address for address, hexadecimal in local if int(hexadecimal, 16) == port}


def test_a_connection_serves_one_request_after_the_other(persidict_server: EmbeddedS3) -> None:
    host, port = persidict_server.endpoint_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as peer:
        for _ in range(2):
            peer.sendall(b"HEAD /absent HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert peer.recv(65_536).startswith(b"HTTP/1.1 404 ")


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moto.py").write_text("raise ModuleNotFoundError(\"No module named 'moto'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(ServerStartError, match=r"pip install 'persidict-sync\[testing\]'"):
        EmbeddedS3().start()


def test_a_server_that_dies_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "moto.py").write_text("raise RuntimeError('moto is out of order')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(ServerStartError, match="moto is out of order"):
        EmbeddedS3().start()


def test_a_server_that_does_not_start_in_time_is_killed() -> None:
    server = EmbeddedS3(start_timeout=0.0)

    with pytest.raises(ServerStartError, match="did not start in time"):
        server.start()

    assert "not running" in repr(server)


def test_a_refused_option_is_reported() -> None:
    with pytest.raises(ServerStartError, match="switch-interval"):
        EmbeddedS3(switch_interval="soon").start()  # type: ignore[arg-type]


def test_the_module_is_a_program() -> None:
    program = subprocess.run(
        [sys.executable, "-m", "persidict.testing.server"],
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert program.stdout.startswith(b'{"port": ')
    assert program.stderr == b""


def test_unknown_options_end_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--listen-to-everybody"])

    assert "--listen-to-everybody" in capsys.readouterr().err


def test_neither_server_nor_plugin_import_anything_heavy() -> None:
    code = (
        "import sys, persidict; before = set(sys.modules); "
        "import persidict.testing, persidict.testing.pytest_plugin; "
        "print(*(name.partition('.')[0] for name in set(sys.modules) - before))"
    )
    program = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        timeout=60,
        check=True,
        text=True,
    )
    imported = set(program.stdout.split())

    assert imported.isdisjoint({"moto", "flask", "werkzeug", "boto3", "botocore", "hypothesis"})
    assert "persidict" in imported
