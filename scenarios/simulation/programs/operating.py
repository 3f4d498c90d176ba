"""Programs of operators, who look who holds what, and free it for others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from persidict_sync.lease import Holder, Lease
from persidict_sync.semaphore import Semaphore
from scenarios.simulation.programs.holding import LEASE, SEMAPHORE, primary, semaphore
from scenarios.simulation.worker import UNDONE, Worker

Look = Callable[[Worker], Sequence[int]]


def holder(worker: Worker) -> None:
    """Look who holds the lease."""
    _holder(worker)


def holders(worker: Worker) -> None:
    """Look who holds permits."""
    _holders(worker)


def break_(worker: Worker) -> None:
    """Free the lease that another holds."""
    _break(worker, LEASE, primary(worker), look=_holder)


def break_permit(worker: Worker) -> None:
    """Free a permit that another holds."""
    _break(worker, SEMAPHORE, semaphore(worker), look=_holders)


def _break(worker: Worker, object: str, found: Lease | Semaphore, *, look: Look) -> None:  # noqa: A002
    tokens = look(worker)
    if not tokens:
        return
    token = worker.random.choice(tokens)
    worker.log("broken", object=object, token=token)
    worker.perform(object, "break", {"token": token}, lambda: found.break_(token))
    # Whether it has come free is seen when its holder has tried to renew it.
    worker.sleep(worker.random.random() * worker.ttl)
    look(worker)


def _holder(worker: Worker) -> Sequence[int]:
    look = primary(worker).holder
    found = worker.perform(LEASE, "holder", {}, look, shown=lambda it: it and it.token)
    return [found.token] if isinstance(found, Holder) else []


def _holders(worker: Worker) -> Sequence[int]:
    found = worker.perform(SEMAPHORE, "holders", {}, semaphore(worker).holders, shown=sorted)
    return [] if found is UNDONE else sorted(found)
