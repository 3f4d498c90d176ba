"""Pages and pictures by command, of real runs and of histories."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from scenarios.cli import main
from scenarios.history import read_history, write_history
from tests.scenarios.checks.story import Story
from tests.scenarios.pictures.shapes import Drawing

SMALL = ["--workers", "3", "--tasks", "20", "--store", "sqlite:"]


@pytest.fixture
def written(tmp_path):
    def write(story):
        write_history(tmp_path / "history.jsonl", story.history)
        return str(tmp_path / "history.jsonl")

    return write


def held():
    story = Story(scenario="lease-handover")
    story.acquire(1, of="lease/x", until=9.0).acquire(1, of="lease/y", until=9.0).release(
        1, of="lease/x"
    )
    return story.acquire(2, of="lease/x", by="w2", until=9.0)


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--unsafe"], 1)])
def test_a_real_run_writes_its_history_and_a_page(tmp_path, options, status):
    history, page = tmp_path / "history.jsonl", tmp_path / "page.html"
    command = ["run", "claim-race", *SMALL, "--history", str(history), "--report", str(page)]
    assert main([*command, *options]) == status
    claims = [call for call in read_history(history).operations if call.op == "claim"]
    assert len({call.object for call in claims}) == 20
    won = [call.object for call in claims if call.value is True]
    assert (len(won) > len({*won})) is bool(options)
    drawing = Drawing.of_page(page.read_text())
    assert drawing.styled("ice")
    assert drawing.styled("cross", "killed")
    assert bool(drawing.styled("wrong-call")) is bool(options)
    assert main(["check", str(history)]) == status


def test_a_real_lease_is_taken_over_in_its_picture(tmp_path, capsys):
    history = tmp_path / "history.jsonl"
    assert main(["run", "lease-handover", *SMALL, "--history", str(history)]) == 0
    assert main(["picture", str(history), str(tmp_path / "picture.svg")]) == 0
    drawing = Drawing(ET.parse(tmp_path / "picture.svg").getroot())
    texts = " ".join(drawing.texts)
    assert "is killed holding token" in texts
    assert "is frozen holding token" in texts
    # On a busy machine others may lose it as well.
    assert texts.count("takes over") >= 2
    assert drawing.styled("stale")
    assert "run lease-handover --workers 3 --tasks 20 --seed 7 --store sqlite:" in texts


def test_a_page_about_a_history(written, tmp_path):
    page = tmp_path / "page.html"
    assert main(["report", written(Story().do(1, "register/x", "read")), str(page)]) == 0
    assert "PASS" in page.read_text()
    assert main(["report", written(Story().do(1, "register/x", "read", 5)), str(page)]) == 1
    assert "FAIL" in page.read_text()


def test_a_picture_of_what_was_held_most_often_or_of_what_is_named(written, tmp_path):
    path = tmp_path / "x.svg"
    for options, title in (
        ([], "lease/x: 2 tenures"),
        (["--object", "lease/y"], "lease/y: 1 tenure"),
    ):
        assert main(["picture", written(held()), str(path), *options]) == 0
        assert title in Drawing(ET.parse(path).getroot()).texts[0]


def test_what_cannot_be_drawn_is_refused(written, tmp_path, capsys):
    path = str(tmp_path / "x")
    assert main(["picture", written(Story()), path]) == 2
    assert "nobody held anything; nothing was held" in capsys.readouterr().err
    assert main(["picture", written(held()), path, "--object", "lease/z"]) == 2
    assert "nobody held lease/z; lease/x, lease/y was held" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "no-history"), path]) == 2
    (tmp_path / "torn").write_bytes(b"{")
    assert main(["report", str(tmp_path / "torn"), path]) == 2
    assert "line 1" in capsys.readouterr().err
    assert main(["report", written(held()), str(tmp_path)]) == 2
