"""What a page is about: a history, and what was found out about it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from scenarios.checks.all import Checked
from scenarios.checks.violation import Violation
from scenarios.history import History, Operation, OperationId
from scenarios.moments import beginning_of, moments_in
from scenarios.pictures.beliefs import Belief, beliefs_in, permits_for
from scenarios.pictures.fates import Fate, fates_in
from scenarios.pictures.holding import Holding
from scenarios.pictures.window import Window
from scenarios.scenario import Finding
from scenarios.tally import Requests, tally

_STRAGGLERS: Final = 0.05


@dataclass(frozen=True)
class Subject:
    """A run, for the page about it.

    Args:
        history: What happened.
        story: What was to happen, in sentences.
        findings: The audit's findings; None if there was none.
        checked: What the checkers have found in the history; None if it was not checked.
    """

    history: History
    story: Sequence[str] = ()
    findings: Sequence[Finding] | None = None
    checked: Sequence[Checked] | None = None

    @property
    def meta(self) -> Mapping[str, Any]:
        """What is known of the run."""
        return self.history.meta

    @property
    def name(self) -> str:
        """What to call the run."""
        name = str(self.meta.get("scenario", self.meta["source"]))
        return f"{name} --unsafe" if self.meta.get("unsafe") else name

    @property
    def violations(self) -> Sequence[Violation]:
        """What the checkers have found."""
        return [each for line in self.checked or () for each in line.violations]

    @property
    def is_judged(self) -> bool:
        """Whether anybody has looked for what is wrong."""
        return self.findings is not None or self.checked is not None

    @property
    def is_convicted(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.violations) or any(each.violations for each in self.findings or ())

    @property
    def verdict(self) -> str:
        """`PASS`, `FAIL`, or that nobody has judged."""
        if not self.is_judged:
            return "not judged"
        return "FAIL" if self.is_convicted else "PASS"

    @cached_property
    def window(self) -> Window:
        """From the first thing that an actor did to the last, stragglers left out.

        Stragglers are few events after a silence that is longer than all that came before.
        """
        times = self.history.once(moments_in)
        ends = times[-1]
        for before, after in pairwise(times[int(len(times) * (1 - _STRAGGLERS)) :]):
            if after - before > before - times[0] > 0:
                ends = before
                break
        return Window(times[0], ends, beginning_of(self.history))

    @property
    def stragglers(self) -> Sequence[float]:
        """When something happened after what the pictures show."""
        return [at for at in self.history.once(moments_in) if at > self.window.end]

    @cached_property
    def fates(self) -> Mapping[str, Fate]:
        """What befell each actor."""
        return fates_in(self.history)

    @cached_property
    def beliefs(self) -> Mapping[str, Sequence[Belief]]:
        """Who believed when to hold what."""
        return beliefs_in(self.history)

    @cached_property
    def holdings(self) -> Sequence[Holding]:
        """Everything that was held, what was held most often first."""
        return [
            Holding(
                name,
                beliefs,
                permits_for(name, history=self.history),
                self.fates,
                self.history,
            )
            for name, beliefs in sorted(self.beliefs.items(), key=lambda item: -len(item[1]))
        ]

    @cached_property
    def wrong(self) -> Mapping[str, frozenset[OperationId]]:
        """The operations that break a guarantee, by object."""
        found: dict[str, frozenset[OperationId]] = {}
        for violation in self.violations:
            ids = found.get(violation.object, frozenset())
            found[violation.object] = ids | frozenset(violation.operations)
        return found

    @cached_property
    def claims(self) -> Sequence[Operation]:
        """All claims of tasks."""
        return [
            call
            for call in self.history.operations
            if call.kind in ("claim", "reclaim") and call.op == "claim"
        ]

    @cached_property
    def requests(self) -> Requests:
        """Requests, or calls of a dictionary without a server, by verb and status."""
        return tally(event for event in self.history if "status" in event.fields)

    @property
    def has_http(self) -> bool:
        """Whether the requests were such that cost money: they were answered by numbers."""
        return any(status.isdigit() for by_status in self.requests.values() for status in by_status)

    @property
    def command(self) -> str | None:
        """What to type to run it again; None if nobody knows."""
        meta = self.meta
        if meta["source"] == "simulation" and "seed" in meta:
            words = ["python", "-m", "scenarios", "simulate", "--seed", str(meta["seed"])]
            for option in ("hours", "bug"):
                words += [f"--{option}", f"{meta[option]}"] if option in meta else []
            return shlex.join(words)
        if not {"scenario", "seed", "workers", "tasks", "store"} <= meta.keys():
            return None
        words = ["python", "-m", "scenarios", "run", str(meta["scenario"])]
        for option in ("workers", "tasks", "seed", "store"):
            words += [f"--{option}", str(meta[option])]
        words += ["--unsafe"] if meta.get("unsafe") else []
        return shlex.join(words)
