"""A counter that many processes share: no increment is lost, and none is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from persidict_sync.cell import Cell
from persidict_sync.combine import Combiner
from persidict_sync.context import Context
from persidict_sync.outcome import Known, Refusal, Refused, Updated
from persidict_sync.record import MAX_INT
from persidict_sync.resident import Resident
from persidict_sync.state import State

if TYPE_CHECKING:
    from persidict.safe_str_tuple import KeyParts


@dataclass(frozen=True, kw_only=True)
class CounterState(State):
    """What a counter's record keeps."""

    kind: ClassVar[str] = "counter"

    total: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step made of a total.

    Attributes:
        total: The total after it.
        answer: What its caller is told; an error is raised there.
        is_written: Whether it is to be written, also where the total is as before.
    """

    total: int
    answer: int | OverflowError
    is_written: bool = True


Step: TypeAlias = Callable[[int], Taken]
"""What one caller wants, as a pure function of the total before."""


def adding(n: int) -> Step:
    """Add `n`, unless the total would leave its bounds; the answer is the total after."""

    def step(total: int) -> Taken:
        after = total + n
        if abs(after) <= MAX_INT:
            return Taken(after, after)
        error = OverflowError("the counter would leave ±(2**53 - 1); nothing was added")
        return Taken(total, error, is_written=False)

    return step


def setting(new: int, *, expected: int) -> Step:
    """Make it `new` if it is `expected`; the answer says whether it was."""

    def step(total: int) -> Taken:
        is_expected = total == expected
        return Taken(new if is_expected else total, is_expected, is_written=is_expected)

    return step


def resetting(to: int) -> Step:
    """Make it `to`; the answer is the total before."""
    return lambda total: Taken(to, total)


def in_turn(steps: Sequence[Step], total: int) -> list[Taken]:
    """What each step makes of what the one before it left."""
    taken = []
    for step in steps:
        taken.append(step(total))
        total = taken[-1].total
    return taken


def stepped(steps: Sequence[Step], state: CounterState | None) -> CounterState | Refusal:
    """The state after all steps, or a refusal if none of them is to be written."""
    taken = in_turn(steps, total_of(state))
    if not any(one.is_written for one in taken):
        return Refusal("nothing to write")
    unknown = {} if state is None else state.unknown
    return CounterState(total=taken[-1].total, unknown=unknown)


def total_of(state: CounterState | None) -> int:
    """The total; 0 where there is no counter yet."""
    return 0 if state is None else state.total


class Counter(Resident):
    """A whole number that many processes add to.

    Each addition that is acknowledged is counted exactly once, also when the store's answer was
    lost on the way; one that ends in another error than `OutcomeUnknownError` is not counted.
    Threads that add to one `Counter` object at the same time share one write. Not guaranteed: that
    an addition which ends in `OutcomeUnknownError` was counted or was not; and that the total is
    still what a call returned. With more than some ten additions per second over all processes,
    add locally and write sums, or use several counters.

    Args:
        context: What the primitives of a coordinator share.
        name: The counter's name: one or more safe strings.

    Raises:
        ValueError: The name is unsafe.
        TypeError: It is no string or sequence of strings.

    Example:
        >>> from persidict_sync import Coordinator
        >>> hits = Coordinator("memory:").counter("hits")
        >>> hits.add(), hits.add(10), hits.value()
        (1, 11, 11)
        >>> hits.compare_and_set(11, 5), hits.compare_and_set(11, 6), hits.reset()
        (True, False, 5)
    """

    def __init__(self, context: Context, name: KeyParts) -> None:
        self._context = context
        self._cell: Cell[CounterState] = context.cell(name, CounterState)
        self._known: Known[CounterState] | None = None
        self._combiner: Combiner[Step, int | OverflowError] = Combiner(
            self._write, key=self._cell.key, clock=context.clock
        )

    def __repr__(self) -> str:
        return f"<Counter {self._cell.key.strings}>"

    def add(self, n: int = 1) -> int:
        """Add to the counter, exactly once.

        1 request if nobody else has written since this object last saw the counter, 2 at first,
        3 if somebody has.

        Args:
            n: What to add; may be negative or 0.

        Returns:
            The total just after this addition.

        Raises:
            OverflowError: The total would leave ±(2**53 - 1); nothing was added.
            OutcomeUnknownError: It may or may not have been counted.
            ConcurrencyConflictError: Others changed the counter until the coordinator's timeout;
                nothing was added.
            RecordError: The record is not one that this version can work with.
            TypeError: `n` is no int.
            BackendError: The store refused or could not be reached; nothing was added.
        """
        return self._take(adding(_whole("n", n)))

    def value(self) -> int:
        """The total now; 0 if nobody has added yet.

        A method, because it asks the store: 1 request, without a body if nothing has changed.

        Raises:
            RecordError: The record is not one that this version can work with.
            BackendError: The store could not be read.
        """
        known = self._known
        self._known = known = self._cell.look(known)
        return total_of(known.state)

    def compare_and_set(self, expected: int, new: int) -> bool:
        """Make the total `new` if it is `expected`.

        1 request to succeed if nobody else has written since this object last saw the counter, and
        1 to find that the total is another; 3 at most if nobody interferes.

        Args:
            expected: What the total must be; 0 for a counter that nobody has added to.
            new: What to make it.

        Returns:
            Whether it was `expected`, and is `new` by this call.

        Raises:
            OverflowError: `new` lies beyond ±(2**53 - 1).
            OutcomeUnknownError: It may or may not have been set.
            ConcurrencyConflictError: As for `add`; nothing was set.
            RecordError: As for `add`.
            TypeError: An argument is no int.
            BackendError: As for `add`; nothing was set.
        """
        return bool(self._take(setting(_total(new), expected=_whole("expected", expected))))

    def reset(self, to: int = 0) -> int:
        """Set the total, whatever it is.

        Every addition is either in what this returns or in the total after it, never in both.
        Requests and errors as for `add`.

        Args:
            to: What to make it.

        Returns:
            The total just before.
        """
        return self._take(resetting(_total(to)))

    def _take(self, step: Step) -> int:
        answer = self._combiner.answer(step, deadline=self._context.deadline())
        if isinstance(answer, OverflowError):
            raise answer
        return answer

    def _write(self, steps: Sequence[Step], deadline: float) -> list[int | OverflowError]:
        # What an error leaves behind is not worth a write upon it.
        base, self._known = self._known, None
        outcome = self._update(steps, base, deadline=deadline)
        if isinstance(outcome, Refused) and base is not None and outcome.known is base:
            outcome = self._update(
                steps, self._cell.look(base, deadline=deadline), deadline=deadline
            )
        self._known = outcome.known
        if isinstance(outcome, Refused):
            return [one.answer for one in in_turn(steps, total_of(outcome.known.state))]
        generation = outcome.record.generation
        self._context.tell("counted", self._cell, generation=generation, shared_by=len(steps))
        return [one.answer for one in in_turn(steps, total_of(outcome.before))]

    def _update(
        self, steps: Sequence[Step], base: Known[CounterState] | None, *, deadline: float
    ) -> Updated[CounterState] | Refused[CounterState]:
        return self._cell.update(
            lambda state, _: stepped(steps, state), base=base, deadline=deadline
        )


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not a {type(value).__name__}")
    return int(value)


def _total(value: object) -> int:
    if abs(number := _whole("the total", value)) > MAX_INT:
        raise OverflowError("a counter's total lies between ±(2**53 - 1)")
    return number
