"""Conditional deletes are real or refused, and a probe finds out which, once for a bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    BackendError,
    BasicS3Dict,
    OutcomeUnknownError,
)
from persidict.testing import DeleteIfMatch, FaultKind, FaultRule, StoreDialect
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

PROBES = "*/persidict-probe-*"
TOLD_BY_AN_OBJECT = [{"delete_if_match": DeleteIfMatch.IGNORED, "delete_absent_status": 404}]
UNTRUSTED = [
    {"delete_if_match": DeleteIfMatch.IGNORED},
    {"delete_if_match": DeleteIfMatch.REFUSED},
    {"delete_if_match": DeleteIfMatch.CONFIRMS_ABSENT},
    *TOLD_BY_AN_OBJECT,
]
MAKES = pytest.mark.parametrize("make", ["own", "default", "legacy"])

TAKES: dict[str, Callable[[BasicS3Dict[Any], Any], object]] = {
    "discard_if": lambda d, etag: d.discard_if("k", condition=ETAG_IS_THE_SAME, expected_etag=etag),
    "discard_if ANY": lambda d, etag: d.discard_if("k", condition=ANY_ETAG, expected_etag=etag),
    "set_item_if": lambda d, etag: d.set_item_if(
        "k", value=DELETE_CURRENT, condition=ETAG_IS_THE_SAME, expected_etag=etag
    ),
    "transform_item": lambda d, _: d.transform_item("k", transformer=lambda _: DELETE_CURRENT),
    "pop": lambda d, _: d.pop("k"),
    "popitem": lambda d, _: d.popitem(),
}


class TestDeletesWithoutConditions:
    """`If-Match` on DELETE is ignored, answered 501, or confirmed where nothing is."""

    @pytest.fixture(params=UNTRUSTED, ids=repr, autouse=True)
    def _dialect(self, request: pytest.FixtureRequest, control: ServerControl) -> None:
        control.set_dialect(StoreDialect(**request.param))

    @MAKES
    @pytest.mark.parametrize("name", TAKES)
    def test_a_conditional_delete_is_refused(self, bench: Bench, make: str, name: str) -> None:
        d = bench.open(make)
        d["k"] = "mine"
        for etag in (d.etag("k"), '"0123456789abcdef0123456789abcdef"'):
            with pytest.raises(BackendError, match="If-Match on DELETE") as raised:
                TAKES[name](d, etag)
            assert not isinstance(raised.value, OutcomeUnknownError)
            assert (raised.value.key, raised.value.operation) == ("k", "delete")
            assert d["k"] == "mine"
        assert bench.names() == ["k.pkl"]

    def test_it_is_found_out_once(self, bench: Bench) -> None:
        d = bench.given()
        d["k"] = 1
        for _ in range(2):
            with pytest.raises(BackendError):
                d.pop("k")
        another = bench.given(root_prefix="elsewhere")
        another["k"] = 1
        with Wire(another.s3_client.meta.events) as wire, pytest.raises(BackendError):
            another.pop("k")
        assert wire.operations == ["GetObject"]

    def test_an_unconditional_delete_works(self, bench: Bench) -> None:
        d = bench.given()
        for key in ("a", "b", "c", "d", "e"):
            d[key] = 1
        assert d.discard("a")
        del d["b"]
        d["c"] = DELETE_CURRENT
        assert list(d.keys()) == [("d",), ("e",)]
        d.clear()
        assert bench.names() == []
        assert d.pop("a", None) is None
        assert not d.discard_if(
            "a", condition=ETAG_HAS_CHANGED, expected_etag=ITEM_NOT_AVAILABLE
        ).condition_was_satisfied


class TestTheProbe:
    """What finds out whether conditional deletes can be trusted."""

    @pytest.mark.parametrize(
        ("method", "number"), [("PUT", 0), ("DELETE", 0), ("DELETE", 1), ("HEAD", 0)]
    )
    @pytest.mark.parametrize(
        "kind",
        [
            FaultKind.ERROR_500_BEFORE,
            FaultKind.ERROR_500_AFTER,
            FaultKind.ERROR_503_BEFORE,
            FaultKind.DROP_REQUEST,
            FaultKind.DROP_REPLY,
            FaultKind.CONFLICT,
            FaultKind.DUPLICATE_SECOND,
        ],
        ids=str,
    )
    @MAKES
    def test_takes_a_passing_failure_for_no_evidence(
        self,
        bench: Bench,
        control: ServerControl,
        make: str,
        kind: FaultKind,
        method: str,
        number: int,
    ) -> None:
        d = bench.open(make)
        d["k"] = 1
        control.set_faults(FaultRule(kind=kind, methods=(method,), key=PROBES, nth=(number,)))
        assert d.pop("k") == 1
        d["k"] = 2
        assert d.pop("k") == 2

    @pytest.mark.parametrize("kind", [FaultKind.FORBIDDEN, FaultKind.ERROR_500_BEFORE], ids=str)
    @pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
    def test_is_sent_again_after_a_lasting_failure(
        self, bench: Bench, control: ServerControl, kind: FaultKind, method: str
    ) -> None:
        d = bench.given()
        d["k"] = 1
        control.set_faults(FaultRule(kind=kind, methods=(method,), key=PROBES))
        with pytest.raises(BackendError) as raised:
            d.pop("k")
        assert "ignores or refuses" not in str(raised.value)
        assert raised.value.key == "k"
        assert d["k"] == 1
        control.clear_faults()
        assert d.pop("k") == 1

    def test_whoever_may_not_list_may_delete_all_the_same(
        self, bench: Bench, control: ServerControl
    ) -> None:
        d = bench.given()
        d["k"] = 1
        forbidden = FaultRule(kind=FaultKind.FORBIDDEN, methods=("DELETE",), key=PROBES, nth=(0,))
        control.set_faults(forbidden)
        with Wire(d.s3_client.meta.events) as wire:
            assert d.pop("k") == 1
        assert wire.operations.count("DeleteObject") == 4

    @pytest.mark.parametrize("dialect", [{}, *UNTRUSTED], ids=repr)
    def test_leaves_nothing_behind_and_destroys_nothing(
        self, bench: Bench, control: ServerControl, dialect: dict[str, Any]
    ) -> None:
        control.set_dialect(StoreDialect(**dialect))
        d = bench.given(root_prefix="mine")
        d["k"] = 1
        bench.put("other", 1)
        seen: list[str] = []
        with Wire(d.s3_client.meta.events) as wire:
            for number in range(2, 7):
                wire.before_request(number, lambda: seen.extend(bench.names()))
            try:
                assert d.pop("k") == 1
            except BackendError:
                assert dialect
        probes = {name for name in seen if name not in ("mine/k.pkl", "other")}
        assert len(probes) == (dialect in ({}, *TOLD_BY_AN_OBJECT))
        assert all(name.startswith("mine/persidict-probe-") for name in probes)
        assert bench.names() == (["mine/k.pkl", "other"] if dialect else ["other"])

    def test_its_object_is_no_item(self, bench: Bench) -> None:
        for serialization_format, base in (("pkl", None), ("json", None), ("txt", str)):
            bench.rival.put_object(Bucket=bench.bucket, Key="persidict-probe-00ff", Body=b"")
            d = bench.given(serialization_format=serialization_format, base_class_for_values=base)
            assert len(d) == 0
