"""The audit of a semaphore: from the record, the bucket and the workers' logs to violations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from persidict_sync.record import Record
from scenarios.fates import check_fates
from scenarios.scenario import Audit, Evidence, Finding
from scenarios.semaphore.case import Case, entry_of
from scenarios.semaphore.terms import LATEST_RETURN, about_return
from scenarios.semaphore.work import LAST
from scenarios.words import many


def audit(evidence: Evidence) -> Audit:
    """Judge who held permits and what was done under them; a pure function of what was found."""
    case = Case(evidence)
    findings = [
        _check_permits(case),
        _check_tokens(case),
        _check_return(case),
        _check_work(case),
        _check_record(case),
        check_fates(evidence),
    ]
    return Audit(findings, _figures(case))


def _figures(case: Case) -> Mapping[str, Any]:
    return {
        "permits": case.permits,
        "most_at_once": _most_at_once(case),
        "tenures": len(case.beliefs),
        "renewals": sum(belief.renewals for belief in case.beliefs),
        "tenures_lost": sum(belief.is_lost for belief in case.beliefs),
        "done": len(case.done),
        "generation": case.record.generation if case.record else 0,
        "permit_back_seconds": {
            f"after_{blow}": None if seconds is None else round(seconds, 3)
            for blow, seconds in case.seconds_until_back().items()
        },
    }


def _most_at_once(case: Case) -> int:
    return max((len(crowd.members) for crowd in case.crowds), default=0)


def _check_permits(case: Case) -> Finding:
    """Never more workers believe that they hold a permit than there are permits."""
    violations = []
    too_many = [crowd for crowd in case.crowds if len(crowd.members) > case.permits]
    if too_many:
        largest = max(too_many, key=lambda crowd: (len(crowd.members), crowd.seconds))
        violations.append(
            f"{many(len(too_many), 'acquisition')} made it more than {case.permits} that held a "
            f"permit; the most were {largest}"
        )
    counted = f"{_most_at_once(case)} at most, {many(len(case.beliefs), 'tenure')}"
    return Finding(f"never more than {case.permits} at once", counted, violations)


def _check_tokens(case: Case) -> Finding:
    """Every acquisition has a token of its own, larger than any that had been told before."""
    tokens = [number for number, _ in case.order.told]
    counted = f"{len(tokens)} told, up to {max(tokens, default=0)}"
    violations = [*case.order.twice(), *case.order.backwards()]
    return Finding("tokens strictly increased", counted, violations)


def _check_return(case: Case) -> Finding:
    """The permit of the dead one is taken over in time; not too early is `_check_permits`'."""
    seconds = case.seconds_until_back()["kill"]
    violations = []
    if seconds is None:
        violations.append("the killed worker's permit never came back")
    elif seconds > LATEST_RETURN:
        violations.append(
            f"the killed worker's permit came back after {seconds:.2f} s, later than "
            f"{about_return()}"
        )
    shown = "never" if seconds is None else f"after {seconds:.2f} s"
    counted = f"{shown}, at most {about_return()}"
    return Finding("the dead one's permit came back", counted, violations)


def _check_work(case: Case) -> Finding:
    """Each task was begun under a permit, and its result is one of those that were begun."""
    violations = []
    for event in case.begun:
        belief = case.holding(event.actor, event["token"])
        if belief is None or not belief.begins <= event.at <= belief.ends:
            violations.append(
                f"{event.actor} began {event['doing']} under token {event['token']}, which it did "
                "not hold"
            )
    bucket = case.evidence.bucket
    tasks = case.evidence.tasks
    begun = {(event["doing"], event.actor, event["token"]) for event in case.begun}
    for task in tasks:
        entry = entry_of(bucket.get(task))
        if task not in bucket:
            violations.append(f"{task} was not done")
        elif entry is None or (task, *entry) not in begun:
            violations.append(f"{task}: the bucket holds what no worker has begun")
    violations += [
        f"{event['done']}: {event.actor} did it, and the bucket holds another's result"
        for event in case.done
        if entry_of(bucket.get(event["done"])) != (event.actor, event["token"])
    ]
    violations += [
        f"{key} lies under the run's prefix and is no task"
        for key in sorted({*bucket} - {*tasks, LAST})
    ]
    counted = f"{sum(task in bucket for task in tasks)} of {len(tasks)}, {len(begun)} begun"
    return Finding("every task done under a permit", counted, violations)


def _check_record(case: Case) -> Finding:
    """The record shows what the acquisitions, renewals and releases have made of it."""
    record = case.record
    if record is None:
        return Finding("the record agrees", "none", ["the bucket holds no record of it"])
    counted = f"generation {record.generation}, {len(record.body['held'])} held in the end"
    return Finding("the record agrees", counted, [*_disagreements(record, case=case)])


def _disagreements(record: Record, *, case: Case) -> Iterator[str]:
    permits, token = record.body["permits"], record.body["token"]
    held = [permit["token"] for permit in record.body["held"]]
    if permits != case.permits:
        yield f"the record is of {many(permits, 'permit')}, and there are {case.permits}"
    if len(held) > case.permits:
        yield f"the record shows {len(held)} held of {many(case.permits, 'permit')}"
    last = max((number for number, _ in case.order.told), default=0)
    if token < last:
        yield f"the record shows {token} as its last token, and {last} was told"
    for number in sorted({*held} & case.released):
        yield f"the record shows token {number} as held, and it was released"
    writes = len(case.acquisitions) + len(case.released)
    writes += sum(belief.renewals for belief in case.beliefs)
    if record.generation < writes:
        yield (
            f"the record is of generation {record.generation}, and {writes} acquisitions, "
            "renewals and releases were acknowledged"
        )
