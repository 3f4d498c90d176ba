"""The parent's part of a race: it starts the heats, arranges duels, strikes, and watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from scenarios.board import FROZEN, KILLED, Board
from scenarios.disruptions import Blow, Disruptions, Struck
from scenarios.duels import Duels
from scenarios.fleet import ENDED, HUNG, Fleet, Message
from scenarios.heats import StartingLine

_TICK: Final = 0.1


@dataclass
class Course:
    """What has happened to the workers of a run, as far as the parent has seen.

    Attributes:
        exits: Exit status of each worker that has ended; negative: by that signal.
        hung: The workers that were ended because they gave no sign of life.
        killed: Who was killed on purpose, and what it held.
        frozen: Who was frozen on purpose, and what it held.
        was_continued: Whether the frozen one went on.
        killed_at: When that was, on the clock of the workers' logs.
        frozen_at: The same of the freezing, when the worker had stopped.
        continued_at: The same of its going on, just before.
        seconds: From the start of the first heat to the end of the last worker.
    """

    exits: dict[str, int | None] = field(default_factory=dict)
    hung: list[str] = field(default_factory=list)
    killed: Struck | None = None
    frozen: Struck | None = None
    was_continued: bool = False
    killed_at: float | None = None
    frozen_at: float | None = None
    continued_at: float | None = None
    seconds: float = 0.0


class Race:
    """Leads a fleet through its heats.

    Args:
        fleet: The workers, started.
        board: What is shown.
        disruptions: Whom to strike.
        duels: Whom to hold between read and write.
        count_dropped: How many answers were dropped so far; None where nobody knows yet.
        course: Where to note what happens.
        frozen_seconds: How long one stays frozen at least.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        board: Board,
        disruptions: Disruptions,
        duels: Duels,
        count_dropped: Callable[[], int | None],
        course: Course,
        frozen_seconds: float = 0.0,
    ) -> None:
        self._fleet = fleet
        self._board = board
        self._disruptions = disruptions
        self._duels = duels
        self._count_dropped = count_dropped
        self._line = StartingLine()
        self._began: float | None = None
        self._shown_at = 0.0
        self._course = course
        self._frozen_seconds = frozen_seconds

    def run(self) -> None:
        """Lead the race until every worker has ended."""
        while self._fleet.alive:
            for message in self._fleet.receive(timeout=_TICK):
                self._handle(message)
            self._move()
            self._show()
        self._course.seconds = self._seconds()
        self._board.close(self._course.seconds)

    def _handle(self, message: Message) -> None:
        match message.kind:
            case "line-up":
                self._line.arrive(message.worker, heat=message.fields["heat"])
            case "checkpoint":
                self._checkpoint(message)
            case "rendezvous":
                for worker in self._duels.arrive(message.worker, task=message.fields["task"]):
                    self._fleet.release(worker)
            case kind if kind == ENDED:
                self._end(message)
            case kind if kind == HUNG:
                self._course.hung.append(message.worker)
                self._fleet.kill(message.worker)
            case kind:
                self._board.counts[kind] += 1

    def _checkpoint(self, message: Message) -> None:
        worker, task, heat = message.worker, message.fields["task"], message.fields["heat"]
        self._board.took(worker, task=task)
        match self._disruptions.decide(worker, task=task, heat=heat):
            case Blow.KILL:
                self._fleet.kill(worker)
                self._course.killed_at = time.monotonic()
                self._course.killed = self._disruptions.killed
                self._board.strike(worker, cell=KILLED, note=f"killed inside {task}")
                self._say(worker, f"killed (SIGKILL) inside {task}", style="red")
            case Blow.FREEZE:
                self._fleet.freeze(worker)
                self._course.frozen_at = time.monotonic()
                self._course.frozen = self._disruptions.frozen
                self._board.strike(worker, cell=FROZEN, note=f"frozen inside {task}")
                self._say(worker, f"frozen (SIGSTOP) inside {task}", style="bright blue")
            case None:
                self._fleet.release(worker)

    def _end(self, message: Message) -> None:
        worker = message.worker
        self._line.leave(worker)
        self._course.exits[worker] = message.fields["exit"]
        was_killed = self._course.killed is not None and self._course.killed.worker == worker
        if message.fields["exit"] != 0 and not was_killed:
            self._board.note(worker, text=f"ended early, status {message.fields['exit']}")
            self._say(worker, "ended before its work was done", style="red")

    def _move(self) -> None:
        starters = self._line.start(awake=self._fleet.awake)
        if starters and self._began is None:
            self._began = time.monotonic()
        for worker in starters:
            self._fleet.release(worker)
        if self._is_frozen_enough():
            frozen = self._disruptions.thaw(
                frontier=self._line.frontier, is_anyone_awake=bool(self._fleet.awake)
            )
            if frozen is not None:
                self._thaw(frozen)
        if not self._fleet.busy:
            for worker in self._duels.give_up():
                self._fleet.release(worker)

    def _is_frozen_enough(self) -> bool:
        at = self._course.frozen_at
        return at is not None and time.monotonic() >= at + self._frozen_seconds

    def _thaw(self, worker: str) -> None:
        self._course.continued_at = time.monotonic()
        self._fleet.thaw(worker)
        self._course.was_continued = True
        assert self._course.frozen is not None
        heats = self._line.frontier - self._course.frozen.heat
        self._board.note(worker, text=f"frozen inside {self._course.frozen.task}, continued")
        self._say(
            worker,
            f"continued (SIGCONT), {heats} heat{'s' * (heats != 1)} later",
            style="bright blue",
        )

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._shown_at < _TICK:
            return
        self._shown_at = now
        self._board.dropped = self._count_dropped()
        self._board.draw(self._seconds())

    def _say(self, worker: str, text: str, *, style: str) -> None:
        self._board.say(self._seconds(), worker, text, style=style)

    def _seconds(self) -> float:
        return 0.0 if self._began is None else time.monotonic() - self._began
