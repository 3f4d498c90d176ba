"""The audit of a shared configuration: from the record and the services' logs to violations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from persidict_sync.record import Record
from scenarios.config_cas.watched import check_watchers
from scenarios.config_cas.work import NAME
from scenarios.fates import check_fates
from scenarios.reckoning import Reckoning, check_all_done, check_linearizable
from scenarios.scenario import Audit, Evidence, Finding
from scenarios.updates import Update, updates_in
from scenarios.words import many


@dataclass(frozen=True)
class _Case:
    """The evidence, put in order."""

    evidence: Evidence

    @cached_property
    def record(self) -> Record | None:
        return self.evidence.records.get(f"coordination/value/{NAME}")

    @cached_property
    def reckoning(self) -> Reckoning:
        return Reckoning(
            updates=updates_in(self.evidence.logs),
            last=self.record.generation if self.record else 0,
            number_of=lambda change: change.generation or 0,
            word="generation",
            noun="changes",
        )

    @cached_property
    def applied(self) -> Mapping[int, Update]:
        """The changes that are known to have been applied, by generation, in order."""
        known = [*self.reckoning.acknowledged, *self.reckoning.untold]
        return {change.generation or 0: change for change in sorted(known, key=_generation)}

    @cached_property
    def doubtful(self) -> frozenset[str]:
        """The ids of changes that may or may not have been applied."""
        return frozenset(change.notes.get("change", "") for change in self.reckoning.open)

    @property
    def config(self) -> Any:
        """The configuration in the end."""
        return self.record.body["value"] if self.record else None


def audit(evidence: Evidence) -> Audit:
    """Judge what became of a configuration; a pure function of what was found."""
    case = _Case(evidence)
    findings = [
        case.reckoning.check_applied_once(),
        case.reckoning.check_told_once(),
        case.reckoning.check_order(),
        _check_settings(case),
        _check_steps(case),
        check_watchers(evidence, applied=case.applied, doubtful=case.doubtful),
        check_linearizable(evidence),
        check_all_done(evidence, updates=case.reckoning.updates),
        check_fates(evidence),
    ]
    tries = sum(change.operation.value is False for change in case.reckoning.updates)
    return Audit(findings, {**case.reckoning.figures(), "refused": tries})


def _generation(change: Update) -> int:
    return change.generation or 0


def _check_settings(case: _Case) -> Finding:
    """Each setting's changes replace one another, up to the one that is there in the end."""
    by_setting: dict[str, list[Update]] = defaultdict(list)
    for change in case.applied.values():
        by_setting[change.notes["setting"]].append(change)
    violations = []
    for setting, changes in sorted(by_setting.items()):
        lost = [*_lost(setting, changes, case=case)]
        if lost:
            share = f"{len(lost)} of {many(len(changes), 'change')}"
            violations.append(f"{setting}: {share} lost or misplaced; the first: {lost[0]}")
    count = sum(map(len, by_setting.values()))
    counted = f"{many(count, 'change')} of {many(len(by_setting), 'setting')}"
    return Finding("every change there, or replaced by a later one", counted, violations)


def _lost(setting: str, changes: Sequence[Update], *, case: _Case) -> Iterator[str]:
    before: Update | None = None
    for change in changes:
        # A worker that was killed before it was told has not said what it replaced.
        if "replaces" in change.notes:
            replaces = change.notes["replaces"]
            if replaces != _id_of(before) and replaces not in case.doubtful:
                yield f"{_named(change)} replaced {replaces}, the one before is {_named(before)}"
        before = change
    settings = case.config["settings"] if case.config else {}
    last = settings[setting]["change"] if setting in settings else None
    if last != _id_of(before) and last not in case.doubtful:
        yield f"it is {last} in the end, and the last one is {_named(before)}"


def _id_of(change: Update | None) -> str | None:
    return None if change is None else change.notes["change"]


def _named(change: Update | None) -> str:
    return f"{_id_of(change)} (generation {change.generation})" if change else "none"


def _check_steps(case: _Case) -> Finding:
    """Each generation was made of the one before it."""
    violations = []
    for generation, change in case.applied.items():
        before = case.applied.get(generation - 1)
        if "follows" not in change.notes or (before is None and generation > 1):
            continue
        follows = change.notes["follows"]
        if follows != _id_of(before):
            violations.append(
                f"{_named(change)} was made of {follows}, and the one before is {_named(before)}"
            )
    last = case.applied.get(case.reckoning.last)
    if last is not None and case.config["change"] != _id_of(last):
        violations.append(
            f"the configuration names {case.config['change']} as its last change, which is "
            f"{_named(last)}"
        )
    violations += _history_errors(case)
    counted = f"generation {case.reckoning.last}"
    return Finding("each generation made of the one before", counted, violations)


def _history_errors(case: _Case) -> Iterator[str]:
    """What the record says of its last changes, for people, is what happened."""
    history = case.record.body["history"] if case.record else []
    for change in history:
        known = case.applied.get(change["generation"])
        if known is not None and known.actor != change["owner"]:
            yield (
                f"generation {change['generation']} is {known.actor}'s, and the record says "
                f"{change['owner']}'s"
            )
    generations = [change["generation"] for change in history]
    if generations != [*range(case.reckoning.last - len(generations) + 1, case.reckoning.last + 1)]:
        yield f"the record's history has generations {generations}, and it is {case.reckoning.last}"
