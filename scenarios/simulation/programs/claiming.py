"""Programs that claim tasks, run each at most once, and give others its result."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from persidict_sync.claim import Claim
from persidict_sync.claims import Claims
from scenarios.simulation.programs.holding import is_held
from scenarios.simulation.worker import UNDONE, Worker

TASKS = 12
NAMES = 6
CHECKS = 3
LOOKS = 6
SHIFT = 4.0
"""In ttls."""
AT_ONCE = 3
MOMENT = 1e-6


def claim_never(worker: Worker) -> None:
    """Claim a task that is never begun again."""
    _claim(worker, "never", _claims(worker, "never", ttl=worker.ttl), _task(worker))


def claim_manual(worker: Worker) -> None:
    """Claim a task that is begun again by order."""
    _claim(worker, "manual", _claims(worker, "manual", on_owner_death="manual"), _task(worker))


def requeue(worker: Worker) -> None:
    """Order that a task may be claimed again."""
    claims = _claims(worker, "manual", on_owner_death="manual")
    task = _task(worker)
    worker.perform(f"reclaim/manual/{task}", "requeue", {}, lambda: claims.requeue(task))


def claim_reclaim(worker: Worker) -> None:
    """Claim a task that is begun again when its owner has died."""
    claims = _claims(worker, "reclaim", on_owner_death="reclaim", ttl=worker.ttl, max_attempts=3)
    # Tasks come in one after the other, so that there are always some that are not done.
    shift = int(worker.host.world.scheduler.now / (SHIFT * worker.ttl))
    task = f"t{shift}-{int(worker.random.random() * AT_ONCE)}"
    _claim(worker, "reclaim", claims, task)


def _claims(worker: Worker, name: str, **settings: Any) -> Claims:
    found: Claims = worker.host.shared(
        f"claims/{name}", lambda: worker.fleet.claims(name, **settings)
    )
    return found


def _task(worker: Worker) -> str:
    return f"t{int(worker.random.random() ** 2 * TASKS)}"


def _claim(worker: Worker, name: str, claims: Claims, task: str) -> None:
    object = f"{'claim' if name == 'never' else 'reclaim'}/{name}/{task}"  # noqa: A001
    may_lose = name == "reclaim"
    claim = _won(worker, object, partial(claims.claim, task), may_wait=may_lose)
    if claim is None:
        return
    worker.log("began", object=object, token=claim.token)
    _work(worker, object, claim, may_lose=may_lose)
    if worker.random.random() < 0.2:
        worker.perform(object, "fail", {}, lambda: claim.fail("no luck"), shown=_nothing)
        return
    result = worker.fresh()
    args = {"token": claim.token, "result": result}
    for _ in range(3):
        # An unknown outcome may be asked for again, with the same result.
        if worker.perform(object, "complete", args, lambda: claim.complete(result)) is not UNDONE:
            return


def _won(
    worker: Worker,
    object: str,  # noqa: A002
    claim: Callable[[], Claim | None],
    *,
    may_wait: bool,
) -> Claim | None:
    """The claim; who may wait asks again, for that an owner is dead shows in several looks."""
    for left in reversed(range(worker.random.randrange(1, LOOKS) if may_wait else 1)):
        found = worker.perform(object, "claim", {}, claim, shown=lambda it: it is not None)
        if isinstance(found, Claim):
            return found
        worker.sleep(worker.ttl / 2 if left else 0.0)
    return None


def _work(worker: Worker, object: str, claim: Claim, *, may_lose: bool) -> None:  # noqa: A002
    seconds = worker.random.random() ** 2 * worker.ttl
    if not may_lose:
        worker.sleep(seconds)
        return
    # Whether it is still its own, only its checks say, long after others may have taken it.
    if is_held(claim):
        worker.log("acquired", object=object, token=claim.token, remaining=MOMENT)
    for _ in range(CHECKS):
        worker.sleep(seconds)
        worker.perform(object, "check", {"token": claim.token}, lambda: is_held(claim))


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
