"""How often something is tried again, how long between, and until when.

tenacity drives every loop; it is imported when the first dictionary is made, which keeps it out of
the cost of `import persidict`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NoReturn, TypeVar

from persidict.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    import tenacity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full jitter between tries, doubling up to a cap.

    Args:
        clock: What is asked for the time, for randomness and to sleep.
        first_wait: Upper bound of the first wait, in seconds.
        longest_wait: Upper bound of every wait, in seconds.
        tries: How often a request is made whose earlier tries are all known to have failed.
        timeout: Seconds after which a call gives up in any case.
    """

    clock: Clock = field(default=SYSTEM_CLOCK)
    first_wait: float = 0.05
    longest_wait: float = 2.0
    tries: int = 5
    timeout: float = 30.0

    def load(self) -> None:
        """Import what retries need, for it must not be imported first in the midst of a write.

        There an interrupt would leave half of it, which fails from then on; and a child that is
        forked meanwhile would wait for the end of the import for ever.
        """
        import tenacity  # noqa: F401

    def within(self, seconds: float) -> RetryPolicy:
        """The same, whose calls give up after so many seconds."""
        return RetryPolicy(self.clock, self.first_wait, self.longest_wait, self.tries, seconds)

    def deadline(self) -> float:
        """When a call that begins now gives up, on the clock's monotonic scale."""
        return self.clock.monotonic() + self.timeout

    def wait(self, tries: int, *, latest: float = inf) -> float:
        """Seconds to wait after this many tries, and not beyond `latest`."""
        doubled = self.first_wait * 2 ** min(tries - 1, 30)
        drawn = self.clock.uniform(0.0, min(self.longest_wait, doubled))
        return min(drawn, max(0.0, latest - self.clock.monotonic()))

    def until_settled(
        self,
        one_try: Callable[[], T | None],
        *,
        stop: Callable[[int], bool],
        give_up: Callable[[int], NoReturn],
        latest: float = inf,
    ) -> T:
        """Call `one_try` until it returns something other than None.

        Args:
            one_try: None means: not yet, try again.
            stop: Asked with the number of tries so far.
            give_up: What to raise when `stop` says so.
            latest: When the last try may begin, on the clock's monotonic scale.
        """
        result = one_try()
        if result is not None:
            return result
        if stop(1):
            give_up(1)
        self.clock.sleep(self.wait(1, latest=latest))
        return self._loop(one_try, stop=stop, give_up=give_up, latest=latest)

    def _loop(
        self,
        one_try: Callable[[], T | None],
        *,
        stop: Callable[[int], bool],
        give_up: Callable[[int], NoReturn],
        latest: float,
    ) -> T:
        import tenacity

        def tries(state: tenacity.RetryCallState) -> int:
            return state.attempt_number + 1

        loop = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda result: result is None),
            stop=lambda state: stop(tries(state)),
            wait=lambda state: self.wait(tries(state), latest=latest),
            sleep=self.clock.sleep,
            retry_error_callback=lambda state: give_up(tries(state)),
        )
        result = loop(one_try)
        assert result is not None
        return result


def tries_in_words(count: int) -> str:
    """How many: `1 try`, `5 tries`."""
    return "1 try" if count == 1 else f"{count} tries"
