"""Bids that have landed, may have, or may yet: each is one call's at a time, and told to one."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persidict import NonEmptySafeStrTuple
    from persidict_sync.worker import Life


@dataclass(slots=True)
class Bidder:
    """Who made a bid, and when it was first sent.

    Attributes:
        claim: The identity of the claim that it would be.
        life: The life that it names.
        since: Just before it was first sent.
        call: Which call is at it, by the identity of its own bid; None if that came to no end.
    """

    claim: str
    life: Life
    since: float
    call: str | None


class Doubts:
    """The bids of one process that no caller has been told of, or will be told of."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bids: dict[NonEmptySafeStrTuple, dict[str, Bidder]] = {}

    def open(self, key: NonEmptySafeStrTuple) -> list[Bidder]:
        """Those that no call is at."""
        return self._of(key, None)

    def add(self, key: NonEmptySafeStrTuple, bidder: Bidder) -> None:
        """Remember a bid that is about to be sent, or that nobody is to be told of after all."""
        with self._lock:
            self._bids.setdefault(key, {})[bidder.claim] = bidder

    def take(
        self, key: NonEmptySafeStrTuple, claim: str, *, call: str, known_before: frozenset[str]
    ) -> Bidder | None:
        """Whose bid in doubt the claim in the record was; of all calls that ask, one is told."""
        with self._lock:
            bids = self._bids.get(key, {})
            open_ = {one.claim for one in _at(bids, None)}
            # What was in doubt before the record was looked at, and is not there, never will.
            for gone in open_ & known_before - {claim}:
                del bids[gone]
            bidder = bids.get(claim)
            if bidder is None or bidder.call is not None:
                return None
            bidder.call = call
            return bidder

    def conclude(self, key: NonEmptySafeStrTuple, *, call: str, won: Bidder | None) -> None:
        """Forget what a call was at: it tells its caller of what it won, and the rest is lost."""
        for one in self._of(key, call):
            if one is not won:
                one.life.settled(one.claim)
            self._forget(key, one.claim)

    def leave(self, key: NonEmptySafeStrTuple, *, call: str, may_land: bool) -> None:
        """Leave what a call was at to whoever asks next; its own may land, or surely not."""
        for one in self._of(key, call):
            one.life.settled(one.claim)
            one.call = None
        if not may_land:
            self._forget(key, call)

    def _of(self, key: NonEmptySafeStrTuple, call: str | None) -> list[Bidder]:
        with self._lock:
            return _at(self._bids.get(key, {}), call)

    def _forget(self, key: NonEmptySafeStrTuple, claim: str) -> None:
        with self._lock:
            bids = self._bids.get(key, {})
            bids.pop(claim, None)
            if not bids:
                self._bids.pop(key, None)


def _at(bids: Mapping[str, Bidder], call: str | None) -> list[Bidder]:
    """Those that a call is at, or none is."""
    # Not written out under the lock: where CPython 3.12 and 3.13 jump back from a condition, an
    # interrupt would leave that locked.
    return [one for one in bids.values() if one.call == call]
