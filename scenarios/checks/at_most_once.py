"""At most once: a task is won by one, begun once, and its result is committed once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from scenarios.checks.model import text_of
from scenarios.checks.violation import Violation
from scenarios.history import Event, History, Operation, kind_of
from scenarios.words import listed, times

NAME: Final = "at most once"

_BEGUN_ONCE: Final = ("claim", "once")
_CLAIMED: Final = ("claim", "reclaim")


def check_at_most_once(history: History) -> Sequence[Violation]:
    """Tasks that were won, begun or completed more often than they may be.

    A `claim` is won once and begun once. It and a `reclaim` are begun by who won it and completed
    by who may have won it, with one result, and not won again after that. What runs `once` begins
    once, and has one result.

    Args:
        history: What to check.
    """
    begun = _begun(history)
    names = dict.fromkeys([*history.by_object, *begun])
    return [
        violation
        for name in names
        for violation in _violations(name, history.by_object.get(name, ()), begun.get(name, ()))
    ]


def _begun(history: History) -> Mapping[str, Sequence[tuple[int, Event]]]:
    """When the work of each task was begun: place and event."""
    begun: dict[str, list[tuple[int, Event]]] = defaultdict(list)
    for place, event in enumerate(history):
        if event.name == "began":
            begun[event["object"]].append((place, event))
    return begun


def _violations(
    name: str, operations: Sequence[Operation], begun: Sequence[tuple[int, Event]]
) -> Iterator[Violation]:
    kind = kind_of(name)
    if kind == "claim":
        yield from _won(operations)
    if kind in _BEGUN_ONCE:
        yield from _begun_again(name, begun)
    if kind in _CLAIMED:
        yield from _begun_by_others(name, operations, begun)
        yield from _committed(operations)
        yield from _committed_by_others(operations)
        yield from _won_when_done(operations)
    if kind == "once":
        yield from _results(operations)


def _won(operations: Sequence[Operation]) -> Iterator[Violation]:
    won = [each for each in operations if each.op == "claim" and each.value is True]
    if len(won) > 1:
        yield _times(won, "won")


def _committed(operations: Sequence[Operation]) -> Iterator[Violation]:
    """One may say the same again, under the same token."""
    commits: dict[object, Operation] = {}
    for each in operations:
        if each.op == "complete" and each.outcome == "returned":
            result = text_of(each.args.get("result"))
            commits.setdefault((each.actor, each.args.get("token"), result), each)
    if len(commits) > 1:
        yield _times([*commits.values()], "completed")


def _committed_by_others(operations: Sequence[Operation]) -> Iterator[Violation]:
    claims = [each for each in operations if each.op == "claim"]
    if not claims:
        return
    for each in operations:
        if each.op != "complete" or each.outcome != "returned":
            continue
        own = [it for it in claims if it.actor == each.actor and it.begin < each.begin]
        if not any(it.value is True or it.outcome == "unknown" for it in own):
            text = f"completed by {each.actor}, which had not won it"
            yield Violation.between(each, *own, check=NAME, text=text)


def _won_when_done(operations: Sequence[Operation]) -> Iterator[Violation]:
    done = [each for each in operations if each.op == "complete" and each.outcome == "returned"]
    won = [each for each in operations if each.op == "claim" and each.value is True]
    for claim in won:
        first = next((each for each in done if each.precedes(claim)), None)
        if first is not None:
            text = f"won by {claim.actor} after {first.actor} had completed it"
            yield Violation.between(claim, first, check=NAME, text=text)


def _results(operations: Sequence[Operation]) -> Iterator[Violation]:
    returned = [each for each in operations if each.op == "call" and each.outcome == "returned"]
    first: dict[str, Operation] = {}
    for each in returned:
        first.setdefault(text_of(each.value), each)
    if len(first) > 1:
        one, other, *_ = first.values()
        text = f"{one.actor} and {other.actor} were given different results"
        yield Violation.between(other, one, check=NAME, text=text)


def _begun_again(name: str, begun: Sequence[tuple[int, Event]]) -> Iterator[Violation]:
    if len(begun) > 1:
        actors = listed(event.actor for _, event in begun)
        yield Violation(
            check=NAME,
            object=name,
            text=f"begun {times(len(begun))}: by {actors}",
            at=begun[1][1].at,
        )


def _begun_by_others(
    name: str, operations: Sequence[Operation], begun: Sequence[tuple[int, Event]]
) -> Iterator[Violation]:
    claims = [each for each in operations if each.op == "claim"]
    if not claims:
        return
    for place, event in begun:
        own = [each for each in claims if each.actor == event.actor and each.begin < place]
        if not any(each.value is True and (each.end or 0) < place for each in own):
            yield Violation(
                check=NAME,
                object=name,
                text=f"begun by {event.actor}, which had not been told that it had won it",
                at=event.at,
                operations=tuple(each.id for each in own),
            )


def _times(operations: Sequence[Operation], what: str) -> Violation:
    text = f"{what} {times(len(operations))}: by {listed(each.actor for each in operations)}"
    return Violation.between(*reversed(operations), check=NAME, text=text)
