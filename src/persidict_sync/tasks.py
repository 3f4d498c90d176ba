"""What the records of many tasks say, and whose owners are dead."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from persidict import NonEmptySafeStrTuple
from persidict_sync.cell import Cell
from persidict_sync.claim_state import DEAD, DONE, FAILED, OPEN, ClaimState, OwnerDeath
from persidict_sync.context import Context
from persidict_sync.errors import NotDoneError, RecordError, TaskFailedError
from persidict_sync.resident import Resident
from persidict_sync.vigil import Vigil
from persidict_sync.wait import checked_timeout, poll_until
from persidict_sync.watch import Terms

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts

DEFAULT_TTL: Final = 120.0
FEW: Final = 16
"""So many tasks are read one by one; for more, all are read with many requests in flight."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a task's record says.

    Attributes:
        task: The task.
        status: `"open"`, `"done"`, `"failed"`, `"dead"` or `"requeued"`.
        owner: How the process that claimed it last calls itself.
        worker: The identity of that process's liveness lease.
        token: The fencing token of the last claim or requeue.
        attempts: How often it was claimed, since an operator requeued it.
        error: Type and text of the last error, or None.
        result: What it was completed with, or None.
        on_owner_death: What it was claimed under.
        ttl: Seconds after which its owner counts as dead, without a renewal of its lease.
    """

    task: NonEmptySafeStrTuple
    status: str
    owner: str
    worker: str
    token: int
    attempts: int
    error: str | None
    result: Any
    on_owner_death: str
    ttl: float


class Tasks(Resident):
    """Reads the records of tasks that were claimed; `Claims` documents the arguments."""

    def __init__(
        self,
        context: Context,
        name: str,
        *,
        on_owner_death: OwnerDeath,
        ttl: float | None,
        folder: str,
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name must be one string, not a {type(name).__name__}")
        self.name: Final = name
        self.on_owner_death: Final = on_owner_death
        self.terms: Final = Terms(DEFAULT_TTL if ttl is None else ttl)
        self.context: Final = context
        self._folder = folder
        self._all = context.records.get_subdict(NonEmptySafeStrTuple(folder, name))
        self._vigil = Vigil(context, terms=self.terms)

    def get(self, task: KeyParts) -> Task | None:
        """What the task's record says; None if it was never claimed. One request.

        Raises:
            RecordError: The record is damaged or foreign.
            BackendError: The store could not be asked.
        """
        key = NonEmptySafeStrTuple(task)
        state = self.cell(key).look().state
        return None if state is None else task_of(key, state)

    def holder(self, task: KeyParts) -> str | None:
        """How the process calls itself that has the task open; None if it is not open.

        Raises:
            RecordError: The record is damaged or foreign.
            BackendError: The store could not be asked.
        """
        found = self.get(task)
        return found.owner if found is not None and found.status == OPEN else None

    def result(self, task: KeyParts) -> Any:
        """What the task was completed with; one request.

        Raises:
            NotDoneError: It has no result yet.
            TaskFailedError: It has failed, or is dead.
            RecordError: The record is damaged or foreign.
            BackendError: The store could not be asked.
        """
        found = self.get(task)
        name = text_of(NonEmptySafeStrTuple(task))
        if found is None:
            raise NotDoneError(name, "unclaimed")
        if found.status in {FAILED, DEAD}:
            raise TaskFailedError(name, found.status, found.error or "")
        if found.status != DONE:
            raise NotDoneError(name, found.status)
        return found.result

    def tasks(self) -> Iterator[Task]:
        """All tasks that were ever claimed; one request for each, many in flight at once.

        Raises:
            RecordError: A record is damaged or foreign; a note names it.
            BackendError: The store could not be asked.
        """
        return (task_of(key, state) for key, state in self._states())

    def _states(self) -> Iterator[tuple[NonEmptySafeStrTuple, ClaimState]]:
        for key, record in self._all.items():
            if record.kind != ClaimState.kind:
                raise RecordError(f"it is a {record.kind}, not a {ClaimState.kind}", key)
            try:
                yield key, ClaimState.parse(record.body)
            except RecordError as error:
                raise RecordError(error.problem, key) from None

    def keys(self) -> Iterator[NonEmptySafeStrTuple]:
        """The tasks that were ever claimed, in one request for every 1,000."""
        return self._all.keys()

    def open(self) -> list[NonEmptySafeStrTuple]:
        """The tasks that someone has claimed and not settled; requests as `tasks`."""
        return self._of(OPEN)

    def done(self) -> list[NonEmptySafeStrTuple]:
        """The tasks that have a result; requests as `tasks`."""
        return self._of(DONE)

    def failed(self) -> list[NonEmptySafeStrTuple]:
        """The tasks that have failed, and are not dead; requests as `tasks`."""
        return self._of(FAILED)

    def dead(self) -> list[NonEmptySafeStrTuple]:
        """The tasks that have failed in their last attempt; requests as `tasks`."""
        return self._of(DEAD)

    def some(self, tasks: Collection[NonEmptySafeStrTuple]) -> Iterator[Task]:
        """Those of the tasks that were ever claimed, by their records as of `tasks` or `get`."""
        if len(tasks) > FEW:
            wanted = frozenset(tasks)
            return (found for found in self.tasks() if found.task in wanted)
        return (found for task in tasks if (found := self.get(task)) is not None)

    def is_abandoned(self, task: Task) -> bool:
        """Whether it is open and may be taken over, for its owner is dead; up to one request."""
        return (
            task.status == OPEN
            and self.on_owner_death == task.on_owner_death == "reclaim"
            and self.is_dead(task)
        )

    def is_dead(self, task: Task) -> bool:
        """Whether its owner is known to be dead, as of `orphaned`; one request."""
        return self._vigil.has_died(task.worker, ttl=task.ttl)

    def _of(self, status: str) -> list[NonEmptySafeStrTuple]:
        return [found.task for found in self.tasks() if found.status == status]

    def orphaned(self, *, timeout: float = 0.0) -> list[NonEmptySafeStrTuple]:
        """The open tasks whose owner is dead: it has given up its lease, or let it expire.

        That a lease has expired is known to an object that has watched it for `ttl` and a tenth
        (`ttl` of its claim): by calls that lie so far apart, or by one with a `timeout` as long.
        A process that was suspended or cut off for so long counts as dead.

        Args:
            timeout: Seconds to watch the owners; 0 looks once.

        Raises:
            RecordError: A record is damaged or foreign.
            BackendError: The store could not be asked.
        """
        clock = self.context.clock
        seconds = checked_timeout(timeout)
        opened = [(key, state) for key, state in self._states() if state.status == OPEN]
        owners = {state.worker: state.ttl for _, state in opened}
        # Here all are known that may ever be asked after.
        self._vigil.forget_all_but(owners)
        dead: set[str] = set()

        def look() -> bool | None:
            for worker in [one for one in owners if one not in dead]:
                if self._vigil.has_died(worker, ttl=owners[worker]):
                    dead.add(worker)
            return True if dead == owners.keys() else None

        poll_until(
            look,
            clock=clock,
            deadline=None if seconds is None else clock.monotonic() + seconds,
            next_poll=lambda: max(self._vigil.next_look(one) for one in owners.keys() - dead),
        )
        return [key for key, state in opened if state.worker in dead and self._is_still(key, state)]

    def _is_still(self, key: NonEmptySafeStrTuple, state: ClaimState) -> bool:
        now = self.cell(key).look().state
        return now is not None and (now.status, now.token) == (state.status, state.token)

    def cell(self, task: NonEmptySafeStrTuple) -> Cell[ClaimState]:
        """The task's record."""
        return self.context.cell((self.name, task), ClaimState, folder=self._folder)


def text_of(task: NonEmptySafeStrTuple) -> str:
    """How a task is written."""
    return "/".join(task.strings)


def task_of(key: NonEmptySafeStrTuple, state: ClaimState) -> Task:
    """What a record says."""
    return Task(
        task=key,
        status=state.status,
        owner=state.owner,
        worker=state.worker,
        token=state.token,
        attempts=state.attempts,
        error=state.error,
        result=state.result,
        on_owner_death=state.on_owner_death,
        ttl=state.ttl,
    )
