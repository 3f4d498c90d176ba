"""Unique, increasing numbers for many processes, at one request per block of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Final, Self

from persidict_sync.cell import Cell
from persidict_sync.combine import Combiner
from persidict_sync.context import Context
from persidict_sync.errors import RecordError
from persidict_sync.outcome import Known, Refusal, Refused
from persidict_sync.record import MAX_INT
from persidict_sync.resident import Resident
from persidict_sync.state import State

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts

LARGEST_BLOCK: Final = 2**32
LAST: Final = MAX_INT - 1
"""The record names the number behind it."""


@dataclass(frozen=True, kw_only=True)
class SequenceState(State):
    """What a sequence's record keeps: `next` is the first number that is in no block yet."""

    kind: ClassVar[str] = "sequence"

    next: int

    def __post_init__(self) -> None:
        if self.next < 1:
            raise RecordError("its next is less than 1")


def claimed(block: int, state: SequenceState | None) -> SequenceState | Refusal:
    """The state after one more block, which ends at the last number, or a refusal behind that."""
    begin = first_of(state)
    if begin > LAST:
        return Refusal("used up")
    unknown = {} if state is None else state.unknown
    return SequenceState(next=min(begin + block, LAST + 1), unknown=unknown)


def first_of(state: SequenceState | None) -> int:
    """The first number of the next block; a new sequence begins at 1."""
    return 1 if state is None else state.next


class _Block:
    """The numbers that this process has claimed and not handed out yet."""

    def __init__(self) -> None:
        self.pid: Final = os.getpid()
        self.numbers: Iterator[int] = iter(())


class Sequence(Resident, Iterator[int]):
    """Numbers that no other call, thread or process of any machine ever gets.

    Each call returns a larger number than the calls before it on the same object. Not guaranteed:
    that numbers are without gaps (what a process has claimed and not used when it ends is lost,
    and so is a block whose claim ended in `OutcomeUnknownError`), and that a number which another
    process gets later is larger: each hands out its own block. A forked child claims a block of
    its own. The last number is 2**53 - 2; the last block is what is left up to it.

    Args:
        context: What the primitives of a coordinator share.
        name: The sequence's name: one or more safe strings.
        block: How many numbers one request claims, 1 to 2**32. 1 leaves no gap but those of
            crashes, and orders all numbers by time.

    Raises:
        ValueError: The name is unsafe, or the block out of range.
        TypeError: An argument is of the wrong type.

    Example:
        >>> from persidict_sync import Coordinator
        >>> fleet = Coordinator("memory:")
        >>> here, there = fleet.sequence("ids", block=10), fleet.sequence("ids", block=10)
        >>> here.next(), there.next(), next(here), next(there)
        (1, 11, 2, 12)
    """

    def __init__(self, context: Context, name: KeyParts, *, block: int = 100) -> None:
        if isinstance(block, bool) or not isinstance(block, int):
            raise TypeError(f"block must be an int, not a {type(block).__name__}")
        if not 1 <= block <= LARGEST_BLOCK:
            raise ValueError(f"block must be 1 to 2**32, not {block}")
        self.block: Final = block
        self._context = context
        self._cell: Cell[SequenceState] = context.cell(name, SequenceState)
        self._known: Known[SequenceState] | None = None
        self._here = _Block()
        self._combiner: Combiner[None, int | None] = Combiner(
            self._take, key=self._cell.key, clock=context.clock
        )

    def __repr__(self) -> str:
        return f"<Sequence {self._cell.key.strings}, block={self.block}>"

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> int:
        return self.next()

    def next(self) -> int:
        """The next number; `next(sequence)` and a `for` loop say the same, without an end.

        No request within a block. For a new block 1 if nobody else has claimed one since this
        object did, 2 at first, 3 if somebody has.

        Raises:
            OverflowError: All numbers up to 2**53 - 2, the last, are in blocks; nothing was
                claimed.
            OutcomeUnknownError: A block may have been claimed and is lost; to call again is safe.
            ConcurrencyConflictError: Others claimed blocks until the coordinator's timeout.
            RecordError: The record is not one that this version can work with.
            BackendError: The store refused or could not be reached; no number was claimed.
        """
        deadline = self._context.deadline()
        while True:
            for number in self._of_this_process().numbers:
                return number
            answer = self._combiner.answer(None, deadline=deadline)
            if answer is not None:
                return answer

    def _of_this_process(self) -> _Block:
        # A forked child inherits its parent's numbers, and perhaps a lock that is never released.
        if self._here.pid != os.getpid():
            self._here = _Block()
        return self._here

    def _take(self, wishes: Collection[None], deadline: float) -> list[int | None]:
        """A number for each of those for whom there are enough; None for the others."""
        here, count = self._of_this_process(), len(wishes)
        # Another thread may have claimed a block since the last one was found to be used up.
        numbers = list(islice(here.numbers, count))
        if not numbers:
            block = self._claim(deadline)
            numbers, here.numbers = list(block[:count]), iter(block[count:])
        return [*numbers, *[None] * (count - len(numbers))]

    def _claim(self, deadline: float) -> range:
        base, self._known = self._known, None
        outcome = self._cell.update(
            lambda state, _: claimed(self.block, state), base=base, deadline=deadline
        )
        self._known = outcome.known
        if isinstance(outcome, Refused):
            raise OverflowError(
                f"the sequence {'/'.join(self._cell.key.strings[1:])!r} is used up: its numbers "
                "end at 2**53 - 2. Begin one of another name."
            )
        block = range(first_of(outcome.before), outcome.state.next)
        generation = outcome.record.generation
        self._context.tell("claimed", self._cell, generation=generation, block=len(block))
        return block
