"""What a worker does: walk the tasks, claim each, run what it has claimed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Final

from persidict import ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE, OutcomeUnknownError
from scenarios.claim_race.attempts import object_of
from scenarios.worker import Worker

_Take = Callable[..., bool]
_ROUNDS: Final = 5_000


def work(worker: Worker) -> None:
    """Walk all heats; run every task whose claim was acknowledged, and no other."""
    take = _take_unsafely if worker.is_unsafe else _take
    for heat, tasks in enumerate(worker.heats):
        worker.line_up(heat)
        for task in tasks:
            claim = uuid.uuid4().hex
            outcome = _claim(worker, task, claim=claim, take=take)
            if outcome == "won":
                _run(worker, task, claim=claim, heat=heat)
            else:
                worker.tell(outcome)


def _claim(worker: Worker, task: str, *, claim: str, take: _Take) -> str:
    try:
        with worker.calling(object_of(task), "claim", claim=claim) as operation:
            is_won = take(worker, task, claim=claim)
            operation.returns(is_won)
    except OutcomeUnknownError:
        # It may or may not be ours: whoever wants at most once does not start.
        return "unknown"
    return "won" if is_won else "lost"


def _take(worker: Worker, task: str, *, claim: str) -> bool:
    try:
        result = worker.store.setdefault_if(
            task,
            default_value={"owner": worker.name, "claim": claim},
            condition=ETAG_IS_THE_SAME,
            expected_etag=ITEM_NOT_AVAILABLE,
        )
    except OutcomeUnknownError:
        worker.count_call("setdefault_if", outcome="unknown")
        raise
    if result.condition_was_satisfied:
        worker.count_call("setdefault_if", outcome="won")
        return True
    worker.count_call("setdefault_if", outcome="lost")
    if isinstance(result.new_value, dict):
        worker.log("observed", object=object_of(task), claim=result.new_value.get("claim"))
    return False


def _take_unsafely(worker: Worker, task: str, *, claim: str) -> bool:
    if task in worker.store:
        worker.count_call("in", outcome="lost")
        return False
    worker.count_call("in", outcome="absent")
    worker.rendezvous(task=task)
    while True:
        try:
            worker.store[task] = {"owner": worker.name, "claim": claim}
        except OutcomeUnknownError:
            # Writing the same again seems harmless, which is how the mistake goes unnoticed.
            worker.count_call("[]=", outcome="unknown")
        else:
            worker.count_call("[]=", outcome="won")
            return True


def _run(worker: Worker, task: str, *, claim: str, heat: int) -> None:
    worker.log("began", object=object_of(task), claim=claim)
    worker.checkpoint(task=task, heat=heat)
    result = hashlib.pbkdf2_hmac("sha256", task.encode(), claim.encode(), _ROUNDS)
    worker.log("done", task=task, object=object_of(task), claim=claim, result=result.hex())
