"""Real runs of the scenarios about one record that all change: processes, signals, stores."""

from __future__ import annotations

import json

import pytest

from scenarios.cli import main

NAMES = ["counter-race", "config-cas"]


@pytest.fixture
def run(tmp_path):
    def run(name, *arguments, workers="3", tasks="20"):
        path = tmp_path / "result.json"
        size = ["--workers", workers, "--tasks", tasks, "--json", str(path)]
        status = main(["run", name, *size, *arguments])
        return status, json.loads(path.read_text())

    return run


@pytest.mark.parametrize(("store", "seeds"), [("sqlite:", "12"), ("embedded", "3")])
@pytest.mark.parametrize("name", NAMES)
def test_every_update_is_applied_exactly_once(run, name, store, seeds, capsys):
    for seed in seeds:
        status, result = run(name, "--store", store, "--seed", seed)
        assert (status, result["verdict"], result["violations"]) == (0, "pass", [])
        last = result.get("total", result["generation"])
        assert last == result["generation"]
        # 20 heats; two workers take part in all of them, and one is killed in the first third.
        assert 40 < result["acknowledged"] <= last <= result["acknowledged"] + 1 < 60
        assert result["faults"]["killed"] is not None
        assert result["faults"]["continued"] is True
        assert "PASS" in capsys.readouterr().out


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_read_then_write_loses_additions(run, seed, capsys):
    status, result = run("counter-race", "--store", "sqlite:", "--seed", seed, "--unsafe")
    assert (status, result["verdict"]) == (1, "fail")
    assert any(" was told " in text for text in result["violations"])
    assert f"adds are lost: total {result['total']}" in capsys.readouterr().out


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_get_then_set_loses_changes(run, seed, capsys):
    status, result = run("config-cas", "--store", "sqlite:", "--seed", seed, "--unsafe")
    assert (status, result["verdict"]) == (1, "fail")
    assert any("lost or misplaced" in text for text in result["violations"])
    assert "was made of" in capsys.readouterr().out


def test_read_then_write_is_convicted_over_s3(run):
    status, result = run("counter-race", "--store", "embedded", "--unsafe")
    assert (status, result["verdict"]) == (1, "fail")
    assert any("adds are lost" in text for text in result["violations"])
