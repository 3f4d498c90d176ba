"""Operations of unknown outcome: which of them may have taken effect, and to what purpose."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.checks.models import UNKNOWN, Action, Model, State
from scenarios.history import Operation

BUDGET: Final = 1_000_000
"""Configurations that are searched before the question counts as undecided."""


class UndecidedError(Exception):
    """The budget has been spent, and neither an order nor its absence was found."""


class Visits:
    """Where a search has been: states of the object and more, and what was spent to get there.

    Args:
        budget: How many visits to allow.
    """

    def __init__(self, budget: int) -> None:
        self._left = budget

    def are_new(self, spent: int, before: list[int]) -> bool:
        """Note a visit; False if one was made `before` with the same or fewer operations spent.

        Raises:
            UndecidedError: The budget has been spent.
        """
        if any(fewer & spent == fewer for fewer in before):
            return False
        before[:] = [more for more in before if more & spent != spent]
        before.append(spent)
        self._left -= 1
        if self._left < 0:
            raise UndecidedError
        return True


@dataclass(frozen=True, slots=True)
class Chain:
    """Unknown operations taking effect one after the other.

    Attributes:
        taken: Which, in order.
        state: The state after them.
        spent: Those that have taken effect by then, a bit each.
    """

    taken: tuple[int, ...]
    state: State
    spent: int


class Unknowns:
    """The operations of unknown outcome on one object.

    Args:
        operations: In the order of their calls.
        model: What the object is.
        visits: What counts how many states were tried.
    """

    def __init__(self, operations: Sequence[Operation], model: Model, *, visits: Visits) -> None:
        self.operations: Final = operations
        self.effects: Final = [model.action(each, UNKNOWN) for each in operations]
        self._model = model
        self._visits = visits
        self._twins = _twins(self.effects)
        self._needs = [model.needs(effect) for effect in self.effects]
        self._leaves = [model.leaves(effect) for effect in self.effects]
        self._leaving: dict[State, list[int]] = defaultdict(list)
        for u, state in enumerate(self._leaves):
            self._leaving[state].append(u)
        self._useful: dict[frozenset[State], Sequence[int]] = {}

    def __bool__(self) -> bool:
        return bool(self.operations)

    def chains_to(
        self, wanted: Mapping[int, Action], *, state: State, spent: int, limit: int
    ) -> Iterator[tuple[int, State, Chain]]:
        """Chains that make an impossible action possible, the shortest first.

        A chain that has done so for an action is not made longer for its sake: what else takes
        effect could as well do so after it.

        Args:
            wanted: The actions, none of which is possible in `state`, under any numbers.
            state: Where the chains begin.
            spent: What has taken effect before, a bit each.
            limit: The place before which all of a chain must have been called.

        Yields:
            The number of an action, the state after it, and the chain before it.
        """
        useful = [u for u in self._useful_for(wanted) if self.operations[u].begin < limit]
        visited: dict[State, list[int]] = defaultdict(list, {state: [spent]})
        queue = deque([(Chain((), state, spent), wanted)])
        while queue:
            chain, wanted = queue.popleft()
            for longer in self._longer(chain, useful, visited=visited):
                still_wanted = {}
                for number, action in wanted.items():
                    after = self._model.step(longer.state, action)
                    if after is not None:
                        yield number, after, longer
                    elif self._model.may_still(longer.state, action):
                        still_wanted[number] = action
                if still_wanted:
                    queue.append((longer, still_wanted))

    def _longer(
        self, chain: Chain, useful: Sequence[int], *, visited: Mapping[State, list[int]]
    ) -> Iterator[Chain]:
        for u in useful:
            twin = self._twins[u]
            if chain.spent >> u & 1 or (twin is not None and not chain.spent >> twin & 1):
                continue
            needed = self._needs[u]
            if needed is None and chain.taken and self._leaves[u] is not None:
                # It leaves the same without those before it.
                continue
            if needed is not None and needed != chain.state:
                continue
            state = self._model.step(chain.state, self.effects[u])
            spent = chain.spent | 1 << u
            if state is not None and self._visits.are_new(spent, visited[state]):
                yield Chain((*chain.taken, u), state, spent)

    def _useful_for(self, wanted: Mapping[int, Action]) -> Sequence[int]:
        """Those that may be in a chain to a state that an action needs."""
        needed = frozenset(self._model.needs(action) for action in wanted.values())
        if None in needed or None in self._leaving:
            return range(len(self.effects))
        if needed not in self._useful:
            self._useful[needed] = self._leading_to(needed)
        return self._useful[needed]

    def _leading_to(self, needed: frozenset[State]) -> Sequence[int]:
        found = set[int]()
        states = set(needed)
        unseen = [*needed]
        while unseen:
            for u in self._leaving.get(unseen.pop(), ()):
                found.add(u)
                before = self._needs[u]
                if before is not None and before not in states:
                    states.add(before)
                    unseen.append(before)
        return sorted(found)


def _twins(effects: Sequence[Action]) -> list[int | None]:
    """For each the last one before it that does the same, if any."""
    last: dict[Action, int] = {}
    twins: list[int | None] = []
    for index, effect in enumerate(effects):
        twins.append(last.get(effect))
        last[effect] = index
    return twins
