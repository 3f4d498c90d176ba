"""From a failing plan to a short one that fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from scenarios.checks.violation import Violation
from scenarios.simulation.judge import violations
from scenarios.simulation.plan import Plan
from scenarios.simulation.run import Outcome, run

T = TypeVar("T")

MOST_RUNS: Final = 600


@dataclass(frozen=True)
class Shrunk:
    """A plan of which nothing more can be left out.

    Attributes:
        plan: What is left.
        outcome: Its run.
        violations: What is still wrong.
        runs: How many runs it took.
    """

    plan: Plan
    outcome: Outcome
    violations: Sequence[Violation]
    runs: int


def shrunk(plan: Plan, *, check: str) -> Shrunk:
    """Leave out processes, disruptions, steps and faults as long as a check still fails.

    The same plan is shrunk to the same one. What is left of a run happens as before as far as its
    draws go; times may move, so not each part can be judged by itself.

    Args:
        plan: One whose run fails the check.
        check: Which.
    """
    return _Shrinking(plan, check=check).result()


class _Shrinking:
    def __init__(self, plan: Plan, *, check: str) -> None:
        self._check = check
        self._runs = 0
        self._plan = plan
        self._outcome, self._found = self._run(plan)
        assert self._found

    def result(self) -> Shrunk:
        parts = None
        while parts != (parts := self._parts()) and self._runs < MOST_RUNS:
            self._without(self._seats(), self._leaving_out)
            self._without(
                self._plan.disruptions,
                lambda plan, some: replace(
                    plan, disruptions=[one for one in plan.disruptions if one not in some]
                ),
            )
            self._without(self._steps(), _without_steps)
            self._without(
                self._outcome.struck,
                lambda plan, spots: replace(plan, spared=plan.spared | frozenset(spots)),
            )
        return Shrunk(self._plan, self._outcome, self._found, self._runs)

    def _parts(self) -> tuple[int, int, int]:
        return len(self._steps()), len(self._plan.disruptions), len(self._outcome.struck)

    def _seats(self) -> Sequence[int]:
        return [seat for seat in range(len(self._plan.seats)) if self._plan.steps(seat)]

    def _steps(self) -> Sequence[tuple[int, int]]:
        return [(seat, number) for seat in self._seats() for number, _ in self._plan.steps(seat)]

    def _leaving_out(self, plan: Plan, seats: Iterable[int]) -> Plan:
        return _without_steps(plan, [step for step in self._steps() if step[0] in set(seats)])

    def _without(self, parts: Sequence[T], leave_out: Callable[[Plan, Sequence[T]], Plan]) -> None:
        """Leave out half of the parts, a quarter, and so on down to each by itself."""
        size = max(1, len(parts) // 2)
        left = list(parts)
        while left:
            begin = 0
            while begin < len(left) and self._runs < MOST_RUNS:
                some = left[begin : begin + size]
                if self._still_fails(leave_out(self._plan, some)):
                    del left[begin : begin + size]
                else:
                    begin += size
            if size == 1:
                return
            size = max(1, size // 2)

    def _still_fails(self, plan: Plan) -> bool:
        outcome, found = self._run(plan)
        if found:
            self._plan, self._outcome, self._found = plan, outcome, found
        return bool(found)

    def _run(self, plan: Plan) -> tuple[Outcome, Sequence[Violation]]:
        self._runs += 1
        outcome = run(plan)
        return outcome, [one for one in violations(outcome) if one.check == self._check]


def _without_steps(plan: Plan, steps: Iterable[tuple[int, int]]) -> Plan:
    return replace(plan, without=plan.without | frozenset(steps))
