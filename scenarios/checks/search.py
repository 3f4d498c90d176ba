"""Is there an order in which the operations on one object make sense one after the other?

Wing and Gong's search ("Testing and verifying concurrent objects", 1993) with Lowe's memory of
visited configurations ("Testing for linearizability", 2017), and these rules of its own for
operations of unknown outcome, of which a history may have many:

- one is tried only where an operation with an answer is not possible without it;
- of equal ones the earliest is taken first;
- a configuration reached before with fewer of them spent is not searched again;

and one for those that only observe: what is possible at once and changes nothing is taken at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from scenarios.checks.models import Model, State
from scenarios.checks.unknowns import BUDGET, Chain, Unknowns, Visits
from scenarios.history import Operation


class _Configuration(NamedTuple):
    """What has been put in order so far.

    Attributes:
        base: All operations with an answer before this one have.
        mask: Those from `base` on that have, a bit each.
        state: The object's state.
        spent: The operations of unknown outcome that have taken effect, a bit each.
    """

    base: int
    mask: int
    state: State
    spent: int


class _Step(NamedTuple):
    """What was put in order next: unknown ones, then one with an answer."""

    chain: tuple[int, ...]
    known: int
    reached: _Configuration


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation in its place of an order, and the state that it leaves there."""

    operation: Operation
    state: State


class Search:
    """The search over one object's operations.

    Args:
        operations: All operations on it, in the order of their calls.
        model: What the object is.
        before: Only what is known just before this place of the history is: what ends later is of
            unknown outcome, what begins later has not happened. None: everything.
        budget: How many configurations to search.

    Raises:
        ValueError: An operation is not one of the model's.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        model: Model,
        *,
        before: int | None = None,
        budget: int = BUDGET,
    ) -> None:
        known, unknown = _told(operations, model, before=before)
        self._model = model
        self._known = known
        self._begins = [each.begin for each in known]
        self._ends = [cast("int", each.end) for each in known]
        self._actions = [model.action(each, each.value) for each in known]
        self._observes = [*map(model.observes, self._actions)]
        self._visits = Visits(budget)
        self._unknowns = Unknowns(unknown, model, visits=self._visits)
        self._seen: dict[tuple[int, int, State], list[int]] = {}

    def order(self) -> Sequence[Placed] | None:
        """The operations in an order in which they make sense; None if there is none.

        Those of unknown outcome are left out as long as nothing needs them.

        Raises:
            UndecidedError: The budget has been spent.
        """
        if not self._known:
            return []
        path: list[_Step] = []
        branches = [self._steps(_Configuration(0, 0, self._model.initial, 0))]
        while branches:
            step = next(branches[-1], None)
            if step is None:
                branches.pop()
                if path:
                    path.pop()
            elif step.reached.base == len(self._known):
                return [*self._placed([*path, step])]
            elif self._is_new(step.reached):
                path.append(step)
                branches.append(self._steps(step.reached))
        return None

    def _placed(self, path: Sequence[_Step]) -> Iterator[Placed]:
        state = self._model.initial
        for step in path:
            for u in step.chain:
                state = self._model.step(state, self._unknowns.effects[u])
                yield Placed(self._unknowns.operations[u], state)
            state = step.reached.state
            yield Placed(self._known[step.known], state)

    def _is_new(self, configuration: _Configuration) -> bool:
        base, mask, state, spent = configuration
        return self._visits.are_new(spent, self._seen.setdefault((base, mask, state), []))

    def _steps(self, here: _Configuration) -> Iterator[_Step]:
        candidates, limit = self._candidates(here)
        blocked = {}
        possible = []
        for known in candidates:
            state = self._model.step(here.state, self._actions[known])
            if state is None:
                blocked[known] = self._actions[known]
            elif self._observes[known]:
                yield _step(here, known, state=state)
                return
            else:
                possible.append((known, state))
        for known, state in possible:
            yield _step(here, known, state=state)
        if blocked and self._unknowns:
            for known, state, chain in self._unknowns.chains_to(
                blocked, state=here.state, spent=here.spent, limit=limit
            ):
                yield _step(here, known, state=state, chain=chain)

    def _candidates(self, here: _Configuration) -> tuple[list[int], int]:
        """Those that may come next, the first to end first; and by when one of them must."""
        limit = self._ends[here.base]
        found = []
        index, mask = here.base, here.mask
        while index < len(self._known) and self._begins[index] < limit:
            if not mask & 1:
                found.append(index)
                limit = min(limit, self._ends[index])
            mask >>= 1
            index += 1
        found.sort(key=self._ends.__getitem__)
        return found, limit


def _step(here: _Configuration, known: int, *, state: State, chain: Chain | None = None) -> _Step:
    mask = here.mask | 1 << (known - here.base)
    done = (mask + 1 & ~mask).bit_length() - 1
    spent = here.spent if chain is None else chain.spent
    reached = _Configuration(here.base + done, mask >> done, state, spent)
    return _Step(() if chain is None else chain.taken, known, reached)


def _told(
    operations: Iterable[Operation], model: Model, *, before: int | None
) -> tuple[list[Operation], list[Operation]]:
    """The operations with an answer, and those of unknown outcome that may have an effect."""
    known, unknown = [], []
    for operation in operations:
        if before is not None and operation.begin >= before:
            continue
        has_ended = operation.end is not None and (before is None or operation.end < before)
        if operation.outcome == "failed":
            if has_ended and operation.error in model.refusals:
                known.append(operation)
        elif has_ended:
            known.append(operation)
        elif operation.op not in model.reads:
            unknown.append(operation)
    return known, unknown
