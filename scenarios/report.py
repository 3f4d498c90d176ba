"""What a run came to: one JSON object, and a summary for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from scenarios.ground import Drops
from scenarios.history import History
from scenarios.options import Options
from scenarios.race import Course
from scenarios.scenario import Audit
from scenarios.screen import Line, Span
from scenarios.tally import PRICE_LIST, Requests, estimated_cost
from scenarios.words import many

_EXAMPLES: Final = 3


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of one run.

    Args:
        scenario: Its name.
        options: What was asked for.
        store: What was asked for, without secrets.
        prefix: What this run's own items lie under.
        course: What the parent saw.
        audit: The judgement; None if the run was interrupted before it.
        requests: The workers' requests by verb and status.
        counts_http: Whether those are HTTP requests.
        calls_are: What they are otherwise.
        drops: Answers that were lost; None where none could be.
        phases: Seconds of set-up, race and audit.
        history: What happened; None if nobody asked for it.
        logs: Where the workers' logs are kept; None if they are not.
    """

    scenario: str
    options: Options
    store: str
    course: Course
    audit: Audit | None
    prefix: str = ""
    requests: Requests = field(default_factory=dict)
    counts_http: bool = True
    calls_are: str = "calls of the dictionary"
    drops: Drops | None = None
    phases: Mapping[str, float] = field(default_factory=dict)
    history: History | None = None
    logs: str | None = None

    def kept_in(self, folder: Path) -> Self:
        """The same report, of a run whose logs are kept there."""
        return replace(self, logs=str(folder))

    def timed(self, **phases: float) -> Self:
        """The same report, with the seconds that each phase took."""
        return replace(self, phases=phases)

    @property
    def violations(self) -> Sequence[str]:
        """What breaks the guarantee; an interrupted run has shown nothing."""
        if self.audit is None:
            return ["interrupted before the audit: this run shows nothing"]
        return self.audit.violations

    @property
    def verdict(self) -> str:
        """`pass` or `fail`."""
        return "fail" if self.violations else "pass"

    def to_json(self) -> dict[str, Any]:
        """The JSON object of a run."""
        options, course = self.options, self.course
        return {
            "scenario": self.scenario,
            "seed": options.seed,
            "store": self.store,
            "prefix": self.prefix,
            "workers": options.workers,
            "tasks": options.tasks,
            "unsafe": options.unsafe,
            "verdict": self.verdict,
            "interrupted": self.audit is None,
            "violations": [*self.violations],
            **(self.audit.figures if self.audit else {}),
            "requests": self.requests,
            "requests_are": self._unit,
            "estimated_cost_usd": round(estimated_cost(self.requests), 6)
            if self.counts_http
            else 0,
            "price_list": PRICE_LIST,
            "faults": {
                "killed": vars(course.killed) if course.killed else None,
                "frozen": vars(course.frozen) if course.frozen else None,
                "continued": course.was_continued,
                "hung": course.hung,
                "answers_dropped": vars(self.drops) if self.drops else None,
            },
            "seconds": round(sum(self.phases.values()), 3),
            "phases": {name: round(seconds, 3) for name, seconds in self.phases.items()},
            "logs": self.logs,
        }

    def summary(self) -> Iterator[Line]:
        """The audit's table, the violations, the requests, the verdict."""
        yield []
        if self.audit is not None:
            yield from self._table(self.audit)
        yield from self._violations()
        yield from self._requests()
        yield from self._verdict()

    @property
    def _unit(self) -> str:
        return "HTTP requests" if self.counts_http else self.calls_are

    def _table(self, audit: Audit) -> Iterator[Line]:
        width = max(len(finding.checked) for finding in audit.findings)
        yield [Span("  AUDIT", "bold"), Span("  from the bucket and from the workers' logs", "dim")]
        for finding in audit.findings:
            mark = Span("✗", "bold red") if finding.violations else Span("✓", "green")
            yield [
                Span("  "),
                mark,
                Span(f" {finding.checked:<{width}}  "),
                Span(finding.counted, "dim"),
            ]
        yield [Span("    " + f"{'lost answers':<{width}}  "), Span(self._lost_answers(), "dim")]
        yield from ([Span(f"    {each.note}", "dim")] for each in audit.findings if each.note)
        yield []

    def _lost_answers(self) -> str:
        if self.drops is None:
            return "not injectable on this store"
        return f"{self.drops.applied} to applied writes, {self.drops.refused} to refused ones"

    def _violations(self) -> Iterator[Line]:
        """The first broken check in full, and examples of the others."""
        limit = len(self.violations)
        for finding in self.audit.findings if self.audit else ():
            for text in finding.violations[:limit]:
                yield from ([Span(f"  {line}", "red")] for line in text.splitlines())
            more = len(finding.violations) - limit
            if more > 0:
                yield [Span(f"  … and {more} more of these; --json FILE lists them", "red")]
            if finding.violations:
                limit = _EXAMPLES
                yield []

    def _requests(self) -> Iterator[Line]:
        if not self.requests:
            return
        yield [Span(f"  {self._unit.upper()}", "bold"), Span("  made by the workers", "dim")]
        for verb, by_status in self.requests.items():
            parts = "   ".join(f"{status}: {count:,}" for status, count in by_status.items())
            yield [Span(f"    {verb:<14}{sum(by_status.values()):>7,}   "), Span(parts, "dim")]
        if self.counts_http:
            cost = estimated_cost(self.requests)
            yield [Span(f"    {'cost':<14}{f'${cost:.4f}':>7}   "), Span(PRICE_LIST, "dim")]
        yield []

    def _verdict(self) -> Iterator[Line]:
        if self.audit is None:
            yield [Span("  INTERRUPTED", "bold red"), Span("  the workers were ended; no audit")]
            return
        times = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.phases.items())
        if self.violations:
            said = f"  FAIL  {many(len(self.violations), 'violation')}"
            yield [Span(said, "bold red"), Span(f"  {times}", "dim")]
        else:
            yield [Span("  PASS", "bold green"), Span(f"  {times}", "dim")]
        if self.logs:
            yield [Span(f"  The workers' logs are in {self.logs}", "dim")]
