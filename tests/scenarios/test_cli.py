"""The command line: what it takes, what it refuses, and its exit statuses."""

from __future__ import annotations

import pytest

from scenarios.cli import main
from scenarios.registry import SCENARIOS

RUN = ["run", "claim-race"]


def test_list_names_every_scenario(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*SCENARIOS]
    assert "claim-race" in SCENARIOS


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["list", "--help"]])
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert "usage: python -m scenarios" in capsys.readouterr().out


def test_help_of_run_tells_of_stores_and_exit_statuses(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    text = capsys.readouterr().out
    for word in ("--workers", "--tasks", "--seed", "--store", "--unsafe", "--json", "embedded"):
        assert word in text
    assert "s3://bucket/prefix?endpoint_url=URL&region=NAME" in text
    assert "exit status: 0" in text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "required: COMMAND"),
        (["run"], "required: NAME"),
        (["run", "nonsense"], "choose from"),
        ([*RUN, "--nonsense"], "unrecognized arguments: --nonsense"),
        ([*RUN, "--worker", "8"], "unrecognized arguments: --worker"),
        ([*RUN, "--seed", "x"], "--seed: invalid int"),
    ],
)
def test_what_cannot_be_parsed_is_refused(arguments, text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--workers", "2"], "--workers must lie in 3..64"),
        (["--workers", "65"], "--workers must lie in 3..64"),
        (["--tasks", "8"], "--tasks must be more than --workers (8)"),
        (["--tasks", "100001"], "at most 100,000"),
        (["--seed", "-1"], "--seed must lie in 0.."),
        (["--patience", "0"], "--patience must be seconds"),
        (["--patience", "nan"], "--patience must be seconds"),
        (["--json", "no-such-folder/x.json"], "--json must name a file in an existing folder"),
        (["--json", "."], "--json must name a file in an existing folder"),
        (["--store", "nonsense"], "--store: the address cannot be used: it names no kind of store"),
        (["--store", "sqlite:///no-such-folder/x.db"], "--store: there is no folder"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, text, capsys):
    assert main([*RUN, *arguments]) == 2
    shown = capsys.readouterr()
    assert text in shown.err
    assert shown.out == ""


def test_a_store_that_cannot_be_used_is_refused_without_its_secrets(tmp_path, capsys):
    path = tmp_path / "not-a-database"
    path.write_text("plain text, and more of it than the header of a database would be long\n" * 9)
    assert main([*RUN, "--store", f"sqlite:///{path}"]) == 2
    assert "--store cannot be used" in capsys.readouterr().err


def test_logs_cannot_go_where_a_file_is(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main([*RUN, "--store", "sqlite:", "--logs", str(tmp_path / "file")]) == 2
    assert "file" in capsys.readouterr().err
