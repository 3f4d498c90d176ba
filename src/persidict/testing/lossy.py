"""A store that loses answers to writes, for stores without a network that could."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final, TypeVar, cast

from persidict.object_store import Applied, ObjectStore, Refused, Unaccounted
from persidict.store_around import WRITES, StoreAround

T = TypeVar("T")


class LostReplyError(Exception):
    """The store has answered, and nobody was told what."""


class LossyStore(StoreAround):
    """Another store, of which a share of the answers to writes is lost once they are applied.

    Guarantee: which answers are lost depends on the seed and on how many there were before.
    Not guaranteed: that reads fail, or that a write is lost before it is applied.

    Args:
        inner: The store.
        share: Of all answers to writes, 0.0 to 1.0.
        seed: What it is drawn from.

    Raises:
        ValueError: The share is none.

    Attributes:
        answered: How many answers to writes there were, those that were lost included.
        lost: How many of those were lost whose write was applied.
        lost_refusals: How many of those were lost whose write was refused.

    Example:
        >>> from persidict import SQLiteDict
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     d = SQLiteDict(f"{folder}/jobs.db").with_store(
        ...         lambda store: LossyStore(store, share=0.5, seed=7)
        ...     )
        ...     [d.setdefault(f"job-{n}", n) for n in range(3)]
        [0, 1, 2]
    """

    def __init__(self, inner: ObjectStore, *, share: float, seed: int) -> None:
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share must lie in [0, 1], not be {share}")
        super().__init__(inner)
        self._share: Final = share
        self._random: Final = random.Random(seed)  # noqa: S311 - it is to be predictable
        self._lock: Final = threading.Lock()
        self.answered = 0
        self.lost = 0
        self.lost_refusals = 0

    def within(self, seconds: float) -> ObjectStore:
        """The same losses, over the store as it is for calls that have to end in time."""
        return _Within(self.inner.within(seconds), self)

    def pass_on(self, verb: str, request: Callable[[], T]) -> T:
        """What the request is answered, unless that is lost."""
        return self.after(verb, request())

    def after(self, verb: str, answer: T) -> T:
        """The answer, or that there is none."""
        if verb not in WRITES or not isinstance(answer, Applied | Refused):
            return answer
        with self._lock:
            self.answered += 1
            if self._random.random() >= self._share:
                return answer
            if isinstance(answer, Applied):
                self.lost += 1
            else:
                self.lost_refusals += 1
        return cast("T", Unaccounted(LostReplyError("the answer was lost on the way")))


class _Within(StoreAround):
    def __init__(self, inner: ObjectStore, losses: LossyStore) -> None:
        super().__init__(inner)
        self._losses = losses

    def within(self, seconds: float) -> ObjectStore:
        return _Within(self.inner.within(seconds), self._losses)

    def pass_on(self, verb: str, request: Callable[[], T]) -> T:
        return self._losses.after(verb, request())
