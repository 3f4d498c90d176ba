"""What can become of a request: each fault is one function, from the exchange to its answer."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any, Final

from persidict.object_store import NotApplied, TransientError

if TYPE_CHECKING:
    from scenarios.simulation.exchange import Exchange

Fault = Callable[["Exchange"], Any]


def request_lost(it: Exchange) -> Any:
    """The request gets lost, and the client waits for an answer in vain."""
    return it.times_out()


def reply_lost(it: Exchange) -> Any:
    """The request arrives, and its answer gets lost: in silence, or with the connection."""
    it.arrives(after=it.there)
    if it.random.random() < 0.5:
        return it.times_out()
    it.waits(it.there + it.back)
    return it.silence(ConnectionResetError("the connection was reset"))


def error_before(it: Exchange) -> Any:
    """500 or 503, and nothing was done."""
    it.waits(it.there + it.back)
    return it.silence(OSError("503 Slow Down"))


def error_after(it: Exchange) -> Any:
    """500 or 503, although it was done."""
    it.arrives(after=it.there)
    it.waits(it.there + it.back)
    return it.silence(OSError("500 Internal Error"))


def conflict(it: Exchange) -> Any:
    """409: others are writing, and nothing was done."""
    it.waits(it.there + it.back)
    return NotApplied(OSError("409 Conflict"), conflict=True)


def not_sent(it: Exchange) -> Any:
    """There is no connection to send it on."""
    it.waits(it.there)
    return NotApplied(ConnectionRefusedError("no connection"), conflict=False)


def doubled(it: Exchange) -> Any:
    """Another copy arrives later, perhaps much later; the first one's answer is delivered."""
    reply = it.arrives(after=it.there)
    it.lingers(
        at_least=1.001 * it.there, at_most=it.there + it.latency * 10 ** (4 * it.random.random())
    )
    return it.answered(reply, after=it.there + it.back)


def doubled_and_crossed(it: Exchange) -> Any:
    """Two copies arrive, and the second one's answer is delivered."""
    again = it.there + max(it.crossing, it.timeout * 0.8 * it.random.random())
    it.arrives(after=it.there)
    reply = it.arrives(after=again)
    return it.answered(reply, after=again + it.back)


def late(it: Exchange) -> Any:
    """It arrives after the client has given it up, perhaps long after."""
    it.lingers(at_least=it.timeout, at_most=it.timeout * (1.0 + 30.0 * it.random.random() ** 2))
    return it.times_out()


def slow_answer(it: Exchange) -> Any:
    """The answer takes nearly as long as the client waits for one."""
    reply = it.arrives(after=it.there)
    # Of what is left of it: what is answered too late is lost, which is another fault. Whoever has
    # hardly any time left may wait in vain for any answer.
    slow = (it.timeout - it.there) * (0.3 + 0.6 * it.random.random())
    return it.answered(reply, after=it.there + max(it.back, slow))


def read_failed(it: Exchange) -> Any:
    """500, 503 or a reset connection."""
    it.waits(it.there + it.back)
    raise TransientError("503 Slow Down") from OSError("503 Slow Down")


def read_truncated(it: Exchange) -> Any:
    """The answer ends in the middle of the body."""
    it.arrives(after=it.there)
    it.waits(it.there + it.back)
    raise TransientError("truncated") from EOFError("the body ended early")


WRITE_FAULTS: Final[Mapping[str, Fault]] = {
    "request-lost": request_lost,
    "reply-lost": reply_lost,
    "error-before": error_before,
    "error-after": error_after,
    "conflict": conflict,
    "not-sent": not_sent,
    "doubled": doubled,
    "doubled-and-crossed": doubled_and_crossed,
    "late": late,
    "slow-answer": slow_answer,
}
READ_FAULTS: Final[Mapping[str, Fault]] = {
    "request-lost": request_lost,
    "read-failed": read_failed,
    "read-truncated": read_truncated,
    "slow-answer": slow_answer,
}
CUT: Final = "cut-off"
HOST_FAULTS: Final = (CUT, "pause", "crash", "clock-jump")
KINDS: Final = tuple(dict.fromkeys((*WRITE_FAULTS, *READ_FAULTS, *HOST_FAULTS)))
"""All kinds, those of whole processes last."""


class Mix:
    """Which requests are struck, and by what.

    Args:
        rate: The share of requests that are struck.
        weights: How often each kind strikes, relative to the others; absent: never.
        freezing: The share of requests in the midst of which the process is frozen.
    """

    def __init__(self, rate: float, weights: Mapping[str, float], *, freezing: float = 0.0) -> None:
        self.rate: Final = rate
        self.freezing: Final = freezing
        self._writes = _Choice(WRITE_FAULTS, weights)
        self._reads = _Choice(READ_FAULTS, weights)

    def draw(self, random: Random, *, is_write: bool) -> str | None:
        """The kind of fault that strikes a request, None for none."""
        if random.random() >= self.rate:
            return None
        return (self._writes if is_write else self._reads).draw(random)


class _Choice:
    def __init__(self, kinds: Mapping[str, Fault], weights: Mapping[str, float]) -> None:
        self._kinds: Sequence[str] = [kind for kind in kinds if weights.get(kind, 0.0) > 0]
        self._sums = list(accumulate(weights[kind] for kind in self._kinds))

    def draw(self, random: Random) -> str | None:
        if not self._kinds:
            return None
        return self._kinds[bisect(self._sums, random.random() * self._sums[-1])]


NO_FAULTS: Final = Mix(0.0, {})
