"""All checkers that apply to a history, and the report of what they found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scenarios.beliefs import beliefs_in
from scenarios.checks.at_most_once import NAME as AT_MOST_ONCE
from scenarios.checks.at_most_once import check_at_most_once
from scenarios.checks.etags import NAME as ETAGS
from scenarios.checks.etags import check_etags
from scenarios.checks.exclusion import (
    MUTUAL_EXCLUSION,
    PERMIT_BOUND,
    check_mutual_exclusion,
    check_permit_bound,
    permits_of,
)
from scenarios.checks.fencing import NAME as FENCING
from scenarios.checks.fencing import check_fencing
from scenarios.checks.freed import NAME as FREED
from scenarios.checks.freed import check_freed, freed_in
from scenarios.checks.linearizability import MODELS, check_linearizability
from scenarios.checks.linearizability import NAME as LINEARIZABLE
from scenarios.checks.lost_updates import NAME as LOST_UPDATES
from scenarios.checks.lost_updates import check_lost_updates
from scenarios.checks.sequences import NAME as SEQUENCES
from scenarios.checks.sequences import check_sequences
from scenarios.checks.takeover import NAME as TAKEOVER
from scenarios.checks.takeover import check_takeover, takeovers
from scenarios.checks.tokens import NAME as TOKENS
from scenarios.checks.tokens import check_tokens
from scenarios.checks.violation import Check, Violation
from scenarios.history import History, kind_of
from scenarios.moments import beginning_of
from scenarios.words import many

EXAMPLES: Final = 5
"""So many violations of one check are shown, unless all are asked for."""


@dataclass(frozen=True)
class Checked:
    """One line of a report: what was checked, on how much, what it promises, and what breaks it."""

    check: str
    counted: str
    promise: str
    violations: Sequence[Violation]


@dataclass(frozen=True)
class Report:
    """What all checkers that apply have found.

    Attributes:
        lines: A line for each of them.
        began: When the run began, in seconds of its history.
    """

    lines: Sequence[Checked]
    began: float

    @property
    def violations(self) -> Sequence[Violation]:
        """All violations, in the order of the checks."""
        return [violation for line in self.lines for violation in line.violations]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "checks": [{"check": line.check, "counted": line.counted} for line in self.lines],
            "violations": [violation.to_json() for violation in self.violations],
        }

    def shown(self, *, most: int | None = EXAMPLES) -> Iterator[str]:
        """As lines for people, with seconds since the run began.

        Args:
            most: How many violations of each check; None for all.
        """
        for line in self.lines:
            verdict = "violated" if line.violations else "ok"
            yield f"{line.check:<18}{verdict:<10}{line.counted}"
            if line.violations:
                yield f"  promised: {line.promise}"
            for violation in line.violations[:most]:
                yield from self._told(violation)
            more = len(line.violations[most:]) if most is not None else 0
            if more:
                yield f"  … and {more:,} more of these; --all shows them"

    def _told(self, violation: Violation) -> Iterator[str]:
        yield f"  {violation.at - self.began:10.6f} s  {violation.object}: {violation.text}"
        if violation.operations:
            ids = ", ".join(map(str, violation.operations))
            yield f"{'':16}operations {ids}"


_Counted = Callable[[History], str | None]
"""What a check looked at; None if there is nothing to look at."""


def _objects(*kinds: str) -> _Counted:
    def counted(history: History) -> str | None:
        found = [each for name, each in history.by_object.items() if kind_of(name) in kinds]
        if not found:
            return None
        operations = [operation for each in found for operation in each]
        unknown = sum(operation.outcome == "unknown" for operation in operations)
        return (
            f"{many(len(operations), 'operation')} on {many(len(found), 'object')}, "
            f"{unknown} unknown"
        )

    return counted


def _held(*, by_many: bool) -> _Counted:
    def counted(history: History) -> str | None:
        permits = permits_of(history)
        held = [
            each for each in beliefs_in(history) if (permits.get(each.object, 1) > 1) is by_many
        ]
        return many(len(held), "belief") if held else None

    return counted


def _tokens(history: History) -> str | None:
    tokens = {(each.object, each.token) for each in beliefs_in(history)}
    return many(len(tokens), "token") if tokens else None


def _freed(history: History) -> str | None:
    freed = freed_in(history)
    return many(len(freed), "token") if freed else None


def _taken_over(history: History) -> str | None:
    waited = any(each.op == "acquire" for each in history.operations)
    if not (waited and beliefs_in(history)):
        return None
    seconds = [each.seconds for each in takeovers(history)]
    longest = f", the longest {max(seconds):.3f} s" if seconds else ""
    return many(len(seconds), "takeover") + longest


CHECKS: Final[Sequence[tuple[str, Check, _Counted, str]]] = (
    (
        LINEARIZABLE,
        check_linearizability,
        _objects(*MODELS),
        "each operation takes effect at one moment between its call and its answer",
    ),
    (
        LOST_UPDATES,
        check_lost_updates,
        _objects("counter", "register"),
        "no update is lost or counted twice",
    ),
    (
        AT_MOST_ONCE,
        check_at_most_once,
        _objects("claim", "reclaim", "once"),
        "a task is begun by one, who was told that it had won it, and has one result",
    ),
    (
        SEQUENCES,
        check_sequences,
        _objects("sequence"),
        "no number is handed out twice, and those of each actor rise",
    ),
    (ETAGS, check_etags, _objects("item"), "no etag is given to two versions"),
    (
        MUTUAL_EXCLUSION,
        check_mutual_exclusion,
        _held(by_many=False),
        "at no time do two believe that they hold it",
    ),
    (
        PERMIT_BOUND,
        check_permit_bound,
        _held(by_many=True),
        "at no time do more believe that they hold a permit than there are permits",
    ),
    (TOKENS, check_tokens, _tokens, "who acquires later has a higher token"),
    (FREED, check_freed, _freed, "what was released or broken is not held under that token again"),
    (
        FENCING,
        check_fencing,
        _objects("fenced"),
        "no write is accepted after one under a higher token",
    ),
    (
        TAKEOVER,
        check_takeover,
        _taken_over,
        "what nobody holds is soon acquired by one who waits for it",
    ),
)
"""Every check: its name, what it is, what it has to look at in a history, and what it promises."""


def check_all(history: History) -> Report:
    """Run every check; the report has those that had something to look at.

    Args:
        history: What to check.

    Raises:
        ValueError: The history states something wrongly, so that it cannot be checked.
    """
    lines = []
    for name, check, counted, promise in CHECKS:
        violations = sorted(check(history), key=lambda violation: violation.at)
        looked_at = counted(history)
        if violations or looked_at is not None:
            lines.append(Checked(name, looked_at or "", promise, violations))
    return Report(lines, began=beginning_of(history))
