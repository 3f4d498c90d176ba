"""The updates of a record by all workers: which were applied, which were not, and who knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.events import Event
from scenarios.history import History, Operation, OperationId, merge
from scenarios.midway import Moment


@dataclass(frozen=True)
class Update:
    """An operation that may have changed a record.

    Args:
        operation: As in the history.
        notes: What its worker noted of it meanwhile.
    """

    operation: Operation
    notes: Mapping[str, Any]

    @property
    def actor(self) -> str:
        """Whose it was."""
        return self.operation.actor

    @property
    def task(self) -> str | None:
        """What it was for; None if its worker ended before it could say."""
        task: str | None = self.notes.get("task")
        return task

    @property
    def generation(self) -> int | None:
        """The generation of the record that it has made; None if it is not known to have."""
        generation: int | None = self.notes.get("generation")
        return generation

    @property
    def is_acknowledged(self) -> bool:
        """Whether its caller was told that it was applied."""
        return self.operation.outcome == "returned" and self.operation.value is not False

    @property
    def is_untold(self) -> bool:
        """Whether it was applied, and its worker was killed before it was told."""
        return self.generation is not None and self.operation.outcome == "unknown"

    @property
    def is_open(self) -> bool:
        """Whether nobody can say: no answer came, and it was under way."""
        was_held_back = self.operation.ended is None and self.notes.get("stopped") == Moment.READ
        is_unknown = self.operation.outcome == "unknown"
        return is_unknown and self.generation is None and not was_held_back


def updates_in(logs: Mapping[str, Iterable[Event]]) -> Sequence[Update]:
    """Every update by every worker, in the order of their calls; a worker has one at a time."""
    history = merge(logs.values())
    notes = _notes_in(history)
    return [Update(operation, notes[operation.id]) for operation in history.operations]


def _notes_in(history: History) -> Mapping[OperationId, Mapping[str, Any]]:
    notes: dict[OperationId, dict[str, Any]] = defaultdict(dict)
    current: dict[str, OperationId] = {}
    for event in history:
        if event.name == "call":
            current[event.actor] = event["id"]
        elif event.name == "note" and event.actor in current:
            notes[current[event.actor]] |= event.fields
        elif event.name in ("return", "failed", "unknown"):
            del current[event.actor]
    return notes
