"""An append-only dictionary takes new items, and changes and deletes none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    DELETE_CURRENT,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    MutationPolicyError,
    PersiDict,
)

if TYPE_CHECKING:
    from tests.contract.places import Place

Change = Callable[[PersiDict[Any]], Any]

CHANGES: dict[str, Change] = {
    "assign": lambda d: d.__setitem__("a", [2]),
    "assign an equal value": lambda d: d.__setitem__("a", [1]),
    "update": lambda d: d.update({"a": [2]}),
    "union": lambda d: d.__ior__({"a": [2]}),
    "transform": lambda d: d.transform_item("a", transformer=lambda _: [2]),
}
DELETIONS: dict[str, Change] = {
    "del": lambda d: d.__delitem__("a"),
    "discard": lambda d: d.discard("a"),
    "delete_if_exists": lambda d: d.delete_if_exists("a"),
    "pop": lambda d: d.pop("a"),
    "pop with default": lambda d: d.pop("a", None),
    "popitem": lambda d: d.popitem(),
    "clear": lambda d: d.clear(),
    "assign DELETE_CURRENT": lambda d: d.__setitem__("a", DELETE_CURRENT),
    "transform to DELETE_CURRENT": lambda d: d.transform_item(
        "a", transformer=lambda _: DELETE_CURRENT
    ),
    "clear a subdictionary": lambda d: d.get_subdict(()).clear(),
}
NO_CHANGES: dict[str, tuple[Change, Any]] = {
    "assign KEEP_CURRENT": (lambda d: d.__setitem__("a", KEEP_CURRENT), None),
    "setdefault": (lambda d: d.setdefault("a", [2]), [1]),
    "transform to KEEP_CURRENT": (
        lambda d: d.transform_item("a", transformer=lambda _: KEEP_CURRENT).new_value,
        [1],
    ),
}


@pytest.fixture
def kept(place: Place, serialization_format: str) -> PersiDict[Any]:
    return place.open(serialization_format=serialization_format, append_only=True)


@pytest.mark.parametrize("change", [*CHANGES, *DELETIONS])
def test_an_item_is_neither_changed_nor_deleted(
    place: Place, serialization_format: str, kept: PersiDict[Any], change: str
) -> None:
    d = place.open(serialization_format=serialization_format)
    d["a"] = [1]
    etag = d.etag("a")

    with pytest.raises(MutationPolicyError, match="append-only") as refusal:
        {**CHANGES, **DELETIONS}[change](kept)

    assert isinstance(refusal.value, TypeError)
    assert refusal.value.policy == "append-only"
    assert (d["a"], d.etag("a"), len(d)) == ([1], etag, 1)


@pytest.mark.parametrize("change", CHANGES)
def test_an_item_is_inserted(kept: PersiDict[Any], change: str) -> None:
    CHANGES[change](kept)

    assert kept["a"] in ([1], [2])


@pytest.mark.parametrize("deletion", DELETIONS)
def test_deleting_nothing_is_refused_as_well(kept: PersiDict[Any], deletion: str) -> None:
    with pytest.raises(MutationPolicyError):
        DELETIONS[deletion](kept)


@pytest.mark.parametrize("operation", NO_CHANGES)
def test_what_changes_nothing_is_allowed(kept: PersiDict[Any], operation: str) -> None:
    kept["a"] = [1]
    etag = kept.etag("a")
    call, result = NO_CHANGES[operation]

    assert call(kept) == result

    assert (kept["a"], kept.etag("a")) == ([1], etag)


def test_setdefault_inserts(kept: PersiDict[Any]) -> None:
    assert kept.setdefault("a", [1]) == [1]
    assert kept["a"] == [1]


def test_views_are_append_only_as_well(kept: PersiDict[Any]) -> None:
    import copy

    kept["a", "b"] = [1]

    for view, key in (
        (kept.get_subdict("a"), "b"),
        (kept.subdicts()["a"], "b"),
        (copy.copy(kept), ("a", "b")),
        (kept.with_codec(kept._codec), ("a", "b")),
        (type(kept)(**kept.get_params()), ("a", "b")),
    ):
        assert view.append_only is True
        with pytest.raises(MutationPolicyError):
            view[key] = [2]
        with pytest.raises(MutationPolicyError):
            del view[key]


@pytest.mark.parametrize("change", CHANGES)
def test_an_item_that_appears_in_between_is_not_overwritten(
    place: Place, kept: PersiDict[Any], change: str
) -> None:
    """The other writer inserts when this one has decided and not yet written."""
    d = place.open(serialization_format=kept.serialization_format)
    encode = kept._items.codec.encode

    def slow_encode(value: Any) -> bytes:
        d["a"] = ["another's"]
        return encode(value)

    kept._items.codec.encode = slow_encode

    with pytest.raises(MutationPolicyError):
        CHANGES[change](kept)

    assert d["a"] == ["another's"]


def test_a_claim_that_is_lost_is_no_error(kept: PersiDict[Any]) -> None:
    kept["a"] = [1]

    lost = kept.set_item_if(
        "a", value=[2], condition=ETAG_IS_THE_SAME, expected_etag=ITEM_NOT_AVAILABLE
    )

    assert (lost.condition_was_satisfied, lost.new_value) == (False, [1])
