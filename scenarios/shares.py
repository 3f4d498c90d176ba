"""Who does which task of a heat, where two or three workers share each."""

from __future__ import annotations

from collections.abc import Sequence


def share_of(heat: Sequence[str], *, worker: str) -> str:
    """The one task of a heat that is this worker's; w1, w2 and so on take them in turn.

    A heat has half as many tasks as there are workers, so each task has two workers at least.
    """
    tasks = sorted(heat)
    return tasks[int(worker.removeprefix("w")) % len(tasks)]
