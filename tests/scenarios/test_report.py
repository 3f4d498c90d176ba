"""The JSON object of a run, and its summary for people."""

from __future__ import annotations

import json

import pytest

from scenarios.disruptions import Struck
from scenarios.ground import Drops
from scenarios.options import Options
from scenarios.race import Course
from scenarios.report import Report
from scenarios.scenario import Audit, Finding
from scenarios.screen import plain


@pytest.fixture
def report():
    def make(*findings, **fields):
        audit = Audit(findings or (Finding("all held", "4 of 4"),), {"claimed": 4})
        return Report(
            **{
                "scenario": "claim-race",
                "options": Options(seed=5),
                "store": "embedded",
                "course": Course(killed=Struck("w1", "a", 1)),
                "audit": audit,
                "requests": {"PUT": {"200": 1000}},
                "drops": Drops(3, 1),
            }
            | fields
        ).timed(setup=1.0, race=2.5)

    return make


def text_of(report):
    return "\n".join(plain(line) for line in report.summary())


def test_the_json_object_of_a_run_that_passes(report):
    written = json.loads(json.dumps(report().to_json()))
    assert written["scenario"] == "claim-race"
    assert (written["seed"], written["store"], written["workers"]) == (5, "embedded", 8)
    assert (written["verdict"], written["violations"]) == ("pass", [])
    assert written["requests"] == {"PUT": {"200": 1000}}
    assert written["seconds"] == 3.5
    assert written["claimed"] == 4
    assert written["estimated_cost_usd"] == 0.005
    assert written["faults"]["killed"] == {"worker": "w1", "task": "a", "heat": 1}
    assert written["faults"]["answers_dropped"] == {"applied": 3, "refused": 1}


def test_the_summary_of_a_run_that_passes(report):
    text = text_of(report())
    assert "✓ all held" in text
    assert "3 to applied writes, 1 to refused ones" in text
    assert "$0.0050" in text
    assert "PASS  setup 1.0 s, race 2.5 s" in text


def test_notes_stand_below_the_table(report):
    text = text_of(report(Finding("all held", "4 of 4", note="held: had"), Finding("more", "1")))
    assert text.index("✓ more") < text.index("    held: had\n")


def test_the_first_broken_check_is_shown_in_full_and_examples_of_the_others(report):
    many = [f"task-{number} was run twice" for number in range(50)]
    failed = report(
        Finding("run once", "50", many), Finding("claimed once", "5", ["a", "b", "c", "d", "e"])
    )
    assert failed.verdict == "fail"
    assert list(failed.violations) == [*many, "a", "b", "c", "d", "e"]
    text = text_of(failed)
    for violation in many:
        assert violation in text
    assert "  c\n  … and 2 more of these; --json FILE lists them" in text
    assert "FAIL  55 violations" in text


def test_an_interrupted_run_has_shown_nothing(report):
    interrupted = report(audit=None)
    assert interrupted.to_json()["verdict"] == "fail"
    assert interrupted.to_json()["interrupted"] is True
    assert "INTERRUPTED" in text_of(interrupted)
    assert "PASS" not in text_of(interrupted)


def test_calls_of_the_dictionary_are_called_so_and_cost_nothing(report):
    quiet = report(counts_http=False, drops=None)
    assert quiet.to_json()["estimated_cost_usd"] == 0
    text = text_of(quiet)
    assert "CALLS OF THE DICTIONARY" in text
    assert "$" not in text
    assert "not injectable on this store" in text
