"""What may happen to the first attempt of a write, and what the contract makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from persidict.testing import FaultKind, FaultRule
from tests.s3.writes import Verdict, Write


class Reply(Enum):
    """What the client hears of its first attempt."""

    APPLIED = auto()
    REFUSED = auto()
    CONFLICT = auto()
    LOST = auto()


class Rival(Enum):
    """What another writer does before the client's next request."""

    NOTHING = auto()
    OVERWRITES = auto()
    DELETES = auto()


@dataclass(frozen=True)
class Mishap:
    """A fault of the first attempt.

    Attributes:
        lands: Whether the attempt is applied before the client's next request.
        is_late: Whether it is applied by `release_late`.
    """

    kind: FaultKind
    reply: Reply
    lands: bool
    is_late: bool = False

    def __str__(self) -> str:
        return f"{self.kind}{' after the call' if self.is_late and not self.lands else ''}"

    def rule(self, name: str, *, method: str) -> FaultRule:
        late: dict[str, Any] = {"close": True} if self.is_late else {}
        return FaultRule(kind=self.kind, nth=(0,), methods=(method,), key=name, **late)


DROPPED_REPLY = Mishap(FaultKind.DROP_REPLY, Reply.LOST, lands=True)
DROPPED_REQUEST = Mishap(FaultKind.DROP_REQUEST, Reply.LOST, lands=False)
LATE_BEFORE = Mishap(FaultKind.LATE, Reply.LOST, lands=True, is_late=True)
LATE_AFTER = Mishap(FaultKind.LATE, Reply.LOST, lands=False, is_late=True)
SENT_TWICE = Mishap(FaultKind.DUPLICATE_SECOND, Reply.REFUSED, lands=True)
CONFLICT = Mishap(FaultKind.CONFLICT, Reply.CONFLICT, lands=False)
ALL = (
    DROPPED_REPLY,
    Mishap(FaultKind.RESET_REPLY, Reply.LOST, lands=True),
    Mishap(FaultKind.TRUNCATE, Reply.LOST, lands=True),
    Mishap(FaultKind.ERROR_500_AFTER, Reply.LOST, lands=True),
    Mishap(FaultKind.ERROR_503_AFTER, Reply.LOST, lands=True),
    LATE_BEFORE,
    DROPPED_REQUEST,
    Mishap(FaultKind.ERROR_500_BEFORE, Reply.LOST, lands=False),
    Mishap(FaultKind.ERROR_503_BEFORE, Reply.LOST, lands=False),
    LATE_AFTER,
    Mishap(FaultKind.DUPLICATE_FIRST, Reply.APPLIED, lands=True),
    SENT_TWICE,
    CONFLICT,
)
WITH_RIVAL = (DROPPED_REPLY, LATE_BEFORE, DROPPED_REQUEST, LATE_AFTER, SENT_TWICE, CONFLICT)
"""One of each pair of `reply` and `lands`; the others differ only in how it sounds."""


@dataclass(frozen=True)
class Expected:
    """What must come of a write.

    Attributes:
        before: What it was applied to, or what the loser is shown, or what was seen last:
            `old`, `theirs` or `absent`.
        after: What the bucket holds in the end.
        applied: How often this write changed the bucket; None where more than once does no harm.
    """

    verdict: Verdict
    before: str
    after: str
    applied: int | None


def expected(write: Write, mishap: Mishap, rival: Rival) -> Expected:
    """The contract's "What makes a write certain", point 1, as a function."""
    first = "absent" if write.creates else "old"
    if not write.is_conditional:
        # Whatever happened meanwhile, it is sent until it is answered or seen.
        return Expected(Verdict.WON, first, write.makes_of(first), applied=None)
    made = write.makes_of(first)
    match rival:
        case Rival.NOTHING:
            now = made if mishap.lands else first
        case Rival.OVERWRITES:
            now = "theirs"
        case Rival.DELETES:
            now = "absent"
    landed = int(mishap.lands)
    is_ours = rival is Rival.NOTHING and mishap.lands and write.verb == "PUT"
    if mishap.reply is Reply.APPLIED or is_ours:
        return Expected(Verdict.WON, first, made, applied=1)
    if now == first:
        return Expected(Verdict.WON, first, made, applied=landed + 1)
    if mishap.reply is Reply.LOST:
        return Expected(Verdict.UNKNOWN, now, now, applied=landed)
    if write.decides_again:
        return _decided_again(write, now, landed=landed)
    return Expected(Verdict.LOST, now, now, applied=landed)


def _decided_again(write: Write, now: str, *, landed: int) -> Expected:
    if write.verb == "DELETE" and now == "absent":
        verdict = Verdict.LOST if write.name == "pop" else Verdict.WON
        return Expected(verdict, now, now, applied=landed)
    return Expected(Verdict.WON, now, write.makes_of(now), applied=landed + 1)
