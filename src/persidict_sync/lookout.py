"""What a contender has seen of a lease, remembered from one try to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from persidict_sync.cas import Cell, Known
from persidict_sync.lease_state import LeaseState
from persidict_sync.watch import Terms, Watch, certain_age


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a record, and the watch of its holder; none if it is free."""

    known: Known[LeaseState]
    watch: Watch | None

    @property
    def holder(self) -> str | None:
        """Who holds it."""
        return None if self.known.state is None else self.known.state.holder


class Lookout:
    """Watches the holder of one lease, on this process's own clock.

    Args:
        cell: The lease's record.
        terms: The watcher's own times; the ttl is the one that the record states.
        asks_server: Whether a first look also asks how old the record is by the store's clock.
    """

    def __init__(self, cell: Cell[LeaseState], *, terms: Terms, asks_server: bool) -> None:
        self._cell = cell
        self._terms = terms
        self._asks_server: Final = asks_server
        # Replaced as a whole: threads share it, and a watch belongs to one known version.
        self._seen: Seen | None = None

    @property
    def seen(self) -> Seen | None:
        """What was seen last; None before the first look."""
        return self._seen

    def look(self, deadline: float | None = None) -> Seen:
        """Look now, by the deadline; one request, without a body if nothing has changed."""
        if self._seen is None:
            return self.note(self._cell.look(deadline=deadline), is_first=True)
        return self.note(self._cell.look(self._seen.known, deadline=deadline))

    def note(self, known: Known[LeaseState], *, is_first: bool = False) -> Seen:
        """Remember what the store has said."""
        before = None if self._seen is None else self._seen.watch
        state = known.state
        if state is None or state.holder is None:
            watch = None
        elif before is not None and before.shows(state.token, beat=state.beat, ttl=state.ttl):
            watch = before
        else:
            since = self._written_by() if is_first and self._asks_server else known.answered
            watch = Watch(state.token, state.beat, state.ttl, since)
        self._seen = seen = Seen(known, watch)
        return seen

    def left(self) -> float | None:
        """Seconds until what was last seen may be taken over; None if it is free."""
        watch = None if self._seen is None else self._seen.watch
        if watch is None:
            return None
        return max(0.0, watch.over_at(self._terms) - self._cell.clock.monotonic())

    def may_be_taken(self, seen: Seen) -> bool:
        """Whether it is free, or has been watched for long enough."""
        now = self._cell.clock.monotonic()
        return seen.watch is None or now >= seen.watch.over_at(self._terms)

    def _written_by(self) -> float:
        """Before when, by the store's clock, what is there had certainly been written."""
        age = self._cell.age()
        return self._cell.clock.monotonic() - (0.0 if age is None else certain_age(age))
