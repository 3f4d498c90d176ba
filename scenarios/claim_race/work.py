"""What a worker does: walk the tasks, claim each, run what it has claimed."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, Final

from persidict import ETAG_IS_THE_SAME, ITEM_NOT_AVAILABLE, OutcomeUnknownError
from scenarios.worker import Worker

_ROUNDS: Final = 5_000


def work(worker: Worker) -> None:
    """Walk all heats; run every task whose claim was acknowledged, and no other."""
    take = _take_unsafely if worker.is_unsafe else _take
    for heat, tasks in enumerate(worker.heats):
        worker.line_up(heat)
        for task in tasks:
            claim = uuid.uuid4().hex
            worker.log("claiming", task=task, claim=claim)
            if take(worker, task, claim=claim):
                _run(worker, task, claim=claim, heat=heat)


def _take(worker: Worker, task: str, *, claim: str) -> bool:
    try:
        result = worker.store.setdefault_if(
            task,
            default_value={"owner": worker.name, "claim": claim},
            condition=ETAG_IS_THE_SAME,
            expected_etag=ITEM_NOT_AVAILABLE,
        )
    except OutcomeUnknownError:
        # It may or may not be ours: whoever wants at most once does not start.
        return _concluded(worker, "unknown", task, claim=claim, call="setdefault_if")
    if result.condition_was_satisfied:
        return _concluded(worker, "won", task, claim=claim, call="setdefault_if")
    seen = _claim_in(result.new_value)
    return _concluded(worker, "lost", task, claim=claim, call="setdefault_if", seen=seen)


def _take_unsafely(worker: Worker, task: str, *, claim: str) -> bool:
    if task in worker.store:
        return _concluded(worker, "lost", task, claim=claim, call="in")
    worker.count_call("in", outcome="absent")
    worker.rendezvous(task=task)
    while True:
        try:
            worker.store[task] = {"owner": worker.name, "claim": claim}
        except OutcomeUnknownError:
            # Writing the same again seems harmless, which is how the mistake goes unnoticed.
            worker.count_call("[]=", outcome="unknown")
        else:
            return _concluded(worker, "won", task, claim=claim, call="[]=")


def _concluded(
    worker: Worker, outcome: str, task: str, *, claim: str, call: str, seen: str | None = None
) -> bool:
    worker.log(outcome, task=task, claim=claim, seen=seen)
    worker.count_call(call, outcome=outcome)
    if outcome != "won":
        worker.tell(outcome)
    return outcome == "won"


def _claim_in(value: Any) -> str | None:
    return value.get("claim") if isinstance(value, dict) else None


def _run(worker: Worker, task: str, *, claim: str, heat: int) -> None:
    worker.log("run", task=task, claim=claim)
    worker.checkpoint(task=task, heat=heat)
    result = hashlib.pbkdf2_hmac("sha256", task.encode(), claim.encode(), _ROUNDS)
    worker.log("done", task=task, claim=claim, result=result.hex())
