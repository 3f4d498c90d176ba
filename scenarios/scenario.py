"""What makes a scenario: a worker program, and an audit of what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from persidict_sync.record import Record
from scenarios.journal import Event
from scenarios.options import Options
from scenarios.race import Course
from scenarios.worker import Program


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What an audit judges by.

    Args:
        tasks: What the workers raced for.
        bucket: Every item found under the run's prefix, by key.
        records: Every record of coordination found there, by key.
        logs: Every worker's own log.
        course: What the parent saw.
    """

    tasks: Sequence[str]
    bucket: Mapping[str, Any]
    records: Mapping[str, Record]
    logs: Mapping[str, Sequence[Event]]
    course: Course


@dataclass(frozen=True)
class Finding:
    """One line of the audit: what was checked and counted, what breaks it, a word on it."""

    checked: str
    counted: str
    violations: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True)
class Audit:
    """The findings, and the figures that go into the JSON object."""

    findings: Sequence[Finding]
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def violations(self) -> Sequence[str]:
        """All violations, in the order of the findings."""
        return [text for finding in self.findings for text in finding.violations]


def half_the_workers(options: Options) -> int:
    """So few tasks a heat that several workers go for each of them."""
    return max(1, options.workers // 2)


def two(_: Options) -> int:
    """So many are enough for one of them to undo what another has done."""
    return 2


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A race that can be run by name.

    Args:
        name: As on the command line.
        summary: One line, for the list.
        story: What happens, in one line, for a person about to watch.
        unsafe_story: What the planted wrong variant does instead.
        strikes: What befalls two of the workers, in one line.
        program: What each worker runs.
        audit: What judges the outcome; a pure function.
        counted: What a task is once a worker has it in hand, in a word, for the display.
        heat_size: How many tasks a heat has, by what was asked for.
        duels_over: What unsafe workers are made to meet over, each time between read and write;
            None: some tasks of the first heat.
        racers: How many meet, by what was asked for.
        frozen_seconds: How long one stays frozen at least.
        calls_are: What is counted where workers make no requests.
    """

    name: str
    summary: str
    story: str
    unsafe_story: str
    strikes: str
    program: Program
    audit: Callable[[Evidence], Audit]
    counted: str = "claimed"
    heat_size: Callable[[Options], int] = half_the_workers
    duels_over: Sequence[str] | None = None
    racers: Callable[[Options], int] = two
    frozen_seconds: float = 0.0
    calls_are: str = "calls of the dictionary"
