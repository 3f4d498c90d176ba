"""The command line: what it takes, what it refuses, and its exit statuses."""

from __future__ import annotations

import pytest

from scenarios.cli import main
from scenarios.history import history_of, write_history
from scenarios.registry import SCENARIOS
from scenarios.stores import parse_store

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
        (["--history", "no-such-folder/x"], "--history must name a file in an existing folder"),
        (["--report", "."], "--report must name a file in an existing folder"),
        (["--json", "x", "--report", "./x"], "must name different files"),
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


def test_a_bucket_is_created_only_if_the_store_says_so(persidict_server, monkeypatch, capsys):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    store = f"s3://no-such-bucket?endpoint_url={persidict_server.endpoint_url}&region=us-east-1"
    assert main([*RUN, "--store", store]) == 2
    shown = capsys.readouterr().err
    assert "--store cannot be used" in shown
    assert "s3://no-such-bucket/" in shown
    assert "create_bucket=true" in shown
    given = parse_store(f"{store}&create_bucket=true")
    assert list(given.open(create=True)) == []
    assert list(parse_store(store).open()) == []


def test_logs_cannot_go_where_a_file_is(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main([*RUN, "--store", "sqlite:", "--logs", str(tmp_path / "file")]) == 2
    assert "file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--seeds", "0"], "--seeds must be 1 or more, not 0"),
        (["--first", "-1"], "--first must be 0 or more, not -1"),
        (["--jobs", "0"], "--jobs must be 1 or more, not 0"),
        (["--seed", "-1"], "--seed must be 0 or more, not -1"),
        (["--hours", "0"], "--hours must be more than 0"),
        (["--hours", "inf"], "--hours must be more than 0 and finite"),
        (["--history", "x"], "name it with --seed"),
        (["--seed", "1", "--history", "no-such-folder/x"], "in an existing folder"),
        (["--bug", "nonsense"], "there is no bug 'nonsense'"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments, text, capsys):
    assert main(["simulate", *arguments]) == 2
    assert text in capsys.readouterr().err


def test_a_bug_that_is_not_found_is_told(capsys):
    assert main(["simulate", "--seeds", "1", "--jobs", "1", "--bug", "one-answer-for-all"]) == 0
    assert "the bug 'one-answer-for-all' was not found" in capsys.readouterr().out


def test_a_result_that_cannot_be_written_is_refused_before_it_is_measured(capsys):
    assert main(["figures", "F6", "--json", "no-such-folder/x.json"]) == 2
    shown = capsys.readouterr()
    assert "no-such-folder/x.json" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("command", ["report", "picture"])
def test_a_history_is_not_drawn_over(command, tmp_path, capsys):
    history = tmp_path / "history.jsonl"
    write_history(history, history_of([]))
    before = history.read_bytes()
    assert main([command, str(history), str(tmp_path / "." / "history.jsonl")]) == 2
    assert "is the history itself" in capsys.readouterr().err
    assert history.read_bytes() == before


def test_a_history_that_no_check_applies_to_is_not_held_to_be_right(tmp_path, capsys):
    history = tmp_path / "history.jsonl"
    write_history(history, history_of([]))
    assert main(["check", str(history)]) == 2
    assert "no check applies" in capsys.readouterr().err
