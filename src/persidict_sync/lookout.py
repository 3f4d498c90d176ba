"""What a contender has seen of a record's holders, remembered from one try to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from persidict_sync.cell import Cell
from persidict_sync.outcome import Known
from persidict_sync.state import StateT
from persidict_sync.watch import Holding, Terms, Watch, certain_age


@dataclass(frozen=True, slots=True)
class Seen(Generic[StateT]):
    """What is known of a record: its holders, and a watch of each of them."""

    known: Known[StateT]
    holders: frozenset[str]
    watches: tuple[Watch, ...]


class Lookout(Generic[StateT]):
    """Watches each holder in one record, on this process's own clock.

    Args:
        cell: The record.
        holdings: Who holds what by a state; what it raises, `look` and `note` raise.
        permits: How many may hold at once.
        terms: The watcher's own times; the ttl is the one that the record states.
        asks_server: Whether a first look also asks how old the record is by the store's clock.
    """

    def __init__(
        self,
        cell: Cell[StateT],
        *,
        holdings: Callable[[StateT], Sequence[Holding]],
        permits: int,
        terms: Terms,
        asks_server: bool,
    ) -> None:
        self._cell = cell
        self._holdings = holdings
        self._permits: Final = permits
        self._terms = terms
        self._asks_server: Final = asks_server
        # Replaced as a whole: threads share it, and the watches belong to one known version.
        self._seen: Seen[StateT] | None = None
        self._is_outdated = False

    @property
    def seen(self) -> Seen[StateT] | None:
        """What was seen last; None before the first look."""
        return self._seen

    @property
    def believed(self) -> Seen[StateT] | None:
        """What was seen last, if nothing has shown that it has changed."""
        return None if self._is_outdated else self._seen

    def look(self, deadline: float | None = None) -> Seen[StateT]:
        """Look now, by the deadline; one request, without a body if nothing has changed."""
        if self._seen is None:
            return self.note(self._cell.look(deadline=deadline), is_first=True)
        return self.note(self._cell.look(self._seen.known, deadline=deadline))

    def note(self, known: Known[StateT], *, is_first: bool = False) -> Seen[StateT]:
        """Remember what the store has said."""
        before = () if self._seen is None else self._seen.watches
        held = () if known.state is None else self._holdings(known.state)
        asks = bool(held) and is_first and self._asks_server
        since = self._written_by() if asks else known.answered
        watches = tuple(_watch_of(one, before, since=since) for one in held)
        self._seen = seen = Seen(known, frozenset(one.owner for one in held), watches)
        self._is_outdated = False
        return seen

    def doubt(self) -> None:
        """Learn that what was seen last may have changed; who was watched is watched on."""
        self._is_outdated = True

    def learn(self, known: Known[StateT]) -> None:
        """Remember what the store has said if nothing later is known."""
        if self._seen is None or known.generation > self._seen.known.generation:
            self.note(known)

    def is_free(self, seen: Seen[StateT]) -> bool:
        """Whether fewer hold than may."""
        return len(seen.watches) < self._permits

    def over(self, seen: Seen[StateT]) -> tuple[Watch, ...]:
        """Those who have been watched for long enough to be taken over."""
        now = self._cell.clock.monotonic()
        return tuple(watch for watch in seen.watches if now >= watch.over_at(self._terms))

    def may_take(self, seen: Seen[StateT]) -> bool:
        """Whether there is something to acquire, if what is known is current."""
        return self.is_free(seen) or bool(self.over(seen))

    def left(self) -> float | None:
        """Seconds until one of those who were last seen may be taken over; None if nobody was."""
        if self._seen is None or not self._seen.watches:
            return None
        first = min(watch.over_at(self._terms) for watch in self._seen.watches)
        return max(0.0, first - self._cell.clock.monotonic())

    def _written_by(self) -> float:
        """Before when, by the store's clock, what is there had certainly been written."""
        age = self._cell.age()
        return self._cell.clock.monotonic() - (0.0 if age is None else certain_age(age))


def _watch_of(holding: Holding, before: Sequence[Watch], *, since: float) -> Watch:
    token, beat, ttl = holding.token, holding.beat, holding.ttl
    watched = (watch for watch in before if watch.shows(token, beat=beat, ttl=ttl))
    return next(watched, None) or Watch(token, beat, ttl, since)
