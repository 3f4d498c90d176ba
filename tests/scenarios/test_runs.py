"""Real runs: real processes, real signals, real stores."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from persidict.testing import EmbeddedS3
from scenarios.cli import main
from scenarios.conduct import Run
from scenarios.journal import read_journal
from scenarios.options import Options
from scenarios.screen import Screen
from tests.scenarios.programs import first_crashes, hang, others_come_late, scenario

SMALL = ["--workers", "3", "--tasks", "20"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    def run(*arguments):
        path = tmp_path / "result.json"
        status = main(["run", "claim-race", *SMALL, "--json", str(path), *arguments])
        return status, json.loads(path.read_text())

    return run


def total(by_status):
    return sum(by_status.values())


@pytest.mark.parametrize("seed", ["1", "2"])
@pytest.mark.parametrize("store", ["sqlite:", "embedded"])
def test_every_task_is_run_at_most_once(run, store, seed, capsys):
    status, result = run("--store", store, "--seed", seed)
    assert (status, result["verdict"], result["violations"]) == (0, "pass", [])
    assert (result["scenario"], result["store"], result["workers"]) == ("claim-race", store, 3)
    assert (result["seed"], result["tasks"]) == (int(seed), 20)
    assert result["claimed"] == 20
    assert result["contested"] > 0
    assert result["faults"]["killed"]["task"] in result["orphaned"]
    assert result["faults"]["continued"] is True
    assert result["seconds"] > 0
    assert "PASS" in capsys.readouterr().out


@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
def test_read_then_write_is_convicted(run, seed, capsys):
    status, result = run("--store", "sqlite:", "--seed", seed, "--unsafe")
    assert (status, result["verdict"]) == (1, "fail")
    shown = capsys.readouterr().out
    run_twice = [text for text in result["violations"] if " was run " in text]
    assert run_twice
    for text in run_twice:
        assert text in shown


def test_read_then_write_is_convicted_over_s3(run):
    status, result = run("--store", "embedded", "--unsafe")
    assert status == 1
    assert any(" was run " in text for text in result["violations"])


def test_over_any_s3_endpoint_with_every_request_counted_and_no_secret_shown(run, capsys):
    with EmbeddedS3() as server:
        url = (
            f"s3://jobs/a?endpoint_url={server.endpoint_url}&region=us-east-1"
            "&create_bucket=true&aws_access_key_id=AKIASECRET&aws_secret_access_key=HUSHHUSH"
        )
        status, result = run("--store", url, "--tasks", "60")
        served = server.control.log(with_entries=False).counts
        names = [item["Key"] for item in server.client().list_objects_v2(Bucket="jobs")["Contents"]]
    assert status == 0
    assert total(result["requests"]["PUT"]) == total(served["PUT"])
    dropped = result["faults"]["answers_dropped"]
    assert result["requests"]["PUT"]["no answer"] == dropped["applied"] + dropped["refused"]
    assert all(name.startswith(f"{result['prefix']}/task-") for name in names)
    assert len(names) == 60
    shown = capsys.readouterr()
    for text in (json.dumps(result), shown.out, shown.err):
        assert "SECRET" not in text
        assert "HUSH" not in text


def test_the_embedded_server_drops_answers_and_each_is_seen_by_a_worker(run):
    status, result = run("--tasks", "100")
    assert status == 0
    dropped = result["faults"]["answers_dropped"]
    assert dropped["applied"] + dropped["refused"] > 0
    assert result["requests"]["PUT"]["no answer"] == dropped["applied"] + dropped["refused"]


def test_calls_of_the_dictionary_are_counted_where_there_are_no_requests(run):
    _, result = run("--store", "sqlite:")
    assert result["requests_are"] == "calls of the dictionary"
    assert result["requests"]["setdefault_if"]["won"] == 20
    assert result["estimated_cost_usd"] == 0
    assert result["faults"]["answers_dropped"] is None


def test_the_logs_are_kept_where_asked(run, tmp_path):
    _, result = run("--store", "sqlite:", "--logs", str(tmp_path / "logs"))
    folder = Path(result["logs"])
    assert folder.parent == tmp_path / "logs"
    events = [
        event
        for worker in ("w1", "w2", "w3")
        for event in read_journal(folder / f"{worker}.jsonl", worker=worker)
    ]
    assert sum(event.fields.get("value") is True for event in events) == 20


@pytest.mark.parametrize("arguments", [["--seed", "1"], ["--seed", "1", "--unsafe"]])
def test_nothing_temporary_is_left_behind(run, arguments, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    _, result = run("--store", "sqlite:", *arguments)
    assert result["logs"] is None
    assert [*folder.iterdir()] == []


def report_of(program, tmp_path, *, unsafe=False, clock=time.monotonic):
    with (tmp_path / "screen").open("w") as stream:
        options = Options(
            workers=3, tasks=20, store="sqlite:", unsafe=unsafe, logs=tmp_path / "logs"
        )
        return Run(scenario(program), options, screen=Screen(stream), clock=clock).report()


def test_unsafe_workers_are_made_to_meet_between_read_and_write(tmp_path):
    report = report_of(others_come_late, tmp_path, unsafe=True)
    logs = [
        read_journal(Path(report.logs) / f"w{number}.jsonl", worker=f"w{number}")
        for number in (1, 2, 3)
    ]
    ran = [events[0].actor for events in logs if any(event.name == "run" for event in events)]
    assert "w1" in ran
    assert len(ran) >= 2


def test_a_worker_that_crashes_is_a_violation_with_its_traceback(tmp_path):
    report = report_of(first_crashes, tmp_path)
    (text,) = report.violations
    assert text.startswith("w1 crashed:\nTraceback")
    assert text.endswith("RuntimeError: a bug of its own")
    assert any("a bug of its own" in line[0].text for line in report.summary() if line)


def test_workers_that_hang_are_ended_and_reported(tmp_path):
    hours = itertools.count()

    def clock():
        """Stands still until all three hang, and then an hour passes with every look at it."""
        logs = [*tmp_path.glob("logs/*/w*.jsonl")]
        all_hang = sum(b'"run"' in log.read_bytes() for log in logs) == 3
        return 3600.0 * next(hours) if all_hang else 0.0

    report = report_of(hang, tmp_path, clock=clock)
    assert list(report.violations[:3]) == [
        f"w{number} hung and was ended; the last that it logged was 'run' of t"
        for number in (1, 2, 3)
    ]


@pytest.fixture
def long_run(tmp_path):
    """A run in a process of its own, when its workers are at work and one has been killed."""
    result, logs = tmp_path / "result.json", tmp_path / "logs"
    command = [sys.executable, "-m", "scenarios", "run", "claim-race", "--workers", "3"]
    # Its plan kills early: in heat 5 of 4,000.
    command += ["--seed", "109", "--tasks", "4000", "--store", "sqlite:", "--json", str(result)]
    with subprocess.Popen(
        [*command, "--logs", str(logs)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        next(line for line in lines if "(SIGKILL)" in line)
        pids = [read_journal(path, worker=path.stem)[0]["pid"] for path in logs.glob("*/w*.jsonl")]
        yield process, pids, lines, result
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_workers_and_says_so(long_run, number):
    process, pids, lines, result = long_run
    process.send_signal(number)
    assert "INTERRUPTED" in "".join(lines)
    assert process.wait() == 130
    written = json.loads(result.read_text())
    assert (written["verdict"], written["interrupted"]) == ("fail", True)
    assert len(pids) == 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_do_not_outlive_a_parent_that_is_killed(long_run):
    process, pids, _, _ = long_run
    ends = [os.pidfd_open(pid) for pid in pids if Path(f"/proc/{pid}").exists()]
    assert len(ends) >= 2
    process.kill()
    for end in ends:
        assert select.select([end], [], [], 60.0)[0] == [end]
        os.close(end)
