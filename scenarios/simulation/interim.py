"""Checks of what is held, begun and handed out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenarios.checks.violation import Violation
from scenarios.events import Event
from scenarios.history import History


@dataclass
class Belief:
    actor: str
    object: str
    token: int
    begin: float
    until: float
    broken: float = float("inf")


def beliefs(history: Sequence[Event]) -> list[Belief]:
    found: list[Belief] = []
    open_: dict[tuple[str, str, int], Belief] = {}
    broken: dict[tuple[str, int], float] = {}
    for event in history:
        if event.name in ("acquired", "renewed", "released", "lost"):
            key = event.actor, event["object"], event["token"]
            if event.name == "acquired":
                open_[key] = one = Belief(*key, event.at, event["until"])
                found.append(one)
            elif event.name == "renewed":
                open_[key].until = event["until"]
            elif key in open_:
                one = open_.pop(key)
                one.until = min(one.until, event.at)
        elif event.name == "broken":
            broken.setdefault((event["object"], event["token"]), event.at)
        elif event.name == "crashed":
            for key in [key for key in open_ if key[0] == event.actor]:
                one = open_.pop(key)
                one.until = min(one.until, event.at)
    for one in found:
        one.broken = broken.get((one.object, one.token), float("inf"))
        one.until = min(one.until, one.broken)
    return found


def check_held(history: History) -> Iterator[Violation]:
    permits = history.meta.get("permits", {})
    grouped = defaultdict(list)
    for one in beliefs(history):
        grouped[one.object].append(one)
    for name, all_ in grouped.items():
        most = permits.get(name, 1)
        tokens = [one.token for one in all_]
        if len(set(tokens)) < len(tokens):
            yield Violation(check="tokens", object=name, text=f"a token twice: {tokens}", at=0.0)
        if most == 1 and tokens != sorted(tokens):
            yield Violation(check="tokens", object=name, text=f"falling: {tokens}", at=0.0)
        for one in all_:
            holding = [o for o in all_ if o.begin <= one.begin < o.until]
            if len(holding) > most:
                yield Violation(
                    check="exclusion",
                    object=name,
                    text=f"held by {[(o.actor, o.token, o.begin, o.until) for o in holding]}",
                    at=one.begin,
                )


def check_begun(history: History) -> Iterator[Violation]:
    begun = defaultdict(list)
    for event in history:
        if event.name == "began" and event["object"].startswith(("claim/", "once/")):
            begun[event["object"]].append(event)
    for name, events in begun.items():
        if len(events) > 1:
            yield Violation(
                check="at-most-once",
                object=name,
                text=f"begun by {[event.actor for event in events]}",
                at=events[1].at,
            )


def check_numbers(history: History) -> Iterator[Violation]:
    for name, operations in history.by_object.items():
        kind = operations[0].kind
        if kind == "sequence":
            numbers = [one.value for one in operations if one.outcome == "returned"]
            if len(set(numbers)) < len(numbers):
                yield Violation(check="sequence", object=name, text="a number twice", at=0.0)
        if kind == "reclaim":
            done = [
                one for one in operations if one.op == "complete" and one.outcome == "returned" and one.args["result"] != "failed"
            ]
            if len(done) > 1:
                yield Violation(
                    check="completed once",
                    object=name,
                    text=f"{[(one.actor, one.args) for one in done]}",
                    at=0.0,
                )
        if kind == "once":
            results = {one.value for one in operations if one.outcome == "returned"}
            if len(results) > 1:
                yield Violation(check="once", object=name, text=f"{results}", at=0.0)
