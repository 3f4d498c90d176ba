"""Election of one leader, whom all others can look up and follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from persidict.clock import Clock
from persidict_sync.held import Held
from persidict_sync.lease import Holder, Lease
from persidict_sync.ordinary import check_ordinary
from persidict_sync.resident import Resident
from persidict_sync.wait import checked_timeout, poll_until

T = TypeVar("T")


class Election(Resident):
    """One leader at a time, with a value that tells all others who or where it is.

    Not guaranteed: that a leader which was frozen is still the leader when it goes on, and that
    the leader of whom `leader` tells is alive. The token of what `campaign` returns keeps a late
    write out; see `Held`.

    Guaranteed: what a `Lease` guarantees, for it is one: the leader holds it.

    Args:
        lease: The lease that its leader holds.
        clock: What waiting asks for the time.

    Example:
        >>> from persidict_sync import Coordinator
        >>> election = Coordinator("memory:").election("indexer")
        >>> with election.campaign("10.0.0.7:8080") as held:
        ...     election.leader()
        '10.0.0.7:8080'
        >>> election.leader() is None
        True
        >>> election.run(lambda held: held.token, value="10.0.0.8:8080")
        3
    """

    def __init__(self, lease: Lease, *, clock: Clock) -> None:
        self._lease = lease
        self._clock = clock
        self._held: Held | None = None

    def __repr__(self) -> str:
        return f"<Election {self._lease.name!r}>"

    def campaign(self, value: Any = None, *, timeout: float | None = None) -> Held:
        """Wait until this is the leader, and lead until it is released or lost.

        Args:
            value: What tells others of the leader: any JSON, small.
            timeout: Seconds to wait; None for ever.

        Raises:
            AcquireTimeout: Others led all the time.
            BackendError: The store could not be asked.
            RuntimeError: No thread can be started to renew it; nothing was acquired.
        """
        self._held = held = self._lease.acquire(timeout, data=value)
        return held

    def leader(self) -> Any:
        """The leader's value, None if there is no leader; one request.

        Not guaranteed: that the leader is alive. If it is not, another can lead when its ttl ends.
        """
        holder = self._lease.holder()
        return None if holder is None else holder.data

    def observe(self, *, timeout: float | None = None) -> Iterator[Any]:
        """The values of leader after leader, each leadership once, in order, beginning with now's.

        One conditional request each poll. A leadership that ends before the next poll may be
        missed; two of equal values are two.

        Args:
            timeout: Seconds without a new leader after which it ends; None for ever.

        Raises:
            BackendError: The store could not be asked.
        """
        timeout = checked_timeout(timeout)
        return self._observed(timeout)

    def resign(self) -> bool:
        """Stop leading, so that others can at once.

        Returns:
            Whether the store has confirmed it. If not, nobody leads here any more all the same,
            and others can when the ttl has ended.

        Raises:
            LeaseLost: The leadership was lost before, a `RuntimeError`.
            RuntimeError: This object has not campaigned with success, or has resigned.
        """
        held, self._held = self._held, None
        if held is None:
            raise RuntimeError(f"nobody leads {self._lease.name!r} through this object")
        return held.release()

    def run(
        self, function: Callable[[Held], T], *, value: Any = None, timeout: float | None = None
    ) -> T:
        """Campaign, call `function` with what is held, resign; what it returned.

        Args:
            function: What the leader does. It should look at `held.lost` or call `held.check`
                now and then; nothing stops it when the leadership is lost.
            value: As for `campaign`.
            timeout: As for `campaign`.

        Raises:
            AcquireTimeout: Others led all the time.
            LeaseLost: The leadership was lost before the function returned.
            BackendError: The store could not be asked.
            TypeError: A call of `function` would run nothing: it is async, or a generator function.
        """
        check_ordinary(function, what="function")
        with self.campaign(value, timeout=timeout) as held:
            return function(held)

    def _observed(self, timeout: float | None) -> Iterator[Any]:
        last = 0
        poll = self._lease.terms.poll

        def look() -> Holder | None:
            holder = self._lease.holder()
            return holder if holder is not None and holder.token > last else None

        while True:
            found = poll_until(
                look,
                clock=self._clock,
                deadline=None if timeout is None else self._clock.monotonic() + timeout,
                next_poll=lambda: poll,
                spread=poll / 2,
            )
            if found is None:
                return
            last = found.token
            yield found.data
