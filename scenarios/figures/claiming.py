"""Many tasks claimed by many processes, and what their records say of who has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from persidict import BackendError, ConcurrencyConflictError, OutcomeUnknownError, PersiDict
from persidict.testing import LossyStore
from persidict_sync.coordinator import Coordinator
from scenarios.figures.places import File, Place

WON: Final = ord("W")
LOST: Final = ord("L")
UNKNOWN: Final = ord("U")
FAILED: Final = ord("F")
NAME: Final = "tasks"
RIVALS: Final = 2
"""So many jobs go for each task, at about the same time."""
TIMEOUT: Final = 30.0


@dataclass(frozen=True)
class Tasks:
    """Some tasks in a row, all at one place.

    Args:
        place: Where their records are.
        first: The number of the first.
        count: How many.
    """

    place: Place
    first: int
    count: int

    @property
    def names(self) -> Sequence[str]:
        """What they are called."""
        return [f"task-{number}" for number in range(self.first, self.first + self.count)]

    def chunks(self, size: int) -> Iterator[Tasks]:
        """The same tasks, so many at a time."""
        for first in range(self.first, self.first + self.count, size):
            yield Tasks(self.place, first, min(size, self.first + self.count - first))


@dataclass
class Bids:
    """What one job was told of each of its tasks.

    Attributes:
        tasks: The tasks.
        owner: How it called itself.
        told: A letter for each task.
        answered: How many answers to writes a file has given it, and
        lost: How many of them were lost.
    """

    tasks: Tasks
    owner: str
    told: bytearray = field(default_factory=bytearray)
    answered: int = 0
    lost: int = 0


def bid(tasks: Tasks, rival: int, seed: int, share: float) -> Bids:
    """Claim each task in turn, as one of several who do.

    Args:
        tasks: The tasks.
        rival: Which of those.
        seed: Which answers are lost is drawn from it, over a file.
        share: The share of them that is lost.
    """
    bids = Bids(tasks, f"{tasks.first}.{rival}")
    d: PersiDict[Any] = tasks.place.open(timeout=TIMEOUT / 3)
    losses: list[LossyStore] = []
    if isinstance(tasks.place, File):
        seed = hash((seed, tasks.first, rival))

        def losing(store: Any) -> LossyStore:
            losses.append(LossyStore(store, share=share, seed=seed))
            return losses[-1]

        d = d.with_store(losing)
    with Coordinator(d, owner=bids.owner, timeout=TIMEOUT) as fleet:
        claims = fleet.claims(NAME)
        for task in tasks.names:
            try:
                bids.told.append(LOST if claims.claim(task) is None else WON)
            except OutcomeUnknownError:
                bids.told.append(UNKNOWN)
            except (BackendError, ConcurrencyConflictError):
                bids.told.append(FAILED)
    bids.answered = sum(each.answered for each in losses)
    bids.lost = sum(each.lost + each.lost_refusals for each in losses)
    return bids


def owners(tasks: Tasks) -> tuple[Tasks, Sequence[str | None]]:
    """Who has each task by its record, None for nobody."""
    with Coordinator(tasks.place.open(timeout=TIMEOUT), timeout=TIMEOUT) as fleet:
        found = [fleet.claims(NAME).get(task) for task in tasks.names]
    return tasks, [None if each is None else each.owner for each in found]


class Audit:
    """Compares what all were told with what the records say."""

    def __init__(self) -> None:
        self._bids: dict[Tasks, list[Bids]] = {}
        self.told: Counter[int] = Counter()
        self.answered = 0
        self.lost = 0
        self.violations: list[str] = []

    def add(self, bids: Bids) -> None:
        """What one job was told."""
        self._bids.setdefault(bids.tasks, []).append(bids)
        self.told.update(bids.told)
        self.answered += bids.answered
        self.lost += bids.lost

    def judge(self, tasks: Tasks, owned_by: Sequence[str | None]) -> None:
        """Compare it with the records of the tasks of those jobs."""
        rivals = self._bids.pop(tasks)
        where = type(tasks.place).__name__.lower()
        for number, owner in enumerate(owned_by):
            told = {each.owner: each.told[number] for each in rivals}
            for problem in _problems(told, owner=owner):
                self.violations.append(f"{tasks.names[number]} in a {where}: {problem}")

    def counted(self) -> dict[str, int]:
        """How often they were told what."""
        return {
            "claims won": self.told[WON],
            "claims lost to another": self.told[LOST],
            "outcome unknown": self.told[UNKNOWN],
            "failed, nothing claimed": self.told[FAILED],
        }


def _problems(told: dict[str, int], *, owner: str | None) -> Iterator[str]:
    winners = [name for name, letter in told.items() if letter == WON]
    if len(winners) > 1:
        yield f"claimed by {' and by '.join(winners)}"
    for name in winners:
        if name != owner:
            yield f"{name} was told that it has it, and the record says {owner}"
    if owner is None:
        if LOST in told.values():
            yield "lost by somebody, and nobody has it"
    elif owner not in told:
        yield f"the record says {owner}, who never asked for it"
    elif told[owner] == LOST:
        yield f"{owner} has it and was told that another has"
    elif told[owner] == FAILED:
        yield f"{owner} has it and was told that nothing was claimed"
