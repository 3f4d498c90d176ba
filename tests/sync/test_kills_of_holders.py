"""Holders in real processes that are killed or frozen: what becomes of what they held."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from persidict.clock import SYSTEM_CLOCK
from persidict_sync.address import dictionary
from persidict_sync.errors import LeaseLost, StaleTokenError
from tests.sync.remotes import (
    ALLOWANCE,
    acquire,
    believed_until,
    now,
    reason,
    release,
    renewals,
    take_over,
    watch,
)

TTL, POLL = 2.0, 0.2
MORTAL = {"ttl": TTL, "renew_every": 0.2, "poll": POLL}
"""Soon taken over."""
STEADY = {"ttl": 60.0, "renew_every": 0.2, "poll": POLL}
"""Held also by a process that gets no processor for a while, and seen to be renewed soon."""
BOUND = TTL * 1.1 + 2 * (POLL + POLL / 2) + ALLOWANCE
"""Seconds from a holder's death to the takeover: `ttl * (1 + 2 * drift)`, and two polls."""


def fence(here, token, value):
    """A write under a token that was checked at some time before."""
    d = dictionary(here.address, timeout=10.0, clock=SYSTEM_CLOCK).get_subdict("data")
    held = SimpleNamespace(token=token, check=lambda: None)
    here.fleet.fenced(d, held)["model"] = value


def renew(here):
    here.kept.renew()


def how_it_was_lost(here):
    """What a holder that has lost it was told, and has done since."""
    here.wait_for(lambda: here.told("lost"))
    here.wait_for(lambda: here.lost)
    lost = [held is here.kept for held in here.lost], len(here.told("lost"))
    return here.kept.lost.is_set(), *lost, [event.at for event in here.told("renewed")]


def holder(here, kind, name):
    found = getattr(here.fleet, kind)(name).holder()
    return found.owner, found.token


def holders(here, name, permits):
    return here.fleet.semaphore(name, permits).holders()


def tries(here, kind, *arguments):
    return getattr(here.fleet, kind)(*arguments).try_acquire() is not None


def test_a_killed_holder_is_taken_over_with_a_higher_token_within_the_bound(remote):
    dead, heir = remote("dead"), remote("heir")
    token, _ = dead.do(acquire, "lease", "nightly", **MORTAL)
    looked = heir.do(watch, "lease", "nightly", **STEADY)
    heir.begin(take_over)
    believed = dead.do(believed_until)
    dead.kill()
    killed = now()
    higher, taken = heir.answer()
    assert higher > token
    assert believed < taken <= max(killed, looked) + BOUND
    assert heir.do(holder, "lease", "nightly") == ("heir", higher)
    assert heir.do(release)


def test_a_holder_that_was_frozen_finds_itself_lost_and_disturbs_nobody(remote):
    slow, heir = remote("slow"), remote("heir")
    token, _ = slow.do(acquire, "lease", "nightly", **MORTAL)
    slow.do(fence, token, "by slow")
    heir.do(watch, "lease", "nightly", **STEADY)
    heir.begin(take_over)
    believed = slow.do(believed_until)
    with slow.frozen(at="renewed"):
        higher, taken = heir.answer()
        assert higher > token
        assert taken > believed
        heir.do(fence, higher, "by heir")
    assert slow.do(reason) in {"expired", "unreachable", "stolen"}
    is_set, called_with_it, told, renewed = slow.do(how_it_was_lost)
    assert (is_set, called_with_it, told) == (True, [True], 1)
    assert all(at < taken for at in renewed)
    with pytest.raises(LeaseLost):
        slow.do(renew)
    with pytest.raises(LeaseLost):
        slow.do(release)
    with pytest.raises(StaleTokenError):
        slow.do(fence, token, "late")
    assert slow.do(tries, "lease", "nightly") is False
    heir.do(renewals, 2)
    assert heir.do(reason) is None
    assert heir.do(holder, "lease", "nightly") == ("heir", higher)
    heir.do(fence, higher, "by heir again")


def test_a_killed_holders_permit_comes_back_and_others_keep_theirs(remote):
    dead, other, heir = remote("dead"), remote("other"), remote("heir")
    lost, _ = dead.do(acquire, "semaphore", "gpus", 2, **MORTAL)
    kept, _ = other.do(acquire, "semaphore", "gpus", 2, **STEADY)
    looked = heir.do(watch, "semaphore", "gpus", 2, **STEADY)
    heir.begin(take_over)
    believed = dead.do(believed_until)
    dead.kill()
    killed = now()
    new, taken = heir.answer()
    assert new > max(lost, kept)
    assert believed < taken <= max(killed, looked) + BOUND
    other.do(renewals, 2)
    assert other.do(reason) is None
    assert heir.do(holders, "gpus", 2) == {kept: "other", new: "heir"}
    assert other.do(tries, "semaphore", "gpus", 2) is False


def churn(here, rounds, settings, *, freezes_in=None):
    """Hold a permit again and again, and say from when to when it was held for certain."""
    semaphore = here.fleet.semaphore("gpus", 2, **settings)
    counter = here.fleet.counter("work")
    for number in range(rounds):
        held = semaphore.acquire()
        here.say("held", held.token, now())
        if number == freezes_in:
            here.freeze()
        try:
            for _ in range(3):
                counter.add()
                held.check()
                here.say("checked", held.token, now())
            held.release()
        except LeaseLost:
            here.say("lost", held.token, now())


def spans(heard):
    """From when to when each token was held for certain."""
    begun, ended = {}, {}
    for what, token, at in heard:
        if what == "held":
            begun[token] = at
        ended[token] = at if what == "checked" else ended.get(token, at)
    return {token: (at, ended[token]) for token, at in begun.items()}


def test_never_more_than_k_while_holders_are_killed_and_frozen(remote):
    dead, slow, one, another = (remote(name) for name in ("dead", "slow", "one", "another"))
    slow.begin(churn, 2, {**MORTAL, "renew_every": 1.0}, freezes_in=1)
    with slow.frozen():
        dead.begin(churn, 1_000, MORTAL)
        one.begin(churn, 8, MORTAL)
        another.begin(churn, 8, MORTAL)
        heard = [[dead.hear()]]
        dead.kill()
        heard += [list(each.hear_out()) for each in (dead, one, another)]
    heard.append(list(slow.hear_out()))
    held = [span for said in heard for span in spans(said).items()]
    assert len(held) == len(dict(held)) >= 19
    starts = [begin for _, (begin, _) in held]
    for at in starts:
        assert sum(begin <= at <= end for _, (begin, end) in held) <= 2


def observe(here, name, count):
    leaders = here.fleet.election(name, poll=POLL).observe()
    for _ in range(count):
        here.say(next(leaders))


def campaign(here, name, value, settings):
    election = here.fleet.election(name, **settings)
    here.kept = election.campaign(value)
    return here.kept.token, now()


def test_a_killed_leader_is_replaced_and_observers_see_it(remote):
    dead, heir, observer = remote("dead"), remote("heir"), remote("observer")
    token, _ = dead.do(campaign, "indexer", "at dead's", MORTAL)
    observer.begin(observe, "indexer", 2)
    assert observer.hear() == ("at dead's",)
    heir.begin(campaign, "indexer", "at heir's", STEADY)
    dead.kill()
    higher, _ = heir.answer()
    assert higher > token
    assert observer.hear() == ("at heir's",)
    observer.answer()
    heir.do(renewals, 2)
    assert heir.do(reason) is None
