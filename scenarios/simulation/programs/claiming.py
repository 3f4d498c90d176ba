"""Programs that claim tasks, run each at most once, and give others its result."""

from __future__ import annotations

from typing import Any

from persidict_sync.claim import Claim
from persidict_sync.claims import Claims
from scenarios.simulation.worker import UNDONE, Worker

TASKS = 12
NAMES = 6


def claim_never(worker: Worker) -> None:
    """Claim a task that is never begun again."""
    _claim(worker, "never", _claims(worker, "never", ttl=worker.ttl))


def claim_manual(worker: Worker) -> None:
    """Claim a task that is begun again by order."""
    _claim(worker, "manual", _claims(worker, "manual", on_owner_death="manual"))


def requeue(worker: Worker) -> None:
    """Order that a task may be claimed again."""
    claims = _claims(worker, "manual", on_owner_death="manual")
    task = _task(worker)
    worker.perform(f"reclaim/manual/{task}", "requeue", {}, lambda: claims.requeue(task))


def claim_reclaim(worker: Worker) -> None:
    """Claim a task that is begun again when its owner has died."""
    _claim(
        worker,
        "reclaim",
        _claims(worker, "reclaim", on_owner_death="reclaim", ttl=worker.ttl, max_attempts=3),
    )


def _claims(worker: Worker, name: str, **settings: Any) -> Claims:
    found: Claims = worker.host.shared(
        f"claims/{name}", lambda: worker.fleet.claims(name, **settings)
    )
    return found


def _task(worker: Worker) -> str:
    return f"t{int(worker.random.random() ** 2 * TASKS)}"


def _claim(worker: Worker, name: str, claims: Claims) -> None:
    task = _task(worker)
    object = f"{'claim' if name == 'never' else 'reclaim'}/{name}/{task}"  # noqa: A001
    claim = worker.perform(
        object, "claim", {}, lambda: claims.claim(task), shown=lambda it: it is not None
    )
    if not isinstance(claim, Claim):
        return
    worker.log("began", object=object, token=claim.token)
    worker.sleep(worker.random.random() ** 2 * worker.ttl)
    if worker.random.random() < 0.2:
        worker.perform(object, "fail", {}, lambda: claim.fail("no luck"), shown=_nothing)
        return
    result = worker.fresh()
    args = {"token": claim.token, "result": result}
    for _ in range(3):
        # An unknown outcome may be asked for again, with the same result.
        if worker.perform(object, "complete", args, lambda: claim.complete(result)) is not UNDONE:
            return


def run_tasks(worker: Worker) -> None:
    """Run all tasks, together with everyone else."""
    claims = _claims(worker, "run")

    def one(task: str) -> str:
        worker.log("began", object=f"claim/run/{task}")
        worker.sleep(worker.random.random() * 0.2)
        return worker.host.name

    threads = worker.random.choice((1, 1, 2))
    worker.perform(
        "run/run",
        "run",
        {},
        lambda: claims.run(one, [f"r{n}" for n in range(8)], workers=threads),
        shown=lambda progress: progress.done,
    )


def orphaned(worker: Worker) -> None:
    """Watch for owners that have died."""
    claims = _claims(worker, "never", ttl=worker.ttl)
    timeout = worker.random.random() * worker.ttl
    worker.perform(
        "tasks/never",
        "orphaned",
        {},
        lambda: claims.orphaned(timeout=timeout),
        shown=lambda tasks: ["/".join(task.strings) for task in tasks],
    )


def once(worker: Worker) -> None:
    """Run what runs once, or get its result."""
    name = f"setup-{int(worker.random.random() * NAMES)}"
    object, result = f"once/{name}", worker.fresh()  # noqa: A001

    def run() -> str:
        worker.log("began", object=object)
        worker.sleep(worker.random.random() * worker.ttl)
        return result

    decorate = worker.host.shared(
        object, lambda: worker.fleet.once(name, ttl=worker.ttl, timeout=2 * worker.ttl)
    )
    worker.perform(object, "call", {"result": result}, decorate(run))


def _nothing(_: object) -> None:
    return None
