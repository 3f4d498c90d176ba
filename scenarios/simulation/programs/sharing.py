"""Programs that read and change one shared value, and draw numbers of one sequence."""

from __future__ import annotations

from typing import Any

from persidict_sync.sequence import Sequence
from persidict_sync.value import SharedValue
from scenarios.simulation.worker import UNDONE, Worker

VALUE = "register/config"
SEQUENCE = "sequence/ids"


def _config(worker: Worker) -> SharedValue:
    found: SharedValue = worker.host.shared(VALUE, lambda: worker.fleet.value("config"))
    return found


def get(worker: Worker) -> Any:
    """Read."""
    return worker.perform(VALUE, "read", {}, _config(worker).get, shown=lambda seen: seen.value)


def set_(worker: Worker) -> None:
    """Write whatever is there."""
    value = worker.fresh()
    worker.perform(
        VALUE, "write", {"value": value}, lambda: _config(worker).set(value), shown=lambda _: None
    )


def update(worker: Worker) -> None:
    """Replace what is there."""
    value, before = worker.fresh(), None

    def change(now: Any) -> Any:
        nonlocal before
        before = now
        return value

    worker.perform(
        VALUE,
        "update",
        {"value": value},
        lambda: _config(worker).update(change),
        shown=lambda _: before,
    )


def compare_and_set(worker: Worker) -> None:
    """Read, think, and replace what was read."""
    seen = get(worker)
    if seen is UNDONE:
        return
    worker.sleep(worker.random.random() * 0.3)
    value = worker.fresh()
    worker.perform(
        VALUE,
        "cas",
        {"expected": seen.value, "value": value},
        lambda: _config(worker).compare_and_set(seen, value),
        shown=lambda version: version is not None,
    )


def next_number(worker: Worker) -> None:
    """Draw a number."""
    host = worker.host
    ids: Sequence = host.shared(SEQUENCE, lambda: worker.fleet.sequence("ids", block=2))
    worker.perform(SEQUENCE, "next", {}, ids.next)
