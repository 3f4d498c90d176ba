"""Until when something is held by this process's own clock, and why it is no longer held."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from persidict.clock import Clock
from persidict_sync.watch import Terms

Reason: TypeAlias = Literal["stolen", "broken", "unreachable", "expired", "released", "forked"]
"""Why something is not held any more, as `LeaseLost` explains."""


class _Lost(threading.Event):
    """Set when it is over; asked, it looks at the clock and waits for no thread to set it."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        super().__init__()
        self._is_over = is_over

    def is_set(self) -> bool:
        return self._is_over() or super().is_set()

    def set_in_child(self) -> None:
        # A thread that is not there any more may have held the lock inside.
        super().__init__()
        self.set()


class Tenure:
    """The time for which a holder may believe that it holds; it ends once, and never comes back.

    Args:
        terms: How long that is after each renewal.
        clock: What it goes by.
        sent: Just before the first sending of what was acquired.
        on_end: Called once with the reason, by whoever has ended it or noticed that it is over.

    Attributes:
        lost: An event that is set when it is over, for whichever reason.
        reason: Why it is over; None while nobody has noticed that it is.
        cause: What made a renewal fail since the last that succeeded.
        deadline: When it ends if nothing renews it.
        next_renewal: When to renew it.
        is_in_doubt: Whether a renewal was begun, and none has succeeded since.
    """

    def __init__(
        self, terms: Terms, *, clock: Clock, sent: float, on_end: Callable[[Reason], object]
    ) -> None:
        self.lost: Final = _Lost(self.is_over)
        self.reason: Reason | None = None
        self.cause: Exception | None = None
        self.is_in_doubt = False
        self.deadline = sent + terms.tenure
        self._terms = terms
        self._clock = clock
        self._on_end = on_end
        self._lock = threading.RLock()
        self.next_renewal = self._renewal_after(sent)

    def is_over(self) -> bool:
        """Whether it is over, which whoever asks may be the first to notice."""
        # Once: a renewal that was in time may be about to extend it.
        deadline = self.deadline
        if self.reason is None and self._clock.monotonic() >= deadline:
            reason: Reason = "unreachable" if self.is_in_doubt else "expired"
            self.end(reason, self.cause, not_before=deadline)
        return self.reason is not None

    def remaining(self) -> float:
        """Seconds until it ends if nothing renews it; 0 once it is over."""
        return 0.0 if self.is_over() else self.left()

    def left(self) -> float:
        """Seconds until its deadline, whether it is over or not."""
        return max(0.0, self.deadline - self._clock.monotonic())

    def end(
        self, reason: Reason, cause: Exception | None = None, *, not_before: float | None = None
    ) -> bool:
        """Whether this call has ended it; not if that deadline has been extended meanwhile."""
        with self._lock:
            if self.reason is not None or not_before not in (None, self.deadline):
                return False
            self.reason, self.cause = reason, cause
        self.lost.set()
        self._on_end(reason)
        return True

    def extend(self, sent: float) -> bool:
        """Count anew from a renewal that was first sent then; False if it is over."""
        with self._lock:
            if self.reason is not None or self._clock.monotonic() >= self.deadline:
                return False
            self.deadline = sent + self._terms.tenure
            self.next_renewal = self._renewal_after(sent)
            self.is_in_doubt, self.cause = False, None
            return True

    def put_off(self) -> None:
        """Renew it soon, since it could not be renewed now."""
        every = self._terms.renew_every
        pause = min(every * self._clock.uniform(0.1, 0.2), self.remaining() / 4)
        self.next_renewal = self._clock.monotonic() + max(pause, every / 100)

    def stop(self, reason: Reason) -> None:
        """Have it over for this reason, and tell nobody."""
        self.reason = reason
        self.lost.set()

    def on_fork(self) -> None:
        """This is a forked child's copy, and a child holds nothing."""
        self._lock = threading.RLock()
        self.reason = self.reason or "forked"
        self.lost.set_in_child()

    def _renewal_after(self, sent: float) -> float:
        return sent + self._terms.renew_every * self._clock.uniform(0.9, 1.0)
