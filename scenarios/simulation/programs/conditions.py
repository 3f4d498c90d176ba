"""Programs that use every condition of the dictionary, with values that many write alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from persidict import (
    ALWAYS_RETRIEVE,
    ANY_ETAG,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    IF_ETAG_CHANGED,
    ITEM_NOT_AVAILABLE,
    NEVER_RETRIEVE,
    VALUE_NOT_RETRIEVED,
    ConditionalOperationResult,
    ETagConditionFlag,
    PersiDict,
)
from scenarios.simulation.limits import DELETABLE, LASTING
from scenarios.simulation.worker import UNDONE, Worker

CONDITIONS: Final[Mapping[str, ETagConditionFlag]] = {
    "same": ETAG_IS_THE_SAME,
    "changed": ETAG_HAS_CHANGED,
    "any": ANY_ETAG,
}
VALUES: Final = ("open", "taken")
RETRIEVALS: Final = (IF_ETAG_CHANGED, ALWAYS_RETRIEVE, NEVER_RETRIEVE)
KEY: Final = "i"

Result = ConditionalOperationResult[Any]


class _Item:
    """One item, and its etag as this process has last seen it."""

    def __init__(self, d: PersiDict[Any], folder: str) -> None:
        self.d = d
        self.object = f"item/{folder}-{KEY}"
        self.seen: Any = ITEM_NOT_AVAILABLE


def get(worker: Worker, folder: str) -> None:
    """Look under a condition."""
    _perform(worker, folder, "get_item_if", lambda item, **terms: item.d.get_item_if(KEY, **terms))


def set_(worker: Worker, folder: str) -> None:
    """Write under a condition."""
    value = worker.random.choice(VALUES)
    _perform(
        worker,
        folder,
        "set_item_if",
        lambda item, **terms: item.d.set_item_if(KEY, value=value, **terms),
        value=value,
    )


def insert(worker: Worker, folder: str) -> None:
    """Write where there is nothing, under a condition."""
    value = worker.random.choice(VALUES)
    _perform(
        worker,
        folder,
        "setdefault_if",
        lambda item, **terms: item.d.setdefault_if(KEY, default_value=value, **terms),
        value=value,
    )


def discard(worker: Worker) -> None:
    """Delete under a condition."""

    def act(item: _Item, *, retrieve_value: object, **terms: Any) -> Result:  # noqa: ARG001
        return item.d.discard_if(KEY, **terms)

    _perform(worker, DELETABLE, "discard_if", act)


def _perform(worker: Worker, folder: str, op: str, act: Callable[..., Result], **args: Any) -> None:
    random = worker.random
    item: _Item = worker.host.shared(
        f"item/{folder}", lambda: _Item(worker.host.dictionary.get_subdict(folder), folder)
    )
    condition = random.choice(("same", "same", "same", "changed", "any"))
    expected = item.seen if random.random() < 0.8 else ITEM_NOT_AVAILABLE
    terms = {
        "condition": CONDITIONS[condition],
        "expected_etag": expected,
        "retrieve_value": random.choice(RETRIEVALS),
    }
    result = worker.perform(
        item.object,
        op,
        {"condition": condition, "expected": _etag(expected), **args},
        lambda: act(item, **terms),
        shown=_shown,
    )
    if result is not UNDONE:
        item.seen = result.resulting_etag


def _etag(etag: Any) -> str | None:
    return None if etag is ITEM_NOT_AVAILABLE else str(etag)


def _shown(result: Result) -> dict[str, Any]:
    shown = {
        "satisfied": result.condition_was_satisfied,
        "actual": _etag(result.actual_etag),
        "resulting": _etag(result.resulting_etag),
    }
    if result.new_value in (VALUE_NOT_RETRIEVED, ITEM_NOT_AVAILABLE):
        return shown
    return {**shown, "value": result.new_value}


def read_all(worker: Worker) -> None:
    """Look at all items."""
    for folder in (LASTING, DELETABLE):
        get(worker, folder)
