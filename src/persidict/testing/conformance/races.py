"""What only several at the same time can find out: whether checking and writing are one step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from persidict.jokers_and_status_flags import (
    ITEM_NOT_AVAILABLE,
    ConditionalOperationResult,
    ETagIfExists,
)
from persidict.persi_dict import PersiDict
from persidict.testing.conformance import findings as checks
from persidict.testing.conformance.alone import same
from persidict.testing.conformance.gate import Gate
from persidict.testing.conformance.last_byte import LastByte

Result: TypeAlias = ConditionalOperationResult[Any] | Exception
LARGE: Final = 64 * 1024
"""Characters of a value that is long enough to be torn."""


class Races:
    """Races over one dictionary.

    Args:
        d: Where they take place; over S3, also with requests whose last bytes are sent together.
        gate: What they start at.
        rounds: How many of each.
        racers: In each.
    """

    def __init__(self, d: PersiDict[Any], *, gate: Gate, rounds: int, racers: int) -> None:
        self._d = d
        self._gate = gate
        self._rounds = rounds
        self._racers = range(racers)
        self._last_byte = LastByte.of(d, racers=racers)

    def create(self) -> str | None:
        """Of all who create one item one does."""
        problem = self._contests("create", ITEM_NOT_AVAILABLE, self._set)
        if problem is None and self._last_byte is not None:
            problem = self._one_each(self._last_byte.creates(self._rounds))
        return problem

    def replace(self) -> str | None:
        """Of all who replace one version one does."""
        problem = self._contests("replace", None, self._set)
        if problem is None and self._last_byte is not None:
            problem = self._one_each(self._last_byte.replaces(self._rounds))
        return problem

    def delete(self) -> str | None:
        """Of all who delete or replace one version one does."""
        return self._contests("delete", None, self._set_or_discard)

    def _contests(
        self,
        name: str,
        expected: ETagIfExists | None,
        act: Callable[[str, ETagIfExists, int], Result],
    ) -> str | None:
        winners: Counter[int] = Counter()
        unanswered = 0
        for number in range(self._rounds):
            key = f"{name}-{number}"
            etag = expected
            if etag is None:
                self._d[key] = "at first"
                etag = self._d.etag(key)
            results = self._gate.race([partial(act, key, etag, racer) for racer in self._racers])
            won = [
                not isinstance(result, Exception) and result.value_was_mutated for result in results
            ]
            unanswered += sum(isinstance(result, Exception) for result in results)
            if sum(won) == 1 and not self._is_winners(key, won.index(True), results):
                return f"round {number}: what is there is not what the winner wrote"
            if sum(won) or not any(isinstance(result, Exception) for result in results):
                winners[sum(won)] += 1
        if not winners:
            return f"no round could be judged; calls that failed: {unanswered}"
        return self._one_each(winners.elements())

    def _one_each(self, winners: Iterable[int]) -> str | None:
        """What is wrong with so many winners of each round."""
        wrong = [count for count in winners if count != 1]
        if not wrong:
            return None
        counts = ", ".join(map(str, sorted(set(wrong))))
        return f"{len(wrong)} of {self._rounds} rounds had not one winner but {counts}"

    def _is_winners(self, key: str, winner: int, results: list[Result]) -> bool:
        result = results[winner]
        assert not isinstance(result, Exception)
        found = self._d.get_with_etag(key)
        return found.actual_etag == result.resulting_etag

    def _set(self, key: str, expected: ETagIfExists, racer: int) -> Result:
        return self._d.set_item_if(key, value=racer, **same(expected))

    def _set_or_discard(self, key: str, expected: ETagIfExists, racer: int) -> Result:
        if racer % 2:
            return self._d.discard_if(key, **same(expected))
        return self._set(key, expected, racer)

    def count(self) -> str | None:
        """Of all who add to one number none is lost."""
        self._d["count"] = 0
        each = max(2, self._rounds // 8)

        def add() -> int:
            done = 0
            for _ in range(each):
                self._d.transform_item("count", transformer=_plus_one, n_retries=None)
                done += 1
            return done

        results = self._gate.race([add for _ in self._racers])
        failed = [result for result in results if isinstance(result, Exception)]
        if failed:
            return f"{len(failed)} of {len(results)} could not add, one by {failed[0]}"
        expected, found = each * len(results), self._d["count"]
        return None if found == expected else f"{expected} were added, and the sum is {found}"

    def tear(self) -> str | None:
        """Whoever reads while others write gets one version, whole."""
        self._d["large"] = "a" * LARGE
        for number in range(max(2, self._rounds // 8)):
            results = self._gate.race([self._tear(racer, number) for racer in self._racers])
            whole = {letter * LARGE for letter in "abcdefghij"}
            by_etag: dict[str, set[object]] = {}
            for result in results:
                if isinstance(result, ConditionalOperationResult):
                    by_etag.setdefault(str(result.resulting_etag), set()).add(result.new_value)
            if any(len(values) > 1 or not values <= whole for values in by_etag.values()):
                return f"round {number}: a read showed parts of two versions, or another's etag"
        return None

    def _tear(
        self, racer: int, number: int
    ) -> Callable[[], ConditionalOperationResult[Any] | None]:
        if racer % 4:
            return lambda: self._d.get_with_etag("large")

        def write() -> None:
            self._d["large"] = "abcdefghij"[(racer + number) % 10] * LARGE

        return write


def _plus_one(number: Any) -> int:
    return int(number) + 1


def findings(d: PersiDict[Any], *, rounds: int, racers: int) -> Iterator[checks.Finding]:
    """What each of the races finds."""
    with Gate(d, racers=racers) as gate:
        races = Races(d, gate=gate, rounds=rounds, racers=racers)
        held: Mapping[str, Callable[[], str | None]] = {
            checks.CREATE_RACE: races.create,
            checks.REPLACE_RACE: races.replace,
            checks.COUNTING: races.count,
            checks.DELETE_RACE: races.delete,
            checks.WHOLE: races.tear,
        }
        for name, race in held.items():
            try:
                problem = race()
            except Exception as error:  # noqa: BLE001 - of a store that tears, anything
                problem = f"{type(error).__name__}: {error}"
            seen = problem or (race.__doc__ or "").split("\n")[0]
            yield checks.Finding(name, holds=problem is None, seen=seen)
