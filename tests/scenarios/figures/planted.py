"""Bugs to plant in the processes that a figure measures; each breaks what the figure is about."""

from __future__ import annotations

from dataclasses import replace

from persidict.object_store import TransientError, holds
from persidict.settle import Lost, Settlement
from persidict_sync.cas import Refused, Updated, _Update


def a_lost_reply_means_not_applied():
    """Who was not answered looks at what is there, and takes it for somebody else's."""

    def judge(self, answer):
        try:
            seen = self._look(certain=False)
        except TransientError:
            self._unread = answer
            return None
        return None if holds(self._request.precondition, seen) else Lost(seen)

    def settle(self, attempt, seen):
        if seen.record is attempt.record:
            return Updated(seen, attempt.state, attempt.sent, attempt.record, attempt.base.state)
        self._open, self._doubt, self._base = None, None, seen
        return None

    Settlement._judge = judge
    _Update._settle = settle


def a_lost_claim_is_anothers():
    """Nor does anybody recognise a claim of its own that it finds there."""
    a_lost_reply_means_not_applied()
    outcome = _Update.outcome

    def scrambled(self):
        found = outcome(self)
        if isinstance(found, Refused) and hasattr(found.known.state, "claim"):
            state = replace(found.known.state, claim="0" * 24)
            return replace(found, known=replace(found.known, state=state))
        return found

    _Update.outcome = scrambled
