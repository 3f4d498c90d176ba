"""Programs that hold something for a while and work under its token."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from persidict_sync.claim import Claim
from persidict_sync.election import Election
from persidict_sync.errors import LeaseLost
from persidict_sync.fenced import Fenced
from persidict_sync.held import Held
from persidict_sync.lease import Lease
from persidict_sync.lock import Lock
from persidict_sync.semaphore import Semaphore
from scenarios.simulation.worker import Worker

LEASE = "lease/primary"
SERVER_LEASE = "lease/nightly"
LOCK = "lease/lock-index"
ELECTION = "lease/election-leader"
SEMAPHORE = "semaphore/gpus"
PERMITS = 2
LONGEST_WAIT = 4.0
"""In ttls."""
ASKED_FOR = 0.1
"""How often a holder renews by itself, after a check."""
FENCED_KEYS = ("a", "a", "b")


def lease(worker: Worker) -> None:
    """Hold a lease, and write under its token."""
    _lease(worker, LEASE, primary(worker))


def server_lease(worker: Worker) -> None:
    """Hold a lease that is taken over by the store's clock as well."""
    _lease(worker, SERVER_LEASE, _made(worker, SERVER_LEASE, expiry="server"))


def primary(worker: Worker) -> Lease:
    """The lease of this process that operators break as well."""
    return _made(worker, LEASE, expiry="watch")


def _made(worker: Worker, object: str, **settings: Any) -> Lease:  # noqa: A002
    name = object.partition("/")[2]
    found: Lease = worker.host.shared(
        object, lambda: worker.fleet.lease(name, **worker.times, **settings)
    )
    return found


def _lease(worker: Worker, object: str, found: Lease) -> None:  # noqa: A002
    held = _tried(worker, object, found)
    if held is not None:
        _work(worker, object, held, writes=object == LEASE)
        _give_up(worker, object, held, held.release)


def lock(worker: Worker) -> None:
    """Hold a lock."""
    found: Lock = worker.host.shared(LOCK, lambda: worker.fleet.lock("index", **worker.times))

    def acquire() -> Held | None:
        timeout = worker.random.random() ** 2 * LONGEST_WAIT * worker.ttl
        return found.held if found.acquire(timeout=timeout) else None

    held = _acquired(worker, LOCK, acquire)
    if held is not None:
        _work(worker, LOCK, held)
        _give_up(worker, LOCK, held, found.release)


def campaign(worker: Worker) -> None:
    """Lead for a while."""
    me = worker.host.world.scheduler.current.number
    found = _election(worker, str(me))
    timeout = worker.random.random() ** 2 * LONGEST_WAIT * worker.ttl
    held = _acquired(worker, ELECTION, lambda: found.campaign(worker.host.name, timeout=timeout))
    if held is not None:
        _work(worker, ELECTION, held)
        _give_up(worker, ELECTION, held, found.resign)


def leader(worker: Worker) -> None:
    """Look who leads."""
    worker.perform(ELECTION, "leader", {}, _election(worker, "observer").leader)


def _election(worker: Worker, whose: str) -> Election:
    found: Election = worker.host.shared(
        f"{ELECTION}/{whose}", lambda: worker.fleet.election("leader", **worker.times)
    )
    return found


def permit(worker: Worker) -> None:
    """Hold a permit of a semaphore."""
    found = semaphore(worker)
    held = _tried(worker, SEMAPHORE, found, permits=PERMITS)
    if held is not None:
        _work(worker, SEMAPHORE, held)
        _give_up(worker, SEMAPHORE, held, held.release)


def semaphore(worker: Worker) -> Semaphore:
    """The semaphore of this process."""
    found: Semaphore = worker.host.shared(
        SEMAPHORE, lambda: worker.fleet.semaphore("gpus", PERMITS, **worker.times)
    )
    return found


def _tried(
    worker: Worker,
    object: str,  # noqa: A002
    found: Lease | Semaphore,
    **about: Any,
) -> Held | None:
    if worker.random.random() < 0.5:
        return _acquired(worker, object, found.try_acquire, op="try_acquire", **about)
    timeout = worker.random.random() ** 2 * LONGEST_WAIT * worker.ttl
    return _acquired(worker, object, lambda: found.acquire(timeout=timeout), **about)


def _acquired(
    worker: Worker,
    object: str,  # noqa: A002
    acquire: Callable[[], Held | None],
    *,
    op: str = "acquire",
    **about: Any,
) -> Held | None:
    held = worker.perform(object, op, {}, acquire, shown=lambda it: it and it.token)
    if not isinstance(held, Held):
        return None
    worker.host.world.beliefs.begin(worker.host, object, held, ttl=worker.ttl, **about)
    return held


def _work(worker: Worker, object: str, held: Held, *, writes: bool = False) -> None:  # noqa: A002
    fenced: Fenced[Any] | None = None
    if writes:
        fenced = worker.fleet.fenced(worker.host.dictionary.get_subdict("fenced"), held)
    for _ in range(worker.random.randrange(4)):
        worker.sleep(worker.random.random() ** 2 * worker.ttl)
        if not worker.perform(object, "check", {"token": held.token}, lambda: is_held(held)):
            # What is lost never comes back.
            worker.sleep(worker.random.random() * worker.ttl)
            worker.perform(object, "check", {"token": held.token}, lambda: is_held(held))
            return
        if worker.random.random() < ASKED_FOR:
            worker.perform(object, "renew", {"token": held.token}, lambda: _is_renewed(held))
        for _ in range(0 if fenced is None else worker.random.randrange(3)):
            _write(worker, fenced, token=held.token)


def is_held(held: Held | Claim) -> bool:
    """Whether its holder is told so."""
    try:
        held.check()
    except LeaseLost:
        return False
    return True


def _is_renewed(held: Held) -> bool:
    held.renew()
    return True


def _write(worker: Worker, fenced: Fenced[Any] | None, *, token: int) -> None:
    assert fenced is not None
    key, value = worker.random.choice(FENCED_KEYS), worker.fresh()
    args = {"token": token, "value": value}

    def write() -> bool:
        fenced[key] = value
        return True

    worker.perform(f"fenced/primary/{key}", "write", args, write)


def _give_up(
    worker: Worker,
    object: str,  # noqa: A002
    held: Held,
    release: Callable[[], bool | None],
) -> None:
    if worker.random.random() < 0.03:
        # Forgotten, and renewed as long as the process lives.
        return
    worker.host.world.beliefs.end(worker.host, object, held.token)
    worker.perform(object, "release", {"token": held.token}, release, shown=bool)


def read_fenced(worker: Worker) -> None:
    """Read what was written under tokens, as one who knows of no fence."""
    plain = worker.host.dictionary.get_subdict("fenced")
    for key in sorted(set(FENCED_KEYS)):
        worker.perform(
            f"fenced/primary/{key}",
            "read",
            {},
            partial(plain.get, key),
            shown=lambda seen: seen and seen["value"],
        )
