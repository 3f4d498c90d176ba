"""What a worker does: two tasks in each heat, under a permit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Final, TypeAlias

from persidict import ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE, OutcomeUnknownError
from scenarios.leases.tenure import Post, Tenure, tenure
from scenarios.semaphore.counting import CountingSemaphore
from scenarios.semaphore.terms import INSIDE, NAME, TARGET, TERMS, permits_for
from scenarios.shares import shares_of
from scenarios.worker import Worker

LAST: Final = "all-permits"
"""Under this key is who takes all permits in the end."""
_ROUNDS: Final = 20_000

_Take: TypeAlias = Callable[[], Post]


def work(worker: Worker) -> None:
    """Do two tasks of every heat, or find them done; in the end one worker takes all permits."""
    permits = permits_for(len(worker.heats[0]))
    take = _taking_unsafely(worker, permits) if worker.is_unsafe else _taking(worker, permits)
    for heat, tasks in enumerate(worker.heats):
        worker.line_up(heat)
        mine = shares_of(tasks, worker=worker.name, count=2)
        is_done = False
        while not is_done:
            with tenure(worker, name=TARGET, take=take) as held:
                if worker.is_unsafe:
                    worker.rendezvous(task=INSIDE)
                is_done = all(_do(worker, task, held=held, heat=heat) for task in mine)
    worker.line_up(len(worker.heats))
    if not worker.is_unsafe and _is_first(worker, LAST, {"worker": worker.name}):
        with ExitStack() as stack:
            for _ in range(permits):
                stack.enter_context(tenure(worker, name=TARGET, take=take))


def _taking(worker: Worker, permits: int) -> _Take:
    semaphore = worker.coordinator.semaphore(
        NAME, permits, ttl=TERMS.ttl, renew_every=TERMS.renew_every, poll=TERMS.poll
    )

    def take() -> Post:
        held = semaphore.acquire()
        state = held.known.state
        assert state is not None
        _note(worker, [permit.token for permit in state.held])
        return held

    return take


def _taking_unsafely(worker: Worker, permits: int) -> _Take:
    semaphore = CountingSemaphore(
        worker.store,
        TARGET,
        permits=permits,
        owner=worker.name,
        between=partial(worker.rendezvous, task=TARGET),
    )

    def take() -> Post:
        held = semaphore.acquire()
        _note(worker, held.tokens)
        return held

    return take


def _note(worker: Worker, tokens: Sequence[int]) -> None:
    worker.log("note", tokens=[*tokens])


def _do(worker: Worker, task: str, *, held: Tenure, heat: int) -> bool:
    """Whether the task is done, by this worker or by another."""
    if task in worker.store:
        return True
    worker.checkpoint(task=task, heat=heat)
    if not held.is_held():
        return False
    worker.log("note", doing=task, token=held.token)
    result = hashlib.pbkdf2_hmac("sha256", task.encode(), b"", _ROUNDS).hex()
    entry = {"worker": worker.name, "token": held.token, "result": result}
    if _is_first(worker, task, entry):
        worker.log("note", done=task, token=held.token)
        return True
    return task in worker.store


def _is_first(worker: Worker, key: str, value: Any) -> bool:
    try:
        return worker.store.setdefault_if(
            key, default_value=value, condition=ETAG_IS_THE_SAME, expected_etag=ITEM_NOT_AVAILABLE
        ).condition_was_satisfied
    except OutcomeUnknownError:
        # Somebody else's is there by now.
        return False
