"""Bugs to plant in the processes that a figure measures; each breaks what the figure is about."""

from __future__ import annotations

from persidict.settle import Lost, Settlement
from persidict_sync.cas import Updated, _Update


def a_lost_reply_means_not_applied():
    """Who was not answered looks at what is there, and takes it for somebody else's."""

    def judge(self, _answer):
        return Lost(self._look(certain=False))

    def settle(self, attempt, seen):
        if seen.record is attempt.record:
            return Updated(seen, attempt.state, attempt.sent, attempt.record, attempt.base.state)
        self._open, self._doubt, self._base = None, None, seen
        return None

    Settlement._judge = judge
    _Update._settle = settle
