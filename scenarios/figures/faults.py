"""How often which fault has struck, over one plan or several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from persidict.testing import FaultPlan, FaultReport, FaultRule, ServerControl
from scenarios.figures.figure import Fired


class Strikes:
    """Adds up what several plans have done."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._of: Counter[str] = Counter()

    def add(self, kind: str, *, count: int, of: int) -> None:
        """So many of so many more were struck."""
        self._count[kind] += count
        self._of[kind] += of

    def add_report(self, rules: Sequence[FaultRule], report: FaultReport) -> None:
        """What a plan of these rules has done."""
        fired = Counter(fault.rule for fault in report.fired)
        for place, rule in enumerate(rules):
            self.add(rule.kind.value, count=fired[place], of=report.matched[place])

    def update(self, other: Strikes) -> None:
        """Those of others as well."""
        self._count.update(other._count)
        self._of.update(other._of)

    def all(self) -> Mapping[str, Fired]:
        """By kind."""
        return {kind: Fired(self._count[kind], self._of[kind]) for kind in sorted(self._of)}


class Striking:
    """A plan at a server, whose strikes are added up when the block ends.

    Args:
        control: The server.
        plan: The plan.
        strikes: Where they are added.
    """

    def __init__(self, control: ServerControl, plan: FaultPlan, *, strikes: Strikes) -> None:
        self._control = control
        self._plan = plan
        self._strikes = strikes

    def __enter__(self) -> ServerControl:
        self._control.set_plan(self._plan)
        return self._control

    def __exit__(self, *_: object) -> None:
        report = self._control.fault_report()
        self._control.clear_faults()
        self._strikes.add_report(self._plan.rules, report)
