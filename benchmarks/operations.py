"""Every operation of every primitive, in the situations that differ in what they send."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from benchmarks.stage import Stage
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import StaleTokenError

PATIENCE: Final = 33.0
"""Seconds after which a lease of the default ttl is taken over by one who has watched it."""
TASKS: Final = 20
RECLAIM: Final[dict[str, Any]] = {"on_owner_death": "reclaim", "ttl": 30.0, "max_attempts": 3}


def coordinator(stage: Stage) -> None:
    """What it takes to begin."""
    count = stage.count
    make = stage.dictionary
    count("by the address of a bucket", lambda: make().check_bucket(), most=1)
    count("over a `BasicS3Dict`", lambda: Coordinator(make(create_bucket=True)), most=1)
    count("over one with `create_bucket=False`", lambda: Coordinator(make()), most=0)
    count("any primitive, made", lambda: stage.ours.lease("made"), most=0)


def lease(stage: Stage) -> None:
    """What a holder and a contender send."""
    count = stage.count
    ours, theirs = stage.ours.lease("nightly"), stage.rival.lease("nightly")
    held = count("acquire, the first", ours.acquire, most=2)
    count("renew", held.renew, most=1)
    count("`check`, `remaining`, `lost.is_set`", lambda: _asked(held), most=0)
    count("release", held.release, most=1)
    held = count("acquire, with current knowledge", ours.acquire, most=1)
    held.release()
    theirs.acquire().release()
    held = count("acquire, with stale knowledge", ours.acquire, most=3)
    held.release()
    dead = theirs.acquire()
    count("acquire, with stale knowledge: lost", ours.try_acquire, most=2)
    count("one poll of one who waits", ours.try_acquire, most=1)
    stage.clock.advance(PATIENCE)
    count("take over, after having watched", ours.acquire, most=1)
    count("`holder`", ours.holder, most=1)
    token = dead.token + 1
    count("`break_`", lambda: stage.ours.lease("nightly").break_(token), most=2)


def lease_by_the_stores_clock(stage: Stage) -> None:
    """A contender that has just begun, with `expiry="server"`."""
    count = stage.count
    stage.rival.lease("nightly").acquire()
    late = stage.ours.lease("nightly", expiry="server")
    count("first look at what is held", late.try_acquire, most=2)
    count("one poll of one who waits", late.try_acquire, most=1)
    late = stage.ours.lease("nightly", expiry="server")
    with stage.a_minute_later():
        count("first look at what is held, and take over", late.acquire, most=3)


def _asked(held: Any) -> None:
    held.check()
    held.remaining()
    held.lost.is_set()


def lock(stage: Stage) -> None:
    """A lease with other words."""
    count = stage.count
    ours, theirs = stage.ours.lock("index"), stage.rival.lock("index")
    count("`acquire`, the first", ours.acquire, most=2)
    count("`locked`, by this process", ours.locked, most=0)
    count("`release`", ours.release, most=1)
    count("`acquire`, with current knowledge", ours.acquire, most=1)
    ours.release()
    theirs.acquire()
    count(
        "`acquire(blocking=False)`, with stale knowledge: lost",
        lambda: ours.acquire(blocking=False),
        most=2,
    )
    count("`locked`, by another", ours.locked, most=1)
    count("one poll of one who waits", lambda: ours.acquire(blocking=False), most=1)


def election(stage: Stage) -> None:
    """Who leads, and who follows."""
    count = stage.count
    ours, theirs = stage.ours.election("indexer"), stage.rival.election("indexer")
    count("`campaign`, the first", lambda: ours.campaign("here"), most=2)
    count("`leader`", ours.leader, most=1)
    count("`resign`", ours.resign, most=1)
    theirs.campaign("there")
    followers = ours.observe(timeout=0)
    count("`observe`, the first leader", lambda: next(followers), most=1)
    count("`observe`, one poll", lambda: next(followers, None), most=1)


def semaphore(stage: Stage) -> None:
    """As a lease, with all permits in one record."""
    count = stage.count
    ours, theirs = (member.semaphore("gpus", 2) for member in (stage.ours, stage.rival))
    held = count("acquire, the first", ours.acquire, most=2)
    count("renew", held.renew, most=1)
    count("release", held.release, most=1)
    held = count("acquire, with current knowledge", ours.acquire, most=1)
    another = theirs.acquire()
    count("renew, when another permit has changed", held.renew, most=3)
    another.renew()
    count("release, when another permit has changed", held.release, most=3)
    another.renew()
    count("acquire, with stale knowledge", ours.acquire, most=3)
    count("acquire, with current knowledge: lost", ours.try_acquire, most=1)
    count("one poll of one who waits", ours.try_acquire, most=1)
    stage.clock.advance(PATIENCE)
    count("take over, after having watched", ours.acquire, most=1)
    count("`holders`", ours.holders, most=1)


def fenced(stage: Stage) -> None:
    """Writes under a token, and a write that comes too late."""
    count = stage.count
    before, now = (member.lease("trainer") for member in (stage.rival, stage.ours))
    stale = before.acquire()
    models = stage.ours.fenced(stage.dictionary(root_prefix="models"), stale)
    count("write a new item", lambda: models.update(best=1), most=2)
    count("write", lambda: models.update(best=2), most=2)
    count("read", lambda: models["best"], most=1)
    count("`in`", lambda: "best" in models, most=1)
    count("delete", lambda: models.discard("best"), most=2)
    before.break_(stale.token)
    late = stage.ours.fenced(models.dictionary, _Frozen(stale.token))
    stage.ours.fenced(models.dictionary, now.acquire())["best"] = 3

    def refused() -> None:
        with suppress(StaleTokenError):
            late["best"] = 4
            raise AssertionError("a stale write was applied")

    count("write under a token that was overtaken: refused", refused, most=1)


class _Frozen:
    """What a process holds that does not know of its loss."""

    def __init__(self, token: int) -> None:
        self.token: Final = token

    def check(self) -> None:
        """It believes that it holds."""


def counter(stage: Stage) -> None:
    """Adding alone, and after others."""
    count = stage.count
    ours, theirs = stage.ours.counter("hits"), stage.rival.counter("hits")
    count("`add`, the first", ours.add, most=2)
    count("`add`, with current knowledge", ours.add, most=1)
    theirs.add()
    count("`add`, with stale knowledge", ours.add, most=3)
    count("`value`", ours.value, most=1)
    count("`compare_and_set`: set", lambda: ours.compare_and_set(4, 5), most=1)
    count("`compare_and_set`, it is another total", lambda: ours.compare_and_set(4, 6), most=1)
    count("`reset`", ours.reset, most=1)


def sequence(stage: Stage) -> None:
    """The first number of a block, and the others."""
    count = stage.count
    ours, theirs = (member.sequence("ids", block=2) for member in (stage.ours, stage.rival))
    count("`next`, the first block", ours.next, most=2)
    count("`next`, within a block", ours.next, most=0)
    count("`next`, a new block, with current knowledge", ours.next, most=1)
    ours.next()
    theirs.next()
    count("`next`, a new block, with stale knowledge", ours.next, most=3)


def claims(stage: Stage) -> None:
    """Winning, losing and settling; and what the fleet looks at."""
    count = stage.count
    ours, theirs = (member.claims("frames") for member in (stage.ours, stage.rival))
    heartbeat = stage.ours.heartbeat
    first = _won(count("`claim`: won", lambda: ours.claim("a"), most=1))
    count("in the background, after the first claim", heartbeat.run_due, most=1)
    theirs.claim("b")
    count("`claim`: lost", lambda: ours.claim("b"), most=2)
    stage.clock.advance(ours.terms.renew_every)
    count("in the background, each third of ttl", heartbeat.run_due, most=1)
    count("`complete`", lambda: first.complete(1), most=1)
    second = _won(ours.claim("c"))
    count("`fail`", lambda: second.fail("no such scene"), most=1)
    count("`result`, `get`, `holder`: each", lambda: ours.result("a"), most=1)
    for number in range(TASKS - 3):
        theirs.claim(f"task-{number}")
    listing = TASKS + 1
    count(f"`tasks`, `done`, …: each, {TASKS} tasks", lambda: list(ours.tasks()), most=listing)
    count(f"`keys`, {TASKS} tasks", lambda: list(ours.keys()), most=1)
    count(f"`orphaned`, {TASKS} tasks of one owner", ours.orphaned, most=listing + 1)


def claims_again(stage: Stage) -> None:
    """Tasks that may be begun once more."""
    count = stage.count
    ours, theirs = (member.claims("frames", **RECLAIM) for member in (stage.ours, stage.rival))
    theirs.claim("a")
    count('`claim` under `"reclaim"`: lost', lambda: ours.claim("a"), most=3)
    stage.clock.advance(PATIENCE)
    claim = count('`claim` under `"reclaim"`: take over', lambda: ours.claim("a"), most=4)
    assert claim is not None
    ours, theirs = (
        member.claims("films", on_owner_death="manual") for member in (stage.ours, stage.rival)
    )
    theirs.claim("a")
    count('`requeue` under `"manual"`', lambda: ours.requeue("a"), most=2)


def _won(claim: Any) -> Any:
    assert claim is not None
    return claim


def value(stage: Stage) -> None:
    """Reading, changing and following."""
    count = stage.count
    ours, theirs = stage.ours.value("config"), stage.rival.value("config")
    version = count("`set`, the first", lambda: ours.set({"n": 0}), most=2)
    count("`get`", ours.get, most=1)
    count("`update`, with current knowledge", lambda: ours.update(_more), most=1)
    theirs.update(_more)
    version = count("`update`, with stale knowledge", lambda: ours.update(_more), most=3)
    count("`compare_and_set`: set", lambda: ours.compare_and_set(version, {"n": 9}), most=1)
    count("`compare_and_set`: changed", lambda: ours.compare_and_set(version, {}), most=2)
    count("`history`", ours.history, most=1)
    versions = ours.watch(poll=5.0, timeout=5.0)
    count("`watch`, the value as it is", lambda: next(versions), most=1)
    count("`watch`, one poll", lambda: next(versions, None), most=1)


def _more(now: dict[str, int]) -> dict[str, int]:
    return {"n": now["n"] + 1}


def once(stage: Stage) -> None:
    """The one who runs it, and all others."""
    count = stage.count

    def build() -> str:
        return "built"

    first = stage.ours.once("build")(build)
    count("the call that runs it", first, most=2)
    count("once more in the same process", first, most=0)
    count("a call in another process", stage.ours.once("build")(build), most=2)

    def meanwhile() -> None:
        with suppress(TimeoutError):
            stage.ours.once("slow", timeout=0)(build)()
            raise AssertionError("it was not waited for")

    running = stage.rival.once("slow")(lambda: count("a call, and one poll", meanwhile, most=4))
    running()


SECTIONS: Final[dict[str, tuple[Callable[[Stage], None], ...]]] = {
    "Coordinator": (coordinator,),
    "Lease": (lease,),
    'Lease with `expiry="server"`': (lease_by_the_stores_clock,),
    "Lock": (lock,),
    "Election": (election,),
    "Semaphore": (semaphore,),
    "Fenced dictionary": (fenced,),
    "Counter": (counter,),
    "Sequence": (sequence,),
    "Claims": (claims, claims_again),
    "Shared value": (value,),
    "Once": (once,),
}
