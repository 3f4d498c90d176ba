"""The ways to change one item, and what each tells of what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    BasicS3Dict,
    MutationPolicyError,
    OutcomeUnknownError,
)
from persidict.jokers_and_status_flags import ConditionalOperationResult

KEY = "k"


class Verdict(Enum):
    WON = auto()
    LOST = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class Ended:
    """How a call ended, and what it told: etags or values before and after it."""

    verdict: Verdict
    told: dict[str, Any] = field(default_factory=dict)


Call = Callable[[BasicS3Dict[Any], Any], Ended]
"""A call on the item of key `KEY`, given the etag that it has, or that it is absent."""


@dataclass(frozen=True)
class Write:
    """One way to change an item.

    Attributes:
        verb: The HTTP method that changes it.
        is_conditional: Whether it depends on what is there, so that it can be applied once only.
        creates: Whether it begins with nothing there; otherwise with the value `old`.
        decides_again: Whether it takes another's write into account and goes on.
    """

    name: str
    call: Call
    verb: str = "PUT"
    is_conditional: bool = True
    creates: bool = False
    decides_again: bool = False
    append_only: bool = False

    def __str__(self) -> str:
        return self.name

    def run(self, d: BasicS3Dict[Any], etag: Any) -> Ended:
        try:
            return self.call(d, etag)
        except OutcomeUnknownError as error:
            return Ended(Verdict.UNKNOWN, {"before": error.actual_etag})

    def makes_of(self, before: str) -> str:
        """The value in the bucket, once this write has been applied to `before`."""
        if self.verb == "DELETE":
            return "absent"
        return f"{before}+mine" if self.name.startswith("transform_item") else "mine"


def _told(result: ConditionalOperationResult[Any]) -> Ended:
    if result.condition_was_satisfied:
        return Ended(Verdict.WON, {"before": result.actual_etag, "after": result.resulting_etag})
    assert result.resulting_etag == result.actual_etag
    told = {"before": result.actual_etag, "value": result.new_value}
    return Ended(Verdict.LOST, told)


def _set(condition: Any, value: Any = "mine") -> Call:
    def call(d: BasicS3Dict[Any], etag: Any) -> Ended:
        expected = "no such etag" if condition is ETAG_HAS_CHANGED else etag
        return _told(d.set_item_if(KEY, value=value, condition=condition, expected_etag=expected))

    return call


def _setdefault_if(d: BasicS3Dict[Any], etag: Any) -> Ended:
    return _told(
        d.setdefault_if(KEY, default_value="mine", condition=ETAG_IS_THE_SAME, expected_etag=etag)
    )


def _setdefault(d: BasicS3Dict[Any], _etag: Any) -> Ended:
    value = d.setdefault(KEY, "mine")
    return Ended(Verdict.WON) if value == "mine" else Ended(Verdict.LOST, {"before": value})


def _append(d: BasicS3Dict[Any], _etag: Any) -> Ended:
    try:
        d[KEY] = "mine"
    except MutationPolicyError:
        return Ended(Verdict.LOST)
    return Ended(Verdict.WON)


def _assign(value: Any) -> Call:
    def call(d: BasicS3Dict[Any], _etag: Any) -> Ended:
        d[KEY] = value
        return Ended(Verdict.WON)

    return call


def _transform(d: BasicS3Dict[Any], _etag: Any) -> Ended:
    def transformer(value: Any) -> str:
        return f"{'absent' if value is ITEM_NOT_AVAILABLE else value}+mine"

    result = d.transform_item(KEY, transformer=transformer)
    return Ended(Verdict.WON, {"after": result.resulting_etag, "value": result.new_value})


def _discard_if(condition: Any) -> Call:
    def call(d: BasicS3Dict[Any], etag: Any) -> Ended:
        return _told(d.discard_if(KEY, condition=condition, expected_etag=etag))

    return call


def _pop(d: BasicS3Dict[Any], _etag: Any) -> Ended:
    value = d.pop(KEY, ITEM_NOT_AVAILABLE)
    verdict = Verdict.LOST if value is ITEM_NOT_AVAILABLE else Verdict.WON
    return Ended(verdict, {"before": value})


def _discard(d: BasicS3Dict[Any], _etag: Any) -> Ended:
    return Ended(Verdict.WON if d.discard(KEY) else Verdict.LOST)


def _del(d: BasicS3Dict[Any], _etag: Any) -> Ended:
    del d[KEY]
    return Ended(Verdict.WON)


CREATES = (
    Write("set_item_if absent", _set(ETAG_IS_THE_SAME), creates=True),
    Write("setdefault", _setdefault, creates=True),
    Write("setdefault_if", _setdefault_if, creates=True),
    Write("append-only d[k]=v", _append, creates=True, append_only=True),
    Write("transform_item absent", _transform, creates=True, decides_again=True),
    Write("set_item_if ANY absent", _set(ANY_ETAG), creates=True, decides_again=True),
)
SWAPS = (
    Write("set_item_if", _set(ETAG_IS_THE_SAME)),
    Write("set_item_if ANY", _set(ANY_ETAG), decides_again=True),
    Write("set_item_if CHANGED", _set(ETAG_HAS_CHANGED), decides_again=True),
    Write("transform_item", _transform, decides_again=True),
)
TAKES = (
    Write("discard_if", _discard_if(ETAG_IS_THE_SAME), verb="DELETE"),
    Write("set_item_if DELETE", _set(ETAG_IS_THE_SAME, DELETE_CURRENT), verb="DELETE"),
    Write("discard_if ANY", _discard_if(ANY_ETAG), verb="DELETE", decides_again=True),
    Write("pop", _pop, verb="DELETE", decides_again=True),
)
ASSIGNMENTS = (Write("d[k]=v", _assign("mine"), is_conditional=False),)
REMOVALS = (
    Write("discard", _discard, verb="DELETE", is_conditional=False),
    Write("del", _del, verb="DELETE", is_conditional=False),
    Write("d[k]=DELETE", _assign(DELETE_CURRENT), verb="DELETE", is_conditional=False),
)
ALL = (*CREATES, *SWAPS, *TAKES, *ASSIGNMENTS, *REMOVALS)
ONE_OF_EACH = (CREATES[0], SWAPS[0], SWAPS[-1], TAKES[0], ASSIGNMENTS[0], REMOVALS[0])
