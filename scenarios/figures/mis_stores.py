"""F14: the conformance check refuses every store that does not do as it must, and no other."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from persidict import LocalDict
from persidict.testing import (
    DeleteIfMatch,
    EmbeddedS3,
    Metadata,
    PutIfAbsent,
    PutIfMatch,
    StoreDialect,
)
from persidict.testing.conformance import Conformance, check_store
from persidict.testing.conformance import findings as checks
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.places import Bucket, File
from scenarios.figures.pool import Pool, processes

RACERS: Final = 8
RARE: Final = 60
"""Rounds at the least, where a race is lost now and then."""
MOST: Final = 400


@dataclass(frozen=True, kw_only=True)
class Case:
    """A store, and what must be found wrong with it.

    Args:
        name: What it is.
        dialect: How it speaks.
        server: How the server is started.
        broken: Checks that must not hold; those of which they are a part may not hold either.
        is_rare: Whether it goes wrong now and then only.
    """

    name: str
    dialect: StoreDialect = field(default_factory=StoreDialect)
    server: Mapping[str, Any] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    is_rare: bool = False


_LIKE_CEPH: Final = StoreDialect(unquoted_if_match_only=True, if_match_absent_status=412)
_APART: Final = {"serialised": False, "hold_racers": 2}
_BARE: Final = {"serialised": False, "switch_interval": 1e-5}
_RACES: Final = frozenset({checks.CREATE_RACE, checks.REPLACE_RACE})

CASES: Final = (
    Case(name="an atomic store"),
    Case(name="one that compares only unquoted etags", dialect=_LIKE_CEPH),
    Case(
        name="one without metadata, whose etags are MD5",
        dialect=StoreDialect(metadata=Metadata.DROPPED),
    ),
    Case(
        name="conditions of PUT ignored",
        dialect=StoreDialect(put_if_match=PutIfMatch.IGNORED, put_if_absent=PutIfAbsent.IGNORED),
        broken=frozenset({checks.CREATE, checks.REPLACE, checks.REPLACE_ABSENT, *_RACES}),
    ),
    Case(
        name="If-None-Match ignored",
        dialect=StoreDialect(put_if_absent=PutIfAbsent.IGNORED),
        broken=frozenset({checks.CREATE, checks.CREATE_RACE}),
    ),
    Case(
        name="If-None-Match refused",
        dialect=StoreDialect(put_if_absent=PutIfAbsent.REFUSED),
        broken=frozenset({checks.CREATE}),
    ),
    Case(
        name="If-Match ignored",
        dialect=StoreDialect(put_if_match=PutIfMatch.IGNORED),
        broken=frozenset({checks.REPLACE, checks.REPLACE_ABSENT, checks.REPLACE_RACE}),
    ),
    Case(
        name="If-Match creates what is not there",
        dialect=StoreDialect(put_if_match=PutIfMatch.CREATES),
        broken=frozenset({checks.REPLACE_ABSENT}),
    ),
    Case(
        name="the condition of DELETE ignored",
        dialect=StoreDialect(delete_if_match=DeleteIfMatch.IGNORED),
        broken=frozenset({checks.DELETE}),
    ),
    Case(
        name="the condition of DELETE refused",
        dialect=StoreDialect(delete_if_match=DeleteIfMatch.REFUSED),
        broken=frozenset({checks.DELETE}),
    ),
    Case(
        name="the delete of what is not there confirmed",
        dialect=StoreDialect(delete_if_match=DeleteIfMatch.CONFIRMS_ABSENT),
        broken=frozenset({checks.DELETE}),
    ),
    Case(
        name="neither metadata nor MD5",
        dialect=StoreDialect(metadata=Metadata.DROPPED, etag_is_md5=False),
        broken=frozenset({checks.RECOGNISE}),
    ),
    Case(name="check and write held apart", server=_APART, broken=_RACES),
    Case(name="bare moto", server=_BARE, broken=_RACES, is_rare=True),
)


def check(place: Bucket | File | None, rounds: int) -> Conformance:
    """What the check says of a bucket, a file, or memory."""
    d: Any = LocalDict() if place is None else place.open(timeout=30.0)
    return check_store(d, rounds=rounds, racers=RACERS)


def measure(task: Task) -> Result:
    """Check stores that are right, and stores that are wrong, each in its own way."""
    verdicts: dict[str, str] = {}
    violations: list[str] = []
    with ExitStack() as stack:
        pool = stack.enter_context(processes(1, plant=task.plant, patience=3_600.0))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="figures-"))
        for name, place in (("memory", None), ("a file", File(f"{folder}/store.sqlite"))):
            (found,) = pool.run(check, [(place, task.size)])
            _judge(Case(name=name), found, verdicts=verdicts, violations=violations)
        servers = _Servers(stack)
        for case in CASES:
            found = _check(case, servers, pool=pool, rounds=task.size)
            _judge(case, found, verdicts=verdicts, violations=violations)
            task.progress.tell(f"{case.name}: {verdicts[case.name]}")
    task.progress.add(task.size)
    return Result(
        counted={"stores": len(verdicts), "racers": RACERS, **verdicts}, violations=violations
    )


class _Servers:
    """One server for each way to start one."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[str, EmbeddedS3] = {}

    def get(self, settings: Mapping[str, Any]) -> EmbeddedS3:
        name = repr(settings)
        if name not in self._running:
            self._running[name] = self._stack.enter_context(EmbeddedS3(**settings))
        return self._running[name]


def _check(case: Case, servers: _Servers, *, pool: Pool, rounds: int) -> Conformance:
    server = servers.get(case.server)
    server.control.set_dialect(case.dialect)
    place = Bucket(server.endpoint_url, server.create_bucket())
    if case.is_rare:
        rounds = min(MOST, max(RARE, rounds))
    (found,) = pool.run(check, [(place, rounds)])
    return found


def _judge(
    case: Case, found: Conformance, *, verdicts: dict[str, str], violations: list[str]
) -> None:
    verdicts[case.name] = "conforms" if found.conforms else _listed(sorted(found.broken))
    missed = case.broken - found.broken
    if case.is_rare and case.broken & found.broken:
        missed = frozenset()
    if missed:
        violations.append(
            f"{case.name}: it was not noticed that it fails {_listed(sorted(missed))}"
        )
    if not case.broken and not found.conforms:
        seen = "; ".join(each.seen for each in found.findings if not each.holds)
        violations.append(f"{case.name}: it is right, and was refused ({seen})")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


MIS_STORES: Final = Figure(
    name="F14",
    summary="the conformance check refuses every mis-store and names what is wrong; it refuses "
    "no other",
    unit="rounds of each race",
    small=4,
    full=200,
    measure=measure,
)
