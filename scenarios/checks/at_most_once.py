"""At most once: a task is won by one, begun once, and its result is committed once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from scenarios.checks.violation import Violation
from scenarios.history import Event, History, Operation
from scenarios.words import listed, times

NAME: Final = "at most once"

_BEGUN_ONCE: Final = ("claim", "once")


def check_at_most_once(history: History) -> Sequence[Violation]:
    """Tasks that were won, begun or completed more often than they may be.

    A `claim` is won once and begun once, by who won it; a result is committed once, of a `reclaim`
    as well; what runs `once` begins once, and has one result.

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
    kind = name.partition("/")[0]
    if kind == "claim":
        yield from _won(operations)
        yield from _begun_by_others(name, operations, begun)
    if kind in _BEGUN_ONCE:
        yield from _begun_again(name, begun)
    if kind in ("claim", "reclaim"):
        yield from _committed(operations)
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
            commits.setdefault((each.actor, each.args.get("token")), each)
    if len(commits) > 1:
        yield _times([*commits.values()], "completed")


def _results(operations: Sequence[Operation]) -> Iterator[Violation]:
    returned = [each for each in operations if each.outcome == "returned"]
    other = next((each for each in returned if each.value != returned[0].value), None)
    if other is not None:
        text = f"{returned[0].actor} and {other.actor} were given different results"
        yield Violation.between(other, returned[0], check=NAME, text=text)


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
