"""Who does which tasks of a heat, where several workers share each."""

from __future__ import annotations

from collections.abc import Sequence


def shares_of(heat: Sequence[str], *, worker: str, count: int = 1) -> Sequence[str]:
    """A worker's own tasks of a heat; w1, w2 and so on take so many in turn, one after the other.

    Each task has at least two workers if a heat has half as many tasks as there are workers, or
    just as many and each worker takes two.
    """
    tasks = sorted(heat)
    first = int(worker.removeprefix("w"))
    return [tasks[place % len(tasks)] for place in range(first, first + min(count, len(tasks)))]
