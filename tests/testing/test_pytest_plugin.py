"""The plugin, in pytest sessions of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    def run_tests(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyprojecttoml("[tool.pytest.ini_options]\nfilterwarnings = ['error']\n")
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess(*arguments)

    return run_tests


def test_unused_it_imports_nothing_heavy(run: Run) -> None:
    result = run(
        """
        import sys

        def test_nothing():
            assert "persidict.testing.pytest_plugin" in sys.modules
            assert "moto" not in sys.modules
            assert "flask" not in sys.modules
            assert "werkzeug" not in sys.modules
        """,
        "-p",
        "no:xdist",
    )

    result.assert_outcomes(passed=1)


def test_each_test_has_a_fresh_bucket_and_a_store_over_it_on_one_server(run: Run) -> None:
    result = run(
        """
        import pytest

        endpoints, buckets = set(), set()

        @pytest.mark.parametrize("number", range(2))
        def test_bucket(number, persidict_server, persidict_s3_client, persidict_bucket):
            endpoints.add(persidict_server.endpoint_url)
            buckets.add(persidict_bucket)
            assert persidict_s3_client.list_objects_v2(Bucket=persidict_bucket)["KeyCount"] == 0
            persidict_s3_client.put_object(Bucket=persidict_bucket, Key="key", Body=b"")

        def test_both():
            assert (len(endpoints), len(buckets)) == (1, 2)

        def test_store(persidict_store, persidict_s3_client, persidict_bucket):
            persidict_store["key"] = [1, 2]

            assert persidict_store["key"] == [1, 2]
            listed = persidict_s3_client.list_objects_v2(Bucket=persidict_bucket)["Contents"]
            assert [entry["Key"] for entry in listed] == ["key.json"]
        """
    )

    result.assert_outcomes(passed=4)


def test_faults_and_workers_are_gone_after_a_test_that_failed(run: Run, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    result = run(
        f"""
        import pathlib
        import signal

        from persidict.testing import FaultKind, FaultRule, StoreDialect

        def test_fails_with_faults(persidict_faults):
            persidict_faults.set_faults(FaultRule(kind=FaultKind.DROP_REQUEST))
            persidict_faults.set_dialect(StoreDialect(metadata="dropped"))
            assert False

        def test_is_served(persidict_s3_client, persidict_bucket):
            where = {{"Bucket": persidict_bucket, "Key": "key"}}
            persidict_s3_client.put_object(Body=b"", Metadata={{"a": "b"}}, **where)
            assert persidict_s3_client.head_object(**where)["Metadata"] == {{"a": "b"}}

        def test_fails_with_workers(persidict_workers):
            workers = [persidict_workers.spawn(signal.pause) for _ in range(2)]
            for worker in workers:
                worker.freeze()
            pathlib.Path({str(pids)!r}).write_text(" ".join(str(worker.pid) for worker in workers))
            workers[0].kill()
            workers[1].result(timeout=0.1)
        """
    )

    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*WorkerHungError: worker-1 had no result after 0.1 s*"])
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.read_text().split())


def test_each_xdist_worker_has_a_server_of_its_own(run: Run, tmp_path: Path) -> None:
    result = run(
        f"""
        import pathlib

        def test_server(persidict_server, worker_id):
            pathlib.Path({str(tmp_path)!r}, worker_id).write_text(f"{{persidict_server.pid}}")
        """,
        "-n2",
        "--dist=each",
    )

    result.assert_outcomes(passed=2)
    pids = {(tmp_path / worker).read_text() for worker in ("gw0", "gw1")}
    assert len(pids) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
