"""`python -m scenarios figures`: what it lists, runs, says and writes."""

from __future__ import annotations

import json

import pytest

from scenarios.cli import main
from scenarios.figures import command
from scenarios.figures.figure import Figure, Fired, Result
from scenarios.figures.pool import HungError
from scenarios.figures.registry import FIGURES


def found(task, violations=()):
    task.progress.add(task.size)
    return Result(
        counted={"things": task.size, "seed": task.seed},
        violations=list(violations),
        faults={"late": Fired(1, 4)},
    )


def hung(_):
    raise HungError("no job has ended")


@pytest.fixture
def figure(monkeypatch):
    def have(measure):
        figure = Figure(
            name="F0", summary="nothing fails", unit="things", small=3, full=1_000, measure=measure
        )
        monkeypatch.setitem(FIGURES, "F0", figure)

    return have


def test_the_list(capsys):
    assert main(["figures"]) == 0
    said = capsys.readouterr().out
    for name in ("F4", "F5", "F6", "F8", "F9", "F10", "F11", "F12", "F13", "F14"):
        assert f"{name} " in said
    assert "1,000,000" in said


def test_nothing_is_measured_if_the_result_cannot_be_written(figure, capsys, tmp_path):
    figure(hung)
    assert main(["figures", "F0", "--json", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert f"--json must name a file in an existing folder, not {tmp_path}" in said.err


def test_a_figure_that_is_reached(figure, capsys, tmp_path):
    figure(found)
    assert main(["figures", "F0", "--seed", "5", "--json", str(tmp_path / "f.json")]) == 0
    said = capsys.readouterr().out
    assert "F0: nothing fails" in said
    assert "3 things, seed 5, on " in said
    assert "  late        1 of 4 (25.00%)" in said
    assert said.rstrip().endswith("F0 reached")
    written = json.loads((tmp_path / "f.json").read_text())
    assert written["reached"] is True
    assert written["full"] is False
    assert written["counted"] == {"things": 3, "seed": 5}
    assert written["faults"] == {"late": {"count": 1, "of": 4, "rate": 0.25}}
    assert written["machine"]["cores"] >= 1


@pytest.mark.parametrize(("arguments", "size"), [(["--full"], 1_000), (["--size", "8"], 8)])
def test_its_size(figure, capsys, arguments, size):
    figure(found)
    assert main(["figures", "F0", *arguments]) == 0
    assert f"{size:,} things" in capsys.readouterr().out


def test_a_figure_that_is_not_reached(figure, capsys):
    figure(lambda task: found(task, [f"violation {number}" for number in range(12)]))
    assert main(["figures", "F0"]) == 1
    said = capsys.readouterr().out
    assert "  violations  12" in said
    assert "violation 9" in said
    assert "violation 10" not in said
    assert "and 2 more" in said
    assert "F0 not reached" in said


def test_processes_that_hang_do_not_reach_it(figure, capsys):
    figure(hung)
    assert main(["figures", "F0"]) == 1
    assert "no job has ended" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["F1"], ["F0", "--size", "0"], ["F0", "--seed", "-1"], ["F0", "--full", "--size"]]
)
def test_misuse(figure, arguments, capsys):
    figure(found)
    with pytest.raises(SystemExit) as stopped:
        main(["figures", *arguments])
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_plant_is_for_tests_only(figure):
    seen = []
    figure(lambda task: seen.append(task.plant) or found(task))
    main(["figures", "F0"])
    command.measured(FIGURES["F0"], size=1, seed=1, plant=main)
    assert seen == [None, main]
