"""The front door: from an address or a dictionary to the primitives."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self, Unpack

from persidict import PersiDict
from persidict.clock import SYSTEM_CLOCK, Clock
from persidict_sync.address import dictionary
from persidict_sync.context import Context, check_settings
from persidict_sync.events import Listener, log
from persidict_sync.heartbeat import Heartbeat, heartbeat_for
from persidict_sync.record import RecordCodec
from persidict_sync.resident import Resident
from persidict_sync.stats import Stats, Tally

if TYPE_CHECKING:
    import tenacity

    from persidict.safe_str_tuple import KeyParts
    from persidict_sync.claim_state import OwnerDeath
    from persidict_sync.claims import Claims
    from persidict_sync.counter import Counter
    from persidict_sync.election import Election
    from persidict_sync.fenced import Fence, Fenced
    from persidict_sync.lease import Lease, LeaseSettings
    from persidict_sync.lock import Lock
    from persidict_sync.once import Once
    from persidict_sync.semaphore import Semaphore
    from persidict_sync.sequence import Sequence
    from persidict_sync.value import SharedValue


class Coordinator(Resident):
    """Leases, counters, claims and what is built of them, over one dictionary.

    Every update is applied exactly once or not at all, and the caller is told which. No decision
    compares the clocks of two machines. Not guaranteed: progress while the store is unreachable.

    Args:
        store: An address: `s3://bucket/prefix?endpoint_url=…`, `sqlite:///relative/path`,
            `sqlite:////absolute/path` or `memory:`, see `persidict_sync.address.parse`. A bucket
            must be there, unless its address says `create_bucket=true`. Or any `PersiDict`, whose
            storage is used under a prefix of its own with records in strict JSON.
        owner: How this process calls itself in records, for people: 1 to 128 printable
            characters; host and process id by default. Nothing is recognised by it. A forked child
            goes by its own process id, or by the name that was given here, as its parent does.
        prefix: The first part of all keys.
        timeout: Seconds within which an update is settled, or ends in `OutcomeUnknownError`.
        conflicts: A `tenacity.Retrying` that says how to wait after conflicts, and when to stop.
        clock: Time, randomness and identities.
        listeners: Functions that are told of every event, in the thread where it happens. What
            they raise is logged. They must be quick, and must not call the primitive of which they
            hear: it may be in the middle of a change, for which they would wait for ever.

    Raises:
        ValueError: The address, the owner, the prefix or the timeout is unusable.
        TypeError: The store is neither an address nor a `PersiDict`, or is append-only; or
            another argument is of the wrong type.
        BackendError: The store at the address cannot be opened; of S3, the bucket is missing, or
            cannot be looked at. A 403 on looking is not fatal.

    Example:
        >>> with Coordinator("memory:") as fleet:
        ...     fleet.owner != ""
        True
    """

    def __init__(
        self,
        store: str | PersiDict[Any],
        *,
        owner: str | None = None,
        prefix: KeyParts = "coordination",
        timeout: float = 30.0,
        conflicts: tenacity.BaseRetrying | None = None,
        clock: Clock = SYSTEM_CLOCK,
        listeners: Iterable[Listener] = (),
    ) -> None:
        listeners = tuple(listeners)
        check_settings(
            owner=owner, timeout=timeout, conflicts=conflicts, clock=clock, listeners=listeners
        )
        if isinstance(store, str):
            # Several calls of the dictionary fit into one update.
            store = dictionary(store, timeout=timeout / 3, clock=clock)
        if not isinstance(store, PersiDict):
            raise TypeError(
                f"store must be an address or a PersiDict, not a {type(store).__name__}"
            )
        if store.append_only:
            raise TypeError("store is append-only; records change. Use a dictionary that is not.")
        self._tally = Tally()
        records = store.get_subdict(prefix).with_codec(RecordCodec())
        self._context = Context(
            records=records.with_meter(self._tally.count_request),
            named=owner,
            host=socket.gethostname()[:100],
            clock=clock,
            timeout=float(timeout),
            conflicts=conflicts,
            listeners=(log, self._tally, *listeners),
            heartbeat=heartbeat_for(clock),
        )

    @property
    def owner(self) -> str:
        """How this process calls itself in records."""
        return self._context.owner

    @property
    def heartbeat(self) -> Heartbeat:
        """What renews leases; with a clock other than the system's, call its `run_due`."""
        return self._context.heartbeat

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release what this coordinator holds, within `timeout` seconds; it can be used again."""
        from persidict_sync.held import Held
        from persidict_sync.worker import Life

        heartbeat = self._context.heartbeat
        mine = [
            one
            for one in heartbeat.members()
            if isinstance(one, Held | Life) and one.context is self._context
        ]
        heartbeat.let_go(mine, within=self._context.timeout)

    def stats(self) -> Stats:
        """What has happened to this coordinator's primitives, and what it cost; see `Stats`."""
        return self._tally.stats()

    def lease(self, name: KeyParts, **settings: Unpack[LeaseSettings]) -> Lease:
        """One holder at a time, under a fencing token that only rises; see `Lease`.

        Args:
            name: One or more safe strings.
            **settings: Keywords, each of which may be left out:

                ttl (float): Seconds that it lasts without being renewed; 30 by default.
                renew_every (float): Seconds between renewals; a third of `ttl` by default.
                margin (float): The share of `ttl` by which a holder gives up before it ends; 0.1
                    by default.
                drift (float): The share by which a clock may be fast or slow; 0.05 by default.
                poll (float): Seconds between two looks of one who waits; at most 1, and a quarter
                    of `ttl`, by default.
                expiry (str): `"watch"`, the default, or `"server"` to go by the store's clock as
                    well.
                on_lost (callable): Called with what was held when it is lost.

        Raises:
            ValueError: The name is unsafe, or the times contradict each other.
            TypeError: An argument is of the wrong type.
        """
        from persidict_sync.lease import Lease

        return Lease(self._context, name, **settings)

    def fenced(self, d: PersiDict[Any], held: Fence) -> Fenced[Any]:
        """A dictionary whose writes carry the token of what is held; see `Fenced`.

        Args:
            d: Any dictionary of format `pkl` or `json`; it need not be this coordinator's.
            held: What is held, such as a lease's `Held`.
        """
        from persidict_sync.fenced import Fenced

        return Fenced(d, held, context=self._context)

    def counter(self, name: KeyParts) -> Counter:
        """A whole number that many processes add to; see `Counter`.

        Args:
            name: One or more safe strings.
        """
        from persidict_sync.counter import Counter

        return Counter(self._context, name)

    def sequence(self, name: KeyParts, *, block: int = 100) -> Sequence:
        """Unique, increasing numbers; see `Sequence`.

        Args:
            name: One or more safe strings.
            block: How many numbers one request claims, 1 to 2**32.
        """
        from persidict_sync.sequence import Sequence

        return Sequence(self._context, name, block=block)

    def claims(
        self,
        name: str,
        *,
        on_owner_death: OwnerDeath = "never",
        ttl: float | None = None,
        max_attempts: int | None = None,
    ) -> Claims:
        """Claims of tasks, each begun by one worker; see `Claims`.

        Args:
            name: One safe string.
            on_owner_death: What becomes of a task whose owner died: `"never"` is it begun again,
                `"manual"` if an operator requeues it, `"reclaim"` by itself, at least once.
            ttl: Seconds after which an owner that does not renew its lease counts as dead; 120 by
                default, and required under `"reclaim"`.
            max_attempts: How often a task may be claimed under `"reclaim"`; required there.

        Raises:
            ValueError: The name is unsafe, or the others do not go together.
            TypeError: An argument is of the wrong type.
        """
        from persidict_sync.claims import Claims

        return Claims(
            self._context,
            name,
            on_owner_death=on_owner_death,
            ttl=ttl,
            max_attempts=max_attempts,
        )

    def value(self, name: KeyParts) -> SharedValue:
        """A JSON value that many processes read and change; see `SharedValue`.

        Args:
            name: One or more safe strings.
        """
        from persidict_sync.value import SharedValue

        return SharedValue(self._context, name)

    def lock(self, name: KeyParts, **settings: Unpack[LeaseSettings]) -> Lock:
        """A lock for all processes of a fleet, in place of `threading.Lock`; see `Lock`.

        Args:
            name: One or more safe strings.
            **settings: `ttl` and the other arguments of `lease`.
        """
        from persidict_sync.lease import Lease
        from persidict_sync.lock import Lock

        return Lock(Lease(self._context, name, folder="lock", **settings))

    def election(self, name: KeyParts, **settings: Unpack[LeaseSettings]) -> Election:
        """One leader at a time, whom all can look up; see `Election`.

        Args:
            name: One or more safe strings.
            **settings: `ttl` and the other arguments of `lease`.
        """
        from persidict_sync.election import Election
        from persidict_sync.lease import Lease

        lease = Lease(self._context, name, folder="election", **settings)
        return Election(lease, clock=self._context.clock)

    def semaphore(
        self, name: KeyParts, permits: int, **settings: Unpack[LeaseSettings]
    ) -> Semaphore:
        """At most `permits` holders at once; see `Semaphore`.

        Args:
            name: One or more safe strings.
            permits: How many, 1 to 200. The first who acquires fixes it for all.
            **settings: `ttl` and the other arguments of `lease`, for each permit; `expiry="server"`
                is refused.

        Raises:
            ValueError: The name is unsafe, or an argument is out of range.
            TypeError: An argument is of the wrong type.
        """
        from persidict_sync.semaphore import Semaphore

        return Semaphore(self._context, name, permits, **settings)

    def once(self, name: KeyParts, *, ttl: float = 30.0, timeout: float | None = None) -> Once:
        """A decorator: the first caller runs, all get the result; see `Once`.

        Args:
            name: One or more safe strings.
            ttl: Seconds after which a runner that does not renew its lease counts as dead.
            timeout: Seconds to wait for another's result; None waits as long as it is alive.

        Raises:
            ValueError: The name is unsafe, or a time out of range.
            TypeError: An argument is of the wrong type.
        """
        from persidict_sync.once import Once

        return Once(self._context, name, ttl=ttl, timeout=timeout)
