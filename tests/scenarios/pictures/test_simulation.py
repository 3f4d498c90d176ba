"""Pages about simulated runs: repeated by the command that they name."""

from __future__ import annotations

import shlex

from scenarios.checks.linearizability import NAME as LINEARIZABLE
from scenarios.cli import main
from scenarios.history import read_history
from scenarios.pictures.subject import Subject
from scenarios.simulation.sweep import Terms, sweep
from tests.scenarios.pictures.shapes import Drawing


def test_a_planted_bug_s_page_marks_it_and_names_the_command_that_finds_it_again(tmp_path):
    first, again, page = (tmp_path / name for name in ("first", "again", "page.html"))
    terms = Terms(bug="timeout-means-failed")
    seed = next(
        verdict.seed
        for verdict in sweep(range(200), terms=terms)
        if any(violation.check == LINEARIZABLE for violation in verdict.violations)
    )
    command = ["simulate", "--seed", str(seed), "--bug", "timeout-means-failed", "--no-shrink"]
    assert main([*command, "--history", str(first)]) == 1
    assert main(["report", str(first), str(page)]) == 1
    assert Drawing.of_page(page.read_text()).styled("wrong-call")
    named = Subject(read_history(first)).command
    assert named is not None
    _python, _m, _scenarios, *words = shlex.split(named)
    assert main([*words, "--no-shrink", "--history", str(again)]) == 1
    assert first.read_bytes() == again.read_bytes()


def test_ten_simulated_hours_of_leases_fit_on_a_page(tmp_path):
    history, page = tmp_path / "history", tmp_path / "page.html"
    assert main(["simulate", "--seed", "1", "--hours", "10", "--history", str(history)]) == 0
    assert main(["report", str(history), str(page)]) == 0
    drawing = Drawing.of_page(page.read_text())
    assert any("h" in text.split() for text in drawing.texts)
    assert drawing.styled("bar", "held0")
    assert len(page.read_bytes()) < 4_000_000
