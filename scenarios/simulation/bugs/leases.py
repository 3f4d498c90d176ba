"""Bugs in who holds what until when, and in who is told that a task is his."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from persidict import ANY_ETAG, ITEM_NOT_AVAILABLE
from persidict_sync import lease
from persidict_sync.bids import Bids
from persidict_sync.cas import Update
from persidict_sync.claim import Claim
from persidict_sync.claim_state import OPEN
from persidict_sync.doubts import Bidder
from persidict_sync.held import Held
from persidict_sync.lease import Lease
from persidict_sync.lease_state import LeaseState, freed, renewed, taken
from persidict_sync.lookout import Lookout, Seen
from persidict_sync.outcome import Known, Refusal, Updated
from persidict_sync.semaphore import Semaphore
from persidict_sync.semaphore_state import SemaphoreState
from persidict_sync.semaphore_state import renewed as permit_renewed
from persidict_sync.tenure import Tenure
from persidict_sync.watch import Terms, Watch
from scenarios.simulation.bugs.bug import Bug, replacing

_real_settle = Update._settle
_real_free = Held._free
_real_init = Lookout.__init__
_real_taken = Bids._taken


def _shows_the_beat(self: Watch, token: int, *, beat: int, ttl: float) -> bool:  # noqa: ARG001
    return (self.beat, self.ttl) == (beat, ttl)


def _counts_from_the_answer(self: Update[Any], attempt: Any, seen: Known[Any]) -> Any:
    outcome = _real_settle(self, attempt, seen)
    if isinstance(outcome, Updated):
        return replace(outcome, sent=self._cell.clock.monotonic())
    return outcome


def _over_by_the_date(self: Lookout[Any], seen: Seen[Any]) -> tuple[Watch, ...]:
    record = seen.known.record
    if record is None:
        return ()
    age = self._cell.clock.time() - datetime.fromisoformat(record.written).timestamp()
    return tuple(watch for watch in seen.watches if age >= self._terms.patience(watch.ttl))


def _begins_watching(self: Lookout[Any], *args: Any, **settings: Any) -> None:
    _real_init(self, *args, **settings)
    self.born = self._cell.clock.monotonic()  # type: ignore[attr-defined]


def _watches_from_birth(
    self: Lookout[Any], known: Known[Any], *, is_first: bool = False
) -> Seen[Any]:
    seen = _real_note(self, known, is_first=is_first)
    watches = tuple(replace(watch, since=self.born) for watch in seen.watches)  # type: ignore[attr-defined]
    self._seen = seen = replace(seen, watches=watches)
    return seen


_real_note = Lookout.note


def _deletes_the_record(self: Held) -> bool:
    is_freed = _real_free(self)
    if is_freed:
        self._cell._records.discard_if(
            self._cell.key, condition=ANY_ETAG, expected_etag=ITEM_NOT_AVAILABLE
        )
    return is_freed


def _token_begins_anew(
    state: LeaseState | None, generation: int, **terms: Any
) -> LeaseState | Refusal:
    next_ = taken(state, generation, **terms)
    if isinstance(next_, LeaseState) and state is not None and state.holder is None:
        return replace(next_, token=1)
    return next_


def _renews_what_is_free(
    state: LeaseState | None, generation: int, *, token: int
) -> LeaseState | Refusal:
    if state is not None and state.token == token and state.holder is None:
        return replace(state, holder="somebody", beat=state.beat + 1)
    return renewed(state, generation, token=token)


def _comes_back(self: Tenure, sent: float) -> bool:
    if self.reason not in (None, "expired", "unreachable"):
        return False
    self.reason = None
    self.deadline = sent + self._terms.tenure
    self.next_renewal = self._renewal_after(sent)
    return True


def _frees_whoever_holds(
    state: LeaseState | None, generation: int, *, token: int
) -> LeaseState | Refusal:
    if state is None or state.holder is None:
        return freed(state, generation, token=token)
    return replace(state, holder=None, data=None)


def _renews_all_permits(
    state: SemaphoreState | None, generation: int, *, token: int
) -> SemaphoreState | Refusal:
    next_ = permit_renewed(state, generation, token=token)
    if isinstance(next_, Refusal):
        return next_
    held = (one if one.token == token else replace(one, beat=one.beat + 1) for one in next_.held)
    return replace(next_, held=tuple(held))


def _whole_ttl(self: Terms) -> float:
    return self.ttl


def _ttl_alone(self: Terms, ttl: float) -> float:  # noqa: ARG001
    return ttl


def _accepts_anything(self: Terms) -> None:
    pass


def _known_by_name(self: Bids, key: Any, claim: str, **settings: Any) -> Any:
    _real_taken(self, key, claim, **settings)
    state = self._tasks.cell(key).look().state
    if state is not None and state.status == OPEN and state.owner == self._context.owner:
        return Bidder(claim, self._life, self._context.clock.monotonic(), call=None)
    return None


BUGS: Final = (
    Bug(
        "deadline-counted-from-the-answer",
        "a holder counts its ttl from when it was told, not from when it asked",
        replacing(Update, _settle=_counts_from_the_answer),
        takes_hours=True,
    ),
    Bug(
        "expiry-by-the-date",
        "a contender compares its own date with the holder's",
        replacing(Lookout, over=_over_by_the_date),
    ),
    Bug(
        "watch-begins-before-the-first-look",
        "a contender counts from when it began, not from when it saw the beat",
        replacing(Lookout, __init__=_begins_watching, note=_watches_from_birth),
    ),
    Bug(
        "watch-knows-only-the-beat",
        "a contender who has watched one holder takes the next one for the same",
        replacing(Watch, shows=_shows_the_beat),
    ),
    Bug(
        "no-allowance-for-drift",
        "holder and contender both count the ttl as it is",
        replacing(
            Terms, tenure=property(_whole_ttl), patience=_ttl_alone, _check=_accepts_anything
        ),
    ),
    Bug(
        "release-deletes-the-record",
        "a released lease is physically deleted, and its tokens begin anew",
        replacing(Held, _free=_deletes_the_record),
    ),
    Bug(
        "token-begins-anew",
        "the token of a lease that was released begins at 1",
        replacing(lease, taken=_token_begins_anew),
    ),
    Bug(
        "renewal-revives-what-is-free",
        "a renewal takes a lease back that an operator has broken",
        replacing(Lease, _renewed=staticmethod(_renews_what_is_free)),
    ),
    Bug(
        "lost-comes-back",
        "a renewal that is answered after the deadline brings the belief back",
        replacing(Tenure, extend=_comes_back),
    ),
    Bug(
        "release-frees-whoever-holds",
        "releasing does not look whose the lease is by now",
        replacing(Lease, _freed=staticmethod(_frees_whoever_holds)),
    ),
    Bug(
        "permits-renew-one-another",
        "whoever renews a permit renews all of them, those of the dead as well",
        replacing(Semaphore, _renewed=staticmethod(_renews_all_permits)),
        takes_hours=True,
    ),
    Bug(
        "claim-known-by-its-owner's-name",
        "a claim is recognised by its owner's name, which all threads of a process share",
        replacing(Bids, _taken=_known_by_name),
    ),
    Bug(
        "claim-outlives-its-worker",
        "a claim is checked against what its own process did to it, not against its worker's life",
        replacing(Claim, check=Claim._check_ours),
    ),
)
