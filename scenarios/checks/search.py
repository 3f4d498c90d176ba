"""Is there an order in which the operations on one object make sense one after the other?

Wing and Gong's search ("Testing and verifying concurrent objects", 1993) with Lowe's memory of
visited configurations ("Testing for linearizability", 2017), and three rules of its own for
operations of unknown outcome, of which a history may have many:

- one is tried only where an operation with an answer is not possible without it;
- of equal ones the earliest is taken first;
- a configuration reached before with fewer of them spent is not searched again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

from scenarios.checks.models import UNKNOWN, Action, Model, State
from scenarios.history import Operation

BUDGET: Final = 1_000_000
"""Configurations that are searched before the question counts as undecided."""


class UndecidedError(Exception):
    """The budget has been spent, and neither an order nor its absence was found."""


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


@dataclass(frozen=True, slots=True)
class _Chain:
    """Unknown operations taking effect one after the other."""

    taken: tuple[int, ...]
    state: State
    spent: int


class Search:
    """The search over one object's operations.

    Args:
        operations: All operations on it, in the order of their calls.
        model: What the object is.
        before: Only what is known just before this place of the history is: what ends later is of
            unknown outcome, what begins later has not happened. None: everything.
        budget: How many configurations to search.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        model: Model,
        *,
        before: int | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._model = model
        self._budget = budget
        known, unknown = _told(operations, model, before=before)
        self._known = known
        self._begins = [each.begin for each in known]
        self._ends = [cast("int", each.end) for each in known]
        self._actions = [model.action(each, each.value) for each in known]
        self._unknown = unknown
        self._effects = [model.action(each, UNKNOWN) for each in unknown]
        self._twins = _twins(self._effects)
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
                state = self._model.step(state, self._effects[u])
                yield Placed(self._unknown[u], state)
            state = step.reached.state
            yield Placed(self._known[step.known], state)

    def _is_new(self, configuration: _Configuration) -> bool:
        base, mask, state, spent = configuration
        visited = self._seen.setdefault((base, mask, state), [])
        return self._note(spent, visited)

    def _note(self, spent: int, visited: list[int]) -> bool:
        """Whether it is not visited yet with as few or fewer unknown operations spent."""
        if any(fewer & spent == fewer for fewer in visited):
            return False
        visited[:] = [more for more in visited if more & spent != spent]
        visited.append(spent)
        self._budget -= 1
        if self._budget < 0:
            raise UndecidedError
        return True

    def _steps(self, here: _Configuration) -> Iterator[_Step]:
        candidates, limit = self._candidates(here)
        blocked = []
        for known in candidates:
            state = self._model.step(here.state, self._actions[known])
            if state is None:
                blocked.append(known)
            else:
                yield self._step(here, known, state=state)
        if not blocked or not self._effects:
            return
        wanted = [self._actions[known] for known in blocked]
        for chain in self._chains(here, limit=limit, wanted=wanted):
            for known in blocked:
                state = self._model.step(chain.state, self._actions[known])
                if state is not None:
                    yield self._step(here, known, state=state, chain=chain)

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

    def _step(
        self, here: _Configuration, known: int, *, state: State, chain: _Chain | None = None
    ) -> _Step:
        mask = here.mask | 1 << (known - here.base)
        trailing = (mask + 1 & ~mask).bit_length() - 1
        reached = _Configuration(
            here.base + trailing,
            mask >> trailing,
            state,
            here.spent if chain is None else chain.spent,
        )
        return _Step(() if chain is None else chain.taken, known, reached)

    def _chains(
        self, here: _Configuration, *, limit: int, wanted: Sequence[Action]
    ) -> Iterator[_Chain]:
        """Ways for unknown operations to take effect here, the shortest first."""
        callable_now = [u for u, each in enumerate(self._unknown) if each.begin < limit]
        visited: dict[State, list[int]] = {here.state: [here.spent]}
        queue = deque([_Chain((), here.state, here.spent)])
        while queue:
            chain = queue.popleft()
            for u in callable_now:
                twin = self._twins[u]
                if chain.spent >> u & 1 or (twin is not None and not chain.spent >> twin & 1):
                    continue
                state = self._model.step(chain.state, self._effects[u])
                if state is None:
                    continue
                spent = chain.spent | 1 << u
                if not self._note(spent, visited.setdefault(state, [])):
                    continue
                if any(self._model.may_still(state, action) for action in wanted):
                    longer = _Chain((*chain.taken, u), state, spent)
                    yield longer
                    queue.append(longer)


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


def _twins(effects: Sequence[Action]) -> list[int | None]:
    """For each of the unknown operations the last one before it that does the same, if any."""
    last: dict[Action, int] = {}
    twins: list[int | None] = []
    for index, effect in enumerate(effects):
        twins.append(last.get(effect))
        last[effect] = index
    return twins
