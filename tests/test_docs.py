"""The pages: links and files are there, snippets run, and their figures are measured."""

import ast
import inspect
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.coordination import figures
from benchmarks.counting import HEADER
from persidict.testing import FaultKind, faults, pytest_plugin
from persidict.testing.conformance.__main__ import main as conformance

ROOT = Path(__file__).parent.parent
TESTING = (ROOT / "docs" / "testing.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
OF_THE_PROJECT = ("src", "tests", "docs", "benchmarks", "scenarios")
CODE = re.compile(r"^```.*?^```", flags=re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(rf"\b(?:{'|'.join(OF_THE_PROJECT)})/[\w./-]*[\w/]")
FILE = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
MODULE = re.compile(r"python -m ((?:benchmarks|scenarios)[\w.]*)")


def ids(page):
    return page.name


def anchors(page):
    """What GitHub names the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_what_it_links_to_is_there(page):
    for link in LINK.findall(CODE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_the_files_and_programs_that_it_names_are_there(page):
    text = page.read_text()
    for name in PATH.findall(LINK.sub("", text)):
        assert (ROOT / name).exists(), name
    for module in MODULE.findall(text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_its_snippets_are_run_with_the_other_tests():
    with_snippets = [page for page in PAGES if ">>> " in page.read_text()]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        + [path for path in settings["testpaths"] if path not in {"tests", "src"}],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert len(with_snippets) >= 3
    for page in with_snippets:
        assert f"{page.relative_to(ROOT)}::{page.name}" in collected


@pytest.fixture(scope="module")
def measured(persidict_server):
    return dict(figures(persidict_server))


def test_no_operation_sends_more_than_it_may(measured):
    found = [figure for figures in measured.values() for figure in figures]
    assert len(found) > 80
    assert [figure.label for figure in found if not figure.is_kept] == []


def test_the_guarantees_state_the_requests_that_are_measured(measured):
    page = (ROOT / "docs" / "guarantees.md").read_text()
    for found in measured.values():
        assert "\n".join([*HEADER, *(figure.row for figure in found)]) in page


def test_the_files_of_the_page_on_testing_are_tests_that_pass(pytester):
    for name, source in FILE.findall(TESTING):
        (pytester.path / name).write_text(source)
    with_prompts = len(re.findall("^```python\n>>> ", TESTING, flags=re.MULTILINE))
    assert TESTING.count("```python") == with_prompts + len([*pytester.path.glob("*.py")])
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error")
    done.assert_outcomes(passed=TESTING.count("\ndef test_"))


def test_the_command_of_the_page_on_testing_checks_a_store(
    persidict_bucket, persidict_server, monkeypatch, tmp_path
):
    named = {"BUCKET": persidict_bucket, "URL": persidict_server.endpoint_url}
    command = re.search(r"^python -m persidict.testing.conformance (.*)$", TESTING, re.MULTILINE)[1]
    arguments = shlex.split(re.sub(r"\b(BUCKET|URL)\b", lambda found: named[found[0]], command))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    assert conformance([*arguments, "--rounds=1", "--racers=2"]) == 0
    assert (tmp_path / "found.json").exists()


def test_the_page_on_testing_says_of_each_kind_of_fault_what_the_code_says():
    (body,) = [
        each.body
        for each in ast.parse(inspect.getsource(faults)).body
        if isinstance(each, ast.ClassDef) and each.name == FaultKind.__name__
    ]
    rows = [
        f"| `{kind.targets[0].id}` | {inspect.cleandoc(said.value.value)} |\n"
        for kind, said in zip(body[1::2], body[2::2], strict=True)
    ]
    assert len(rows) == len(FaultKind)
    assert "".join(rows) in TESTING


def test_the_page_on_testing_tells_of_each_fixture():
    fixtures = {name for name in vars(pytest_plugin) if name.startswith("persidict_")}
    assert fixtures == set(re.findall(r"^\| `(persidict_\w+)` \|", TESTING, flags=re.MULTILINE))
