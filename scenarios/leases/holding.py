"""Checks of who held the lease, when, and under which token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from persidict_sync.record import Record
from scenarios.leases.beliefs import Belief
from scenarios.leases.case import Case
from scenarios.leases.terms import LATEST_TAKEOVER, about_takeover
from scenarios.scenario import Finding
from scenarios.words import listed, many


def check_exclusion(case: Case) -> Finding:
    """No two workers believe at once that they hold it."""
    violations = []
    latest: dict[str, Belief] = {}
    for belief in case.beliefs:
        others = [
            f"{other.worker} under token {other.token} for another "
            f"{other.ends - belief.begins:.3f} s"
            for other in latest.values()
            if other.worker != belief.worker and other.ends > belief.begins
        ]
        if others:
            violations.append(
                f"{belief.worker} acquired token {belief.token} while it was held by "
                f"{listed(others)}"
            )
        latest[belief.worker] = belief
    renewals = sum(belief.renewals for belief in case.beliefs)
    counted = f"{many(len(case.beliefs), 'tenure')}, {many(renewals, 'renewal')}"
    return Finding("no two held it at once", counted, violations)


def check_tokens(case: Case) -> Finding:
    """Tokens strictly increase from holder to holder."""
    violations = [
        f"{after.worker} acquired token {after.token} after {before.worker} had acquired "
        f"{before.token}"
        for before, after in pairwise(case.beliefs)
        if after.token <= before.token
    ]
    tokens = [belief.token for belief in case.beliefs]
    counted = f"from {tokens[0]} to {tokens[-1]}" if tokens else "none"
    return Finding("tokens strictly increased", counted, violations)


def takeovers(case: Case) -> Mapping[str, float | None]:
    """Seconds from each blow to the next worker's acquiring; None if nobody did."""
    course = case.evidence.course
    blows = {"kill": (course.killed, course.killed_at), "freeze": (course.frozen, course.frozen_at)}
    return {
        blow: next(
            (
                belief.begins - at
                for belief in case.beliefs
                if belief.begins > at and belief.worker != struck.worker
            ),
            None,
        )
        for blow, (struck, at) in blows.items()
        if struck is not None and at is not None
    }


def check_takeover(case: Case) -> Finding:
    """After a blow another worker takes over in time; that it waits is `check_exclusion`'s."""
    violations, counted = [], [f"at most {about_takeover()}"]
    for blow, seconds in takeovers(case).items():
        if seconds is None:
            violations.append(f"nobody took over after the {blow}")
            continue
        counted.insert(-1, f"{seconds:.2f} s after the {blow}")
        if seconds > LATEST_TAKEOVER:
            violations.append(
                f"the takeover came {seconds:.2f} s after the {blow}, later than {about_takeover()}"
            )
    return Finding("taken over in time", ", ".join(counted), violations)


def check_record(case: Case) -> Finding:
    """The record in the bucket is what the last acquisition has left."""
    record = case.evidence.records.get(f"coordination/{case.name}")
    if record is None:
        return Finding("the record agrees", "none", ["the bucket holds no record of the lease"])
    counted = f"token {record.body.get('token')}, generation {record.generation}"
    return Finding("the record agrees", counted, [*_disagreements(record, case=case)])


def _disagreements(record: Record, *, case: Case) -> Iterator[str]:
    token, holder, beat = (record.body.get(name) for name in ("token", "holder", "beat"))
    last = case.beliefs[-1] if case.beliefs else None
    if last is None or token != last.token:
        who = "nobody has acquired it" if last is None else f"the last was {last.token}"
        yield f"the record shows token {token}, and {who}"
        return
    is_freed = any(
        call.op == "release" and call.value is True and call.args.get("token") == token
        for call in case.calls
        if call.object == case.name
    )
    if holder is not None and (is_freed or holder != last.worker):
        yield f"the record shows {holder} as the holder, and {last.worker} has released it"
    # An acquisition makes its generation its token; each renewal and the release is one write.
    writes = (beat if isinstance(beat, int) else 0) + (holder is None)
    if record.generation != token + writes:
        yield (
            f"the record is of generation {record.generation}: since token {token} was acquired "
            f"there should have been {many(writes, 'write')}"
        )
