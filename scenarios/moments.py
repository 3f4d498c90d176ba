"""When the actors of a run did something, and when it began: the 0 of all that people are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scenarios.history import History

_BEFORE_AND_AFTER: Final = frozenset({"meta", "started", "note", "finished"})


def moments_in(history: History) -> Sequence[float]:
    """The times of all that actors did, in order; that of the first event if they did nothing."""
    times = [event.at for event in history if event.name not in _BEFORE_AND_AFTER]
    return times or [history[0].at]


def beginning_of(history: History) -> float:
    """When the first actor did something; processes need a while before. A simulation begins at 0.

    So its times are those that `simulate` tells.
    """
    first: float = history[0].at
    return first if history.meta["source"] == "simulation" else history.once(moments_in)[0]
