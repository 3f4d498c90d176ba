"""Takeover: what nobody holds any more goes to one who waits for it, in time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.beliefs import Belief, beliefs_by_object
from scenarios.checks.stretches import Stretch, common
from scenarios.checks.vacancies import longest_wait, vacancies
from scenarios.checks.violation import Violation
from scenarios.checks.waiting import interruptions, undisturbed, waiting_for
from scenarios.history import History, Operation

NAME: Final = "takeover in time"


@dataclass(frozen=True, slots=True)
class Takeover:
    """A lease of a dead holder, and who had it next.

    Attributes:
        object: What was held.
        token: The dead holder's.
        died: When it died, in seconds.
        seconds: From there, or from when the first waited for it if that was later, to the next
            belief in it; infinite if there was none.
        allowed: How long it may take one who waits undisturbed.
    """

    object: str
    token: int
    died: float
    seconds: float
    allowed: float


def check_takeover(history: History) -> Sequence[Violation]:
    """Times in which something was free, and one who waited undisturbed did not get it.

    Something is free when fewer believe to hold it than may: its holder has died, lost it or
    released it. One waits from the call of operation `acquire` to its end. It is disturbed by a
    pause of its own, by any actor's crash, pause or coming back, and by a fault that strikes anyone
    who ever used the object or believed to hold it, if its key contains the object's name or there
    is none that does: for a request may be under way. From each, and from its `until`, the time
    begins anew; between them it does not run for the one that was struck. What an operator breaks
    is free when that is certain: once he has been told, or another has what one alone may hold. It
    may take

        (ttl * (1 + 2 * drift) + poll) / (1 - drift) + allowance

    seconds: the clock of one who waits may be slow by `drift`. `ttl` is the largest that a belief
    in it has stated; `drift`, `poll` and `allowance` are those of `meta`, by default 0.05, once and
    a half the lesser of 1 s and a quarter of `ttl`, and 1 s.

    Args:
        history: What to check.
    """
    return [
        violation
        for name, beliefs in beliefs_by_object(history).items()
        for violation in _violations(history, name, beliefs)
    ]


def takeovers(history: History) -> Sequence[Takeover]:
    """How long each takeover from a dead holder took, for which somebody waited.

    Args:
        history: What to look at.
    """
    return [
        takeover
        for name, beliefs in beliefs_by_object(history).items()
        for belief in beliefs
        if belief.ended_by == "crashed"
        for takeover in _after(history, belief, beliefs, waiting=waiting_for(history, name))
    ]


def _violations(history: History, name: str, beliefs: Sequence[Belief]) -> Iterator[Violation]:
    begins_anew = interruptions(history, name)
    too_long = [
        part
        for vacancy in vacancies(history, name, beliefs)
        for part in vacancy.cut(begins_anew)
        if part.is_late
    ]
    for waiting in waiting_for(history, name) if too_long else ():
        waited = undisturbed(history, waiting)
        late = next((each for each in common(too_long, waited) if each.is_late), None)
        if late is not None:
            yield _late(waiting, late)


def _after(
    history: History, dead: Belief, beliefs: Sequence[Belief], *, waiting: Sequence[Operation]
) -> Iterator[Takeover]:
    died = dead.end
    later = (each.begin for each in beliefs if each.begin > died)
    next_begins = next(later, None)
    until = math.inf if next_begins is None else next_begins.at
    waited = [
        max(died.at, each.called)
        for each in waiting
        if each.called < until and (each.ended is None or each.ended >= died.at)
    ]
    if waited:
        allowed = longest_wait(history, ttl=dead.ttl or 0.0)
        yield Takeover(dead.object, dead.token, died.at, until - min(waited), allowed)


def _late(waiting: Operation, late: Stretch) -> Violation:
    seconds = late.end - late.begin
    return Violation(
        check=NAME,
        object=waiting.object,
        text=f"{waiting.actor} waited undisturbed for {seconds:.3f} s for what nobody held; "
        f"{late.allowed:.3f} s are allowed",
        at=late.begin + late.allowed,
        operations=(waiting.id,),
    )
