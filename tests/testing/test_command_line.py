"""How commands end when they are interrupted, and when nobody reads what they write."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from persidict.testing.command_line import status_of

ROOT = Path(__file__).parents[2]
CHECK = [sys.executable, "-m", "persidict.testing.conformance"]
SCENARIOS = [sys.executable, "-m", "scenarios"]
RUN = ["run", "claim-race", "--workers=3", "--tasks=6", "--store=sqlite:"]


@contextmanager
def begun(command, **streams):
    """A command in a process of its own, whose output is buffered as it is by default."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def check(persidict_bucket, persidict_server, monkeypatch):
    """Begins a conformance check; by then it has found the first of many things."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    address = f"s3://{persidict_bucket}?endpoint_url={persidict_server.endpoint_url}"

    @contextmanager
    def begin(*, rounds):
        command = [*CHECK, f"{address}&region=us-east-1", f"--rounds={rounds}"]
        with begun(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout.readline().startswith("ok")
            yield process

    return begin


@pytest.fixture
def left(persidict_s3_client, persidict_bucket):
    """How many objects are in the bucket."""
    return lambda: persidict_s3_client.list_objects_v2(Bucket=persidict_bucket)["KeyCount"]


@pytest.fixture
def unread():
    """The end to write to of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_a_check_that_is_interrupted(check, left):
    with check(rounds=1_000_000) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        assert process.stderr.read() == "interrupted\n"
    assert left() == 0


def test_a_check_that_nobody_reads_on(check, left):
    with check(rounds=50) as process:
        process.stdout.close()
        assert process.wait() == 2
        assert process.stderr.read() == ""
    assert left() == 0


@pytest.mark.parametrize(
    "command", [[*CHECK, "--help"], [*SCENARIOS, "list"], [*SCENARIOS, "--help"]]
)
def test_a_command_of_which_nobody_reads_a_line(command, unread):
    with begun(command, stdout=unread, stderr=subprocess.PIPE) as process:
        assert process.wait() == 2
        assert process.stderr.read() == ""


@pytest.mark.parametrize("command", [[*CHECK, "jobs"], [*SCENARIOS, *RUN]])
def test_a_command_of_which_nobody_reads_errors_either(command, unread):
    with begun(command, stdout=unread, stderr=unread) as process:
        assert process.wait() == 2


def test_a_command_that_ends_by_itself_has_its_own_status():
    assert status_of(lambda: 7) == 7
    with pytest.raises(SystemExit, match="3"):
        status_of(lambda: sys.exit(3))


def test_what_its_output_cannot_show_is_written_as_escapes(monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    script = (
        "from persidict.testing.command_line import status_of as s; s(lambda: print('\\ud800…'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\\ud800\\u2026\n"
