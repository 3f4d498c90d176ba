"""Bugs in the one loop that changes records, and in what counts by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import md5
from typing import Any, Final

from persidict import ConcurrencyConflictError, OutcomeUnknownError
from persidict_sync import cas, fenced_form
from persidict_sync.cas import Update
from persidict_sync.cell import Cell
from persidict_sync.counter import Counter, Step
from persidict_sync.fenced_form import FencedState
from persidict_sync.outcome import Attempt, Known, Refusal, Refused
from persidict_sync.record import Record
from persidict_sync.sequence import Sequence as Numbers
from scenarios.simulation.bugs.bug import Bug, replacing

_real_attempt = Cell.attempt
_real_settle = Update._settle
_real_write = Counter._write
_real_claim = Numbers._claim


def _op_of_the_generation(
    self: Cell[Any], transition: Any, base: Known[Any]
) -> Attempt[Any] | Refused[Any]:
    made = _real_attempt(self, transition, base)
    if isinstance(made, Refused):
        return made
    record = made.record
    op = md5(f"{self.key}/{record.generation}".encode(), usedforsecurity=False).hexdigest()[
        : len(record.op)
    ]
    return replace(made, record=replace(record, op=op, ops=record.ops.removesuffix(record.op) + op))


def _newest_op_only(self: Update[Any], attempt: Attempt[Any], seen: Known[Any]) -> Any:
    record = seen.record
    ours = attempt.record
    if record is not None and record.op != ours.op and record.stems_from(ours):
        self._open, self._doubt, self._base = None, None, seen
        return None
    return _real_settle(self, attempt, seen)


def _never_buried(attempt: Attempt[Any], seen: Known[Any]) -> bool:  # noqa: ARG001
    return False


def _tells_if_it_has_moved(record: Record, base: Known[Any]) -> bool:
    return record.generation > base.generation


def _decides_anew_in_doubt(self: Update[Any], attempt: Attempt[Any], seen: Known[Any]) -> Any:
    outcome = _real_settle(self, attempt, seen)
    if outcome is None and self._open is not None:
        # It has not landed, so it is made again: under a new identity.
        self._open, self._doubt, self._base = None, None, seen
    return outcome


def _adds_again(self: Counter, steps: Sequence[Step], deadline: float) -> Any:
    try:
        return _real_write(self, steps, deadline)
    except OutcomeUnknownError:
        return _real_write(self, steps, self._context.deadline())


def _one_answer_for_all(self: Counter, steps: Sequence[Step], deadline: float) -> Any:
    answers = _real_write(self, steps, deadline)
    return [answers[-1]] * len(answers)


def _takes_the_block_in_doubt(self: Numbers, deadline: float) -> range:
    known = self._known
    try:
        return _real_claim(self, deadline)
    except (OutcomeUnknownError, ConcurrencyConflictError):
        begin = 1 if known is None or known.state is None else known.state.next
        return range(begin, begin + self.block)


def _refuses_equal_tokens(state: FencedState | None, token: int) -> Refusal | None:
    return Refusal("stale") if state is not None and state.token >= token else None


def _lets_predecessors_through(state: FencedState | None, token: int) -> Refusal | None:
    return Refusal("stale") if state is not None and state.token > token + 10 else None


BUGS: Final = (
    Bug(
        "reused-op",
        "two writers of one generation give their writes the same identity",
        replacing(Cell, attempt=_op_of_the_generation),
    ),
    Bug(
        "newest-op-only",
        "a write is looked for in the newest op of a record, not in the ring",
        replacing(Update, _settle=_newest_op_only),
    ),
    Bug(
        "buried-means-failed",
        "a refusal is believed though the ring has been overrun since the attempt",
        replacing(cas, _may_be_buried=_never_buried),
    ),
    Bug(
        "overrun-means-failed",
        "a write in doubt counts as failed though the ring does not reach back to it",
        replacing(cas, _tells=_tells_if_it_has_moved),
    ),
    Bug(
        "decides-anew-in-doubt",
        "what has not landed yet is decided anew, under a new identity",
        replacing(Update, _settle=_decides_anew_in_doubt),
    ),
    Bug(
        "adds-again-after-unknown",
        "an addition of unknown outcome is made again",
        replacing(Counter, _write=_adds_again),
    ),
    Bug(
        "one-answer-for-all",
        "threads that share a write to a counter are all told the last one's total",
        replacing(Counter, _write=_one_answer_for_all),
    ),
    Bug(
        "takes-the-block-in-doubt",
        "a block of a sequence is handed out though its claim has failed or is in doubt",
        replacing(Numbers, _claim=_takes_the_block_in_doubt),
    ),
    Bug(
        "fence-refuses-equal-tokens",
        "the fence compares with >= and refuses its holder's second write",
        replacing(fenced_form, _refused=_refuses_equal_tokens),
    ),
    Bug(
        "fence-lets-predecessors-through",
        "the fence compares wrongly and lets an overtaken holder write",
        replacing(fenced_form, _refused=_lets_predecessors_through),
    ),
)
