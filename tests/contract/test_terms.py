"""Every condition, retrieval, expectation and state, for each conditional operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    NEVER_RETRIEVE,
    ConditionalOperationResult,
    ETagConditionFlag,
    ItemNotAvailableFlag,
    RetrieveValueFlag,
)
from tests.contract.model import ABSENT, RETRIEVED, SATISFIED, Model
from tests.contract.twin import Twin
from tests.shown import shown

if TYPE_CHECKING:
    from persidict import PersiDict
    from tests.contract.places import Place

OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "get": ("get_item_if", {}),
    "set": ("set_item_if", {"value": ["new"]}),
    "keep": ("set_item_if", {"value": KEEP_CURRENT}),
    "delete": ("set_item_if", {"value": DELETE_CURRENT}),
    "setdefault": ("setdefault_if", {"default_value": ["new"]}),
}
# What a condition means does not depend on the format, and HTTP takes its time.
CORNERS = pytest.mark.parametrize(
    ("place", "serialization_format"),
    [("memory", "pkl"), ("memory", "json"), ("sqlite", "pkl"), ("sqlite", "json"), ("s3", "json")],
    indirect=True,
)
UNKNOWN = -1
CELLS = ["absent", "absent, etag expected", "other", "current", "earlier", "deleted", "unknown"]


def prepared(twin: Twin, cell: str) -> int | ItemNotAvailableFlag:
    """Bring the key of this name into its state; the number of the etag to expect."""
    if cell.startswith("absent"):
        return UNKNOWN if "expected" in cell else ABSENT
    versions: list[Any] = [ABSENT]
    for value in (["first"], ["second"]):
        twin.run(
            "set_item_if",
            key_of(cell),
            value=value,
            condition=ETAG_IS_THE_SAME,
            expected_etag=versions[-1],
            retrieve_value=NEVER_RETRIEVE,
        )
        versions.append(twin.model.etag(key_of(cell)))
    if cell == "deleted":
        twin.model.apply(key_of(cell), DELETE_CURRENT)
        del twin.d[key_of(cell)]
    return {"other": ABSENT, "earlier": versions[1], "unknown": UNKNOWN}.get(cell, versions[2])


def key_of(cell: str) -> str:
    return cell.replace(", ", "-").replace(" ", "-")


def contents(model: Model) -> dict[str, Any]:
    return {key: value for key, (_, value) in model.items.items()}


@CORNERS
@pytest.mark.parametrize("retrieval", RETRIEVED, ids=shown)
@pytest.mark.parametrize("condition", SATISFIED, ids=shown)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_cell_of_the_tables(
    d: PersiDict[Any],
    operation: str,
    condition: ETagConditionFlag,
    retrieval: RetrieveValueFlag,
) -> None:
    method, arguments = OPERATIONS[operation]
    twin = Twin(d, Model())
    for cell in CELLS:
        expected = prepared(twin, cell)
        terms = {"condition": condition, "expected_etag": expected, "retrieve_value": retrieval}

        twin.run(method, key_of(cell), **arguments, **terms)

    assert d == contents(twin.model)


@CORNERS
@pytest.mark.parametrize("condition", SATISFIED, ids=shown)
def test_every_cell_of_discarding(d: PersiDict[Any], condition: ETagConditionFlag) -> None:
    twin = Twin(d, Model())
    for cell in CELLS:
        expected = prepared(twin, cell)

        twin.run("discard_if", key_of(cell), condition=condition, expected_etag=expected)

    assert d == contents(twin.model)


@CORNERS
@pytest.mark.parametrize("retrieval", RETRIEVED, ids=shown)
@pytest.mark.parametrize("condition", SATISFIED, ids=shown)
@pytest.mark.parametrize("operation", [*OPERATIONS, "discard"])
def test_every_cell_of_an_append_only_dictionary(
    d: PersiDict[Any],
    place: Place,
    serialization_format: str,
    operation: str,
    condition: ETagConditionFlag,
    retrieval: RetrieveValueFlag,
) -> None:
    free = Twin(d, Model())
    kept = place.open(serialization_format=serialization_format, append_only=True)
    twin = Twin(kept, Model(append_only=True, items=free.model.items), etags=free.etags)
    method, arguments = OPERATIONS.get(operation, ("discard_if", {}))
    if operation != "discard":
        arguments = {**arguments, "retrieve_value": retrieval}
    for cell in CELLS:
        expected = prepared(free, cell)
        twin.model.writes = free.model.writes

        twin.run(method, key_of(cell), **arguments, condition=condition, expected_etag=expected)

        free.model.writes = twin.model.writes
    assert d == contents(free.model)


def test_get_with_etag_is_always_satisfied(d: PersiDict[Any]) -> None:
    assert d.get_with_etag("a") == ConditionalOperationResult(True, ABSENT, ABSENT, ABSENT)

    d["a"] = [1]

    assert d.get_with_etag("a") == ConditionalOperationResult(True, d.etag("a"), d.etag("a"), [1])


def test_retrieval_is_if_changed_by_default(d: PersiDict[Any]) -> None:
    d["a"] = [1]
    etag = d.etag("a")
    for call, arguments in (
        (d.get_item_if, {}),
        (d.set_item_if, {"value": KEEP_CURRENT}),
        (d.setdefault_if, {"default_value": [2]}),
    ):
        same = call("a", **arguments, condition=ANY_ETAG, expected_etag=etag)
        other = call("a", **arguments, condition=ANY_ETAG, expected_etag=ITEM_NOT_AVAILABLE)

        assert (repr(same.new_value), other.new_value) == ("VALUE_NOT_RETRIEVED", [1])


# What a store might take for a wildcard, a list of etags, a header of its own, or its own etag
# without quotes.
HOSTILE_ETAGS = ["*", '"*"', "", '""', " ", '"a", "b"', "W/", "\n", "a\r\nX-Injected: 1", "é", "\0"]


@pytest.mark.parametrize("etag", HOSTILE_ETAGS)
def test_an_etag_that_no_store_gives_is_another_one(d: PersiDict[Any], etag: str) -> None:
    d["a"] = [1]
    current = d.etag("a")
    terms = {"condition": ETAG_IS_THE_SAME, "expected_etag": etag}

    read = d.get_item_if("a", **terms)
    written = d.set_item_if("a", value=[2], **terms)
    defaulted = d.setdefault_if("a", default_value=[2], **terms)
    deleted = d.discard_if("a", **terms)
    missing = d.set_item_if("b", value=[2], **terms)

    assert [read, written, defaulted] == 3 * [
        ConditionalOperationResult(False, current, current, [1])
    ]
    assert not deleted.condition_was_satisfied
    assert deleted.actual_etag == current
    assert missing == ConditionalOperationResult(False, ABSENT, ABSENT, ABSENT)
    assert d == {"a": [1]}


def test_a_list_that_names_the_etag_is_another_etag(d: PersiDict[Any]) -> None:
    d["a"] = [1]
    current = d.etag("a")
    for etag in (f'{current}, "b"', f'"b",{current}', f"W/{current}", f" {current}", current * 2):
        terms = {"condition": ETAG_IS_THE_SAME, "expected_etag": etag}

        assert not d.get_item_if("a", **terms).condition_was_satisfied
        assert not d.set_item_if("a", value=[2], **terms).condition_was_satisfied
        assert not d.discard_if("a", **terms).condition_was_satisfied


@pytest.mark.parametrize("operation", [*OPERATIONS, "discard"])
def test_wrong_terms_are_refused_before_anything_happens(d: PersiDict[Any], operation: str) -> None:
    d["a"] = [1]
    etag = d.etag("a")
    method, arguments = OPERATIONS.get(operation, ("discard_if", {}))
    call = getattr(d, method)
    for condition in (None, True, "ANY_ETAG", ETagConditionFlag, NEVER_RETRIEVE):
        with pytest.raises(ValueError, match="condition must be"):
            call("a", **arguments, condition=condition, expected_etag=etag)
    for expected in (None, 1, b"etag", ANY_ETAG):
        with pytest.raises(TypeError, match="expected_etag must be"):
            call("a", **arguments, condition=ANY_ETAG, expected_etag=expected)
    if operation != "discard":
        for retrieval in (None, True, "NEVER_RETRIEVE", ANY_ETAG, RetrieveValueFlag):
            with pytest.raises(TypeError, match="retrieve_value must be"):
                call(
                    "a",
                    **arguments,
                    condition=ANY_ETAG,
                    expected_etag=etag,
                    retrieve_value=retrieval,
                )

    assert d.etag("a") == etag


@pytest.mark.parametrize("operation", [*OPERATIONS, "discard"])
def test_terms_are_keyword_only_and_both_needed(d: PersiDict[Any], operation: str) -> None:
    method, arguments = OPERATIONS.get(operation, ("discard_if", {}))
    call = getattr(d, method)

    with pytest.raises(TypeError):
        call("a", *arguments.values(), ANY_ETAG, ABSENT)
    with pytest.raises(TypeError):
        call("a", **arguments, condition=ANY_ETAG)
    with pytest.raises(TypeError):
        call("a", **arguments, expected_etag=ABSENT)


def test_results_are_frozen(d: PersiDict[Any]) -> None:
    result = d.get_with_etag("a")

    with pytest.raises(AttributeError):
        result.new_value = 1
    with pytest.raises(AttributeError):
        d.transform_item("a", transformer=lambda _: 1).new_value = 2
