"""What was found out about a store, and what that means for those who use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

CREATE: Final = "create if absent"
REPLACE: Final = "replace if unchanged"
REPLACE_ABSENT: Final = "replace only what is there"
DELETE: Final = "delete if unchanged"
RECOGNISE: Final = "recognise a write whose answer was lost"
CREATE_RACE: Final = "race to create"
REPLACE_RACE: Final = "race to replace"
COUNTING: Final = "race to count"
DELETE_RACE: Final = "race to delete"
VERSIONS: Final = "an etag for each version"
READS: Final = "reads show the last write"
WHOLE: Final = "reads are whole"
LISTS: Final = "listings show the last write"
AGE: Final = "the age of an item"

_WRITES: Final = frozenset({RECOGNISE, VERSIONS, READS, WHOLE})
_CREATES: Final = _WRITES | {CREATE, CREATE_RACE}
_CHANGES: Final = _CREATES | {REPLACE, REPLACE_ABSENT, REPLACE_RACE, COUNTING}

NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "d[k], d[k] = v, del, in, get": frozenset({READS, WHOLE}),
    "iteration, len, clear": frozenset({READS, WHOLE, LISTS}),
    "setdefault, setdefault_if, append_only": _CREATES,
    "set_item_if, transform_item, conditions that an item has changed": _CHANGES,
    "discard_if, pop, popitem, DELETE_CURRENT under a condition": _WRITES | {DELETE, DELETE_RACE},
    "persidict_sync: leases, counters, claims and all the others": _CHANGES,
    'age, and expiry="server"': frozenset({READS, AGE}),
}
"""What a user calls, and what it needs of the store."""


@dataclass(frozen=True)
class Finding:
    """What one check has found.

    Attributes:
        check: What was checked.
        holds: Whether the store did as it must.
        seen: What it did.
    """

    check: str
    holds: bool
    seen: str


@dataclass(frozen=True)
class Conformance:
    """All findings about a store.

    Attributes:
        findings: In the order of the checks.
        rounds: Of each race.
        racers: In each of them.
    """

    findings: Sequence[Finding]
    rounds: int
    racers: int

    @property
    def conforms(self) -> bool:
        """Whether no check has found anything wrong."""
        return all(finding.holds for finding in self.findings)

    @property
    def broken(self) -> frozenset[str]:
        """The checks that did not hold."""
        return frozenset(finding.check for finding in self.findings if not finding.holds)

    @property
    def works(self) -> Sequence[str]:
        """What may be used all the same."""
        return [what for what, needs in NEEDS.items() if not needs & self.broken]

    @property
    def fails(self) -> Sequence[str]:
        """What must not be used with this store."""
        return [what for what, needs in NEEDS.items() if needs & self.broken]

    def __str__(self) -> str:
        width = max(len(finding.check) for finding in self.findings)
        lines = [
            f"{'ok  ' if finding.holds else 'FAIL'}  {finding.check:<{width}}  {finding.seen}"
            for finding in self.findings
        ]
        if self.conforms:
            lines += ["", self._bound()]
        else:
            lines += ["", "Do not use with this store:", *(f"  {what}" for what in self.fails)]
            lines += ["What still works:", *(f"  {what}" for what in self.works or ["nothing"])]
        return "\n".join(lines)

    def _bound(self) -> str:
        share = 1 - 0.05 ** (1 / self.rounds)
        rounds = f"{self.rounds} round{'s' * (self.rounds != 1)}"
        return (
            "The store did all that is needed of it. Races prove what they find and not what they "
            f"miss: if one round in {max(1, round(1 / share))} went wrong, {rounds} "
            "would have shown it 19 times of 20."
        )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "conforms": self.conforms,
            "rounds": self.rounds,
            "racers": self.racers,
            "findings": [vars(finding) for finding in self.findings],
            "works": list(self.works),
            "fails": list(self.fails),
        }
