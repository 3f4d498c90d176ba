"""Programs that count."""

from __future__ import annotations

from persidict_sync.counter import Counter
from scenarios.simulation.worker import UNDONE, Worker

OBJECT = "counter/hits"


def _hits(worker: Worker) -> Counter:
    found: Counter = worker.host.shared(OBJECT, lambda: worker.fleet.counter("hits"))
    return found


def add(worker: Worker) -> None:
    """Add."""
    n = worker.random.randint(1, 3)
    worker.perform(OBJECT, "add", {"n": n}, lambda: _hits(worker).add(n))


def value(worker: Worker) -> None:
    """Look."""
    worker.perform(OBJECT, "value", {}, _hits(worker).value)


def compare_and_set(worker: Worker) -> None:
    """Look, and change what was seen."""
    hits = _hits(worker)
    seen = worker.perform(OBJECT, "value", {}, hits.value)
    if seen is not UNDONE:
        new = seen + worker.random.randint(10, 20)
        args = {"expected": seen, "new": new}
        worker.perform(OBJECT, "compare_and_set", args, lambda: hits.compare_and_set(seen, new))


def reset(worker: Worker) -> None:
    """Begin anew."""
    to = worker.random.randint(0, 5)
    worker.perform(OBJECT, "reset", {"to": to}, lambda: _hits(worker).reset(to))
