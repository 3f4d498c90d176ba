"""The work under a lease: a ledger that is read, grown and written back as a whole.

Nothing but the lease keeps two workers from losing each other's lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from persidict import OutcomeUnknownError
from scenarios.leases.tenure import Tenure
from scenarios.worker import Worker

PREFIX: Final = "ledger-"
_ROUNDS: Final = 10_000


class Ledger:
    """What was done in one heat, one line a task: a plain item, written without a condition.

    Args:
        worker: Who reads and writes it.
        heat: The number of the heat.
        tenure: What the worker holds meanwhile.
    """

    def __init__(self, worker: Worker, *, heat: int, tenure: Tenure) -> None:
        self.worker = worker
        self.heat = heat
        self.tenure = tenure
        self.key = f"{PREFIX}{heat}"
        self._lines = self.read() or []

    @property
    def object(self) -> str:
        """What the history calls it."""
        return f"register/{self.key}"

    def left(self, tasks: Sequence[str]) -> Sequence[str]:
        """Which of these it does not show as done."""
        done = {line["task"] for line in self._lines}
        return [task for task in tasks if task not in done]

    def do(self, task: str) -> bool:
        """Do a task and write it down, if the lease is still held; whether that was done.

        The worker may be killed or frozen before it checks.
        """
        self.worker.checkpoint(task=task, heat=self.heat)
        return self.tenure.is_held() and self.write_down(task)

    def write_down(self, task: str) -> bool:
        """Do a task and write it down; whether that is certain."""
        lines = [*self._lines, self._line(task)]
        try:
            self.write(lines)
        except OutcomeUnknownError:
            # Whoever reads it next will see.
            self.worker.tell("unknown")
            return False
        self._lines = lines
        return True

    def read(self) -> Sequence[dict[str, Any]] | None:
        """The lines in the store; None before the first."""
        with self.worker.operation(self.object, "read") as operation:
            lines: Sequence[dict[str, Any]] | None = self.worker.store.get(self.key)
            operation.returns(lines)
        return lines

    def write(self, lines: Sequence[dict[str, Any]]) -> None:
        """Put these lines in place of those in the store, whatever they are."""
        with self.worker.operation(self.object, "write", value=lines):
            self.worker.store[self.key] = lines

    def _line(self, task: str) -> dict[str, Any]:
        result = hashlib.pbkdf2_hmac("sha256", task.encode(), self.key.encode(), _ROUNDS)
        return {
            "task": task,
            "worker": self.worker.name,
            "token": self.tenure.token,
            "result": result.hex()[:8],
        }
