"""Operations of unknown outcome: which of them may have taken effect, and to what purpose."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scenarios.checks.model import NOTHING, UNKNOWN, Action, Label, Model, State
from scenarios.history import Operation


def budget_for(operations: int) -> int:
    """How many configurations are searched before the question counts as undecided.

    Most histories that are linearizable take one or two for each operation; of 370,000 simulated
    ones, one took 237,000 for 202.
    """
    return 2_000_000 + 20 * operations


class UndecidedError(Exception):
    """The budget has been spent, and neither an order nor its absence was found."""


class Visits:
    """Where a search has been: states of the object and more, and what was spent to get there.

    Args:
        budget: How many visits to allow; one to where many were before counts for more.
    """

    def __init__(self, budget: int) -> None:
        self._left = budget

    def are_new(self, spent: int, before: list[int]) -> bool:
        """Note a visit; False if one was made `before` with the same or fewer operations spent.

        Raises:
            UndecidedError: The budget has been spent.
        """
        self._left -= 1 + len(before) // 16
        if self._left < 0:
            raise UndecidedError
        if any(fewer & spent == fewer for fewer in before):
            return False
        before[:] = [more for more in before if more & spent != spent]
        before.append(spent)
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
        self._overwrites = [*map(model.overwrites, self.effects)]
        self._needs = [*map(model.needs, self.effects)]
        self._leaving: dict[Label | None, list[int]] = defaultdict(list)
        for u, effect in enumerate(self.effects):
            self._leaving[model.leaves(effect)].append(u)
        self._useful: dict[frozenset[Label | None], Sequence[int]] = {}

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
            if chain.taken and self._overwrites[u]:
                # It leaves the same without those before it.
                continue
            if self._needs[u] not in (None, NOTHING, self._model.label(chain.state)):
                continue
            state = self._model.step(chain.state, self.effects[u])
            spent = chain.spent | 1 << u
            if state is not None and self._visits.are_new(spent, visited[state]):
                yield Chain((*chain.taken, u), state, spent)

    def useful_from(self, known: Sequence[Action]) -> Sequence[int]:
        """For each place among the known actions the unknown ones, a bit each, that they need.

        What none of those from there on may need is not tried any more, so it makes no difference
        whether it was spent.
        """
        everything = (1 << len(self.effects)) - 1
        closure = _Closure(self._leaving, self._needs)
        bits = []
        for action in reversed(known):
            closure.add(self._model.needs(action))
            bits.append(everything if closure.is_everything else closure.bits)
        return bits[::-1]

    def _useful_for(self, wanted: Mapping[int, Action]) -> Sequence[int]:
        """Those that may be in a chain to a state that an action needs."""
        needed = frozenset(self._model.needs(action) for action in wanted.values())
        if needed not in self._useful:
            closure = _Closure(self._leaving, self._needs)
            for label in needed:
                closure.add(label)
            self._useful[needed] = [
                u
                for u in range(len(self.effects))
                if closure.is_everything or closure.bits >> u & 1
            ]
        return self._useful[needed]


class _Closure:
    """The operations that may help to get to some states, and those that help those.

    Args:
        leaving: The operations by the label of what they leave.
        needs: What each of them needs.

    Attributes:
        bits: They, a bit each.
        is_everything: Whether they are all there are, for all that is known.
    """

    def __init__(
        self, leaving: Mapping[Label | None, Sequence[int]], needs: Sequence[Label | None]
    ) -> None:
        self._leaving = leaving
        self._needs = needs
        self._labels: set[Label] = {NOTHING}
        self.bits = 0
        self.is_everything = None in leaving

    def add(self, label: Label | None) -> None:
        """Take in what helps to get to a state of this label; None: to a state not known."""
        unseen = [label]
        while unseen:
            label = unseen.pop()
            if label is None:
                self.is_everything = True
            elif label not in self._labels:
                self._labels.add(label)
                for u in self._leaving.get(label, ()):
                    self.bits |= 1 << u
                    unseen.append(self._needs[u])


def _twins(effects: Sequence[Action]) -> list[int | None]:
    """For each the last one before it that does the same, if any."""
    last: dict[Action, int] = {}
    twins: list[int | None] = []
    for index, effect in enumerate(effects):
        twins.append(last.get(effect))
        last[effect] = index
    return twins
