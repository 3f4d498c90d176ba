"""The pages: links and files are there, snippets run, and their figures are measured."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.coordination import figures
from benchmarks.counting import HEADER

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
OF_THE_PROJECT = ("src", "tests", "docs", "benchmarks", "scenarios")
CODE = re.compile(r"^```.*?^```", flags=re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(rf"\b(?:{'|'.join(OF_THE_PROJECT)})/[\w./-]*[\w/]")
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
