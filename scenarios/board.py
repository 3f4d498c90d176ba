"""What a run shows while it runs: a lane for each worker, and the counts so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from scenarios.screen import Line, Screen, Span
from scenarios.words import many

LANE_WIDTH: Final = 44
MAX_LANES: Final = 16
_COLOURS: Final = ("cyan", "yellow", "magenta", "blue", "green", "bright cyan", "bright blue")
_QUARTERS: Final = 4
KILLED: Final = Span("✗", "bold red")
FROZEN: Final = Span("❄", "bold")


@dataclass
class _Lane:
    cells: list[Span | None] = field(default_factory=list)
    note: str = ""


class Board:
    """Counts and lanes of a run, and how they are drawn.

    Args:
        screen: Where they are drawn.
        workers: The names, one for each lane.
        tasks: How many tasks there are.
        counted: What a task is once a worker has it in hand, in a word.
    """

    def __init__(
        self, screen: Screen, *, workers: Sequence[str], tasks: int, counted: str = "claimed"
    ) -> None:
        self._screen = screen
        self._counted = counted
        self._lanes = {name: _Lane() for name in workers}
        self._tasks = tasks
        self._quarters_told = 0
        self.counts: Counter[str] = Counter()
        self.dropped: int | None = None
        self.taken: set[str] = set()

    def took(self, worker: str, *, task: str) -> None:
        """A worker has one more task in hand."""
        self._lanes[worker].cells.append(None)
        self.taken.add(task)

    def strike(self, worker: str, *, cell: Span, note: str) -> None:
        """Mark where a blow fell in a worker's lane."""
        self._lanes[worker].cells[-1] = cell
        self._lanes[worker].note = note

    def note(self, worker: str, *, text: str) -> None:
        """Say beside the lane what has become of a worker."""
        self._lanes[worker].note = text

    def say(self, seconds: float, worker: str, text: str, *, style: str) -> None:
        """Tell of an event that stays on the screen."""
        self._screen.say([[Span(f"{seconds:6.1f} s  "), Span(f"{worker} {text}", style)]])

    def draw(self, seconds: float) -> None:
        """Show how far the run is: live on a terminal, else a line for each quarter."""
        if self._screen.is_live:
            self._screen.draw([*self.lanes(), self._status(seconds)])
            return
        quarters = _QUARTERS * len(self.taken) // self._tasks
        if self._quarters_told < quarters < _QUARTERS:
            self._quarters_told = quarters
            self._screen.say([self._status(seconds)])

    def close(self, seconds: float) -> None:
        """Leave the lanes and the last counts on the screen."""
        self._screen.draw([])
        self._screen.say([[], *self.lanes(), self._status(seconds)])

    def lanes(self) -> Sequence[Line]:
        """One line for each worker; none where there are too many for a screen."""
        if len(self._lanes) > MAX_LANES:
            return []
        longest = max(len(lane.cells) for lane in self._lanes.values())
        scale = max(1, -(-longest // LANE_WIDTH))
        return [
            self._lane(name, lane, scale=scale, colour=_COLOURS[place % len(_COLOURS)])
            for place, (name, lane) in enumerate(self._lanes.items())
        ]

    def _lane(self, name: str, lane: _Lane, *, scale: int, colour: str) -> Line:
        parts = [lane.cells[start : start + scale] for start in range(0, len(lane.cells), scale)]
        cells = [next(filter(None, part), Span("■", colour)) for part in parts]
        padding = " " * max(0, LANE_WIDTH - len(cells))
        return [
            Span(f"  {name:>4} ", "dim"),
            *cells,
            Span(f"{padding} {len(lane.cells):>4}"),
            Span(f"  {lane.note}", "dim"),
        ]

    def _status(self, seconds: float) -> Line:
        counts = [f"{len(self.taken)}/{self._tasks} {self._counted}"]
        counts += [f"{count} {kind}" for kind, count in sorted(self.counts.items())]
        if self.dropped is not None:
            counts.append(f"{many(self.dropped, 'answer')} dropped")
        return [Span(f"{seconds:6.1f} s  "), Span(" · ".join(counts), "bold")]
