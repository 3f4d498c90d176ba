"""Ledgers whose writer may be struck between its check and its write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from persidict import NonEmptySafeStrTuple
from persidict_sync.errors import LeaseLost, StaleTokenError
from scenarios.leases.ledger import Ledger
from scenarios.leases.tenure import Tenure
from scenarios.worker import Worker


class TokenLedger(Ledger):
    """A ledger that no write may reach after one with a higher token."""

    @property
    def object(self) -> str:
        """What the history calls it."""
        return f"fenced/ledgers/{self.key}"


class UnfencedLedger(TokenLedger):
    """A plain item: whoever was frozen after its check writes all the same."""

    def do(self, task: str) -> bool:
        """Do a task and write it down, if the lease is held when that is checked."""
        if not self.tenure.is_held():
            return False
        self.worker.checkpoint(task=task, heat=self.heat)
        return self.write_down(task)

    def write(self, lines: Sequence[dict[str, Any]]) -> None:
        """Put these lines in place of those in the store, whoever has written them."""
        token = self.tenure.token
        with self.worker.operation(self.object, "write", token=token, value=lines) as operation:
            self.worker.store[self.key] = lines
            operation.returns(value=True)


class FencedLedger(TokenLedger):
    """An item whose writes carry the token."""

    def do(self, task: str) -> bool:
        """Do a task and write it down, unless the lease is lost or the write is refused."""
        try:
            return self.write_down(task)
        except StaleTokenError:
            self.worker.tell("refused")
            return False
        except LeaseLost:
            return False

    def read(self) -> Sequence[dict[str, Any]] | None:
        """The lines in the store; None before the first."""
        with self.worker.operation(self.object, "read") as operation:
            fenced = self.worker.coordinator.fenced(self.worker.store, self.tenure)
            lines: Sequence[dict[str, Any]] | None = fenced.get(NonEmptySafeStrTuple(self.key))
            operation.returns(lines)
        return lines

    def write(self, lines: Sequence[dict[str, Any]]) -> None:
        """Put these lines in place of those in the store, if no higher token has been there."""
        token = self.tenure.token
        fence = _StruckAfterCheck(self.tenure, self.worker, task=lines[-1]["task"], heat=self.heat)
        fenced = self.worker.coordinator.fenced(self.worker.store, fence)
        with self.worker.operation(self.object, "write", token=token, value=lines) as operation:
            fenced[self.key] = lines
            operation.returns(value=True)
        self.worker.log("wrote", object=self.object, key=self.key, token=token, value=lines)


@dataclass(frozen=True)
class _StruckAfterCheck:
    """What is held, as a fenced dictionary asks for it; after the check a worker may be struck."""

    tenure: Tenure
    worker: Worker
    task: str
    heat: int

    @property
    def token(self) -> int:
        """The fencing token."""
        return self.tenure.token

    def check(self) -> None:
        """Raise if it is not held any more; then pass the checkpoint."""
        self.tenure.check()
        self.worker.checkpoint(task=self.task, heat=self.heat)
