"""Whether workers are alive, as others can see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from persidict_sync.context import Context
from persidict_sync.lease_state import LeaseState
from persidict_sync.outcome import Known
from persidict_sync.watch import Terms, Watch

FOLDER: Final = "worker"
MOST: Final = 1_000
"""So many workers are remembered, however long ago they were asked after."""
MEMORY: Final = 10
"""Of more, one is remembered for so many times as long as it must be watched."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a worker's lease, and when it was asked after last."""

    known: Known[LeaseState]
    watch: Watch
    asked: float

    def is_forgotten(self, now: float, *, terms: Terms) -> bool:
        """Whether nobody has asked for so long that nobody will."""
        return now > self.asked + MEMORY * terms.patience(self.watch.ttl)


class Vigil:
    """Watches the liveness leases of others, each on this process's own clock.

    Of more than `MOST`, those are forgotten after which nobody has asked for long. Who asks again
    all the same watches anew, and knows later that one is dead.

    Args:
        context: What the coordinator's primitives share.
        terms: The times of one's own leases, of which the drift counts here.
    """

    def __init__(self, context: Context, *, terms: Terms) -> None:
        self._context = context
        self._terms = terms
        # Without a lock, which another thread might hold when the process is forked. What threads
        # forget of each other's only makes them watch for longer.
        self._seen: dict[str, _Seen] = {}

    def has_died(self, worker: str, *, ttl: float) -> bool:
        """Whether the worker has given up its lease, or was watched for long enough; one request.

        Args:
            worker: Its identity.
            ttl: What its claim states; it holds until there is a lease.
        """
        cell = self._context.cell(worker, LeaseState, folder=FOLDER)
        seen = self._seen.get(worker)
        # It was so once the look had been sent. By the time that its answer has been read the
        # worker may have gone on, which no precondition on the claim's record would notice.
        sent = self._context.clock.monotonic()
        known = cell.look(None if seen is None else seen.known)
        state = known.state
        if state is not None and state.holder is None:
            # It never comes back, and the record says so to whoever asks again.
            self._seen.pop(worker, None)
            return True
        token, beat, ttl = (0, 0, ttl) if state is None else (state.token, state.beat, state.ttl)
        if seen is not None and seen.watch.shows(token, beat=beat, ttl=ttl):
            watch = seen.watch
        else:
            watch = Watch(token, beat, ttl, known.answered)
        self._seen[worker] = _Seen(known, watch, asked=sent)
        if seen is None and len(self._seen) > MOST:
            self._forget(sent)
        return sent >= watch.over_at(self._terms)

    def next_look(self, worker: str) -> float:
        """Seconds until another look at the worker can tell more."""
        seen = self._seen.get(worker)
        if seen is None:
            return 0.0
        left = seen.watch.over_at(self._terms) - self._context.clock.monotonic()
        return max(0.0, min(self._terms.poll, left))

    def forget_all_but(self, workers: Collection[str]) -> None:
        """Forget all others; these are about to be asked after."""
        now = self._context.clock.monotonic()
        for worker, seen in self._seen.copy().items():
            if worker in workers:
                self._seen[worker] = replace(seen, asked=now)
            else:
                self._seen.pop(worker, None)

    def _forget(self, now: float) -> None:
        for worker, seen in self._seen.copy().items():
            if seen.is_forgotten(now, terms=self._terms):
                self._seen.pop(worker, None)
