"""What befell the actors: when they were frozen, killed, or struck by a fault."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from scenarios.events import Event
from scenarios.history import History
from scenarios.tally import NO_ANSWER


class Strike(NamedTuple):
    """A fault, and how long it lasted."""

    begins: float
    ends: float
    what: str


@dataclass
class Fate:
    """What befell one actor.

    Attributes:
        frozen: When it was frozen and when it went on.
        died: When it was killed or failed; None if it was not.
        struck: The faults that struck its requests.
        jumps: When its wall clock was changed, and by how much.
    """

    frozen: list[tuple[float, float]] = field(default_factory=list)
    died: float | None = None
    struck: list[Strike] = field(default_factory=list)
    jumps: list[tuple[float, float]] = field(default_factory=list)


def fates_in(history: History) -> Mapping[str, Fate]:
    """The fate of every actor, in the order of their names."""
    fates: defaultdict[str, Fate] = defaultdict(Fate)
    paused: dict[str, float] = {}
    for event in history.events[1:]:
        fate = fates[event.actor]
        if event.name == "paused":
            paused[event.actor] = event.at
        elif event.name == "resumed" and event.actor in paused:
            fate.frozen.append((paused.pop(event.actor), event.at))
        elif event.name == "crashed":
            fate.died = event.at
        elif event.name == "clock-jumped":
            fate.jumps.append((event.at, event["seconds"]))
        else:
            strike = _strike(event)
            fate.struck += [strike] if strike else []
    for actor, since in paused.items():
        fates[actor].frozen.append((since, fates[actor].died or history.events[-1].at))
    return {actor: fates[actor] for actor in in_order(fates)}


def in_order(actors: Iterable[str]) -> Sequence[str]:
    """Actors by name, numbers in names by their value."""
    return sorted(filter(None, actors), key=_natural)


def _natural(name: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"(\d{1,18})", name)
    ]


def _strike(event: Event) -> Strike | None:
    fields = event.fields
    if event.name == "fault":
        what = " ".join(filter(None, (event["kind"], fields.get("verb"), fields.get("key"))))
        return Strike(event.at, max(event.at, fields.get("until", event.at)), what)
    if event.name == "request" and fields.get("status") == NO_ANSWER:
        return Strike(event.at, event.at, f"no answer to a {event['verb']}")
    return None
