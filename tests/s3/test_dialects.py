"""Stores that speak S3 in their own way: what works on them, and what is refused in plain words."""

from __future__ import annotations

import itertools
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
from persidict.testing import (
    FaultKind,
    FaultRule,
    Metadata,
    PutIfNoneMatchEtag,
    StoreDialect,
)
from tests.s3 import mishaps
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

FORMATS = pytest.mark.parametrize("serialization_format", ["pkl", "json"])
MAKES = pytest.mark.parametrize("make", ["own", "default", "legacy"])


def history(d: BasicS3Dict[Any]) -> list[Any]:
    """What a caller sees of every conditional operation; etags by the order of their appearance."""
    numbers: dict[Any, int] = {}

    def number(etag: Any) -> Any:
        return etag if etag is ITEM_NOT_AVAILABLE else numbers.setdefault(etag, len(numbers))

    seen: list[Any] = []
    stale = '"0123456789abcdef0123456789abcdef"'
    for condition, kind, value in itertools.product(
        (ETAG_IS_THE_SAME, ETAG_HAS_CHANGED, ANY_ETAG),
        ("now", "stale", "absent"),
        ("new", DELETE_CURRENT),
    ):
        for is_there in (True, False):
            d.discard("k")
            if is_there:
                d["k"] = "old"
            now = d.etag("k") if is_there else ITEM_NOT_AVAILABLE
            expected: Any = {"now": now, "stale": stale, "absent": ITEM_NOT_AVAILABLE}[kind]
            result = d.set_item_if("k", value=value, condition=condition, expected_etag=expected)
            etags = number(result.actual_etag), number(result.resulting_etag)
            seen.append((result.condition_was_satisfied, *etags, result.new_value, d.get("k")))
    d["k"] = "old"
    seen.append(d.transform_item("k", transformer=lambda value: f"{value}er").new_value)
    seen.append(d.setdefault("k", "default"))
    seen.append(d.pop("k"))
    seen.append(d.setdefault("k", "default"))
    return seen


def test_every_dialect_behaves_the_same_to_the_caller(bench: Bench, control: ServerControl) -> None:
    reference = history(bench.given(root_prefix="reference"))
    for number, dialect in enumerate(
        (
            StoreDialect(put_if_none_match_etag=PutIfNoneMatchEtag.HONOURED),
            StoreDialect(put_if_none_match_etag=PutIfNoneMatchEtag.REFUSED),
            StoreDialect(unquoted_if_match_only=True),
            StoreDialect(if_match_absent_status=412),
            StoreDialect(delete_absent_status=404),
            StoreDialect(metadata=Metadata.DROPPED),
            StoreDialect(metadata=Metadata.TITLE_CASED),
            StoreDialect(metadata=Metadata.TITLE_CASED, etag_is_md5=False),
            StoreDialect(
                unquoted_if_match_only=True,
                if_match_absent_status=412,
                metadata=Metadata.DROPPED,
                put_if_none_match_etag=PutIfNoneMatchEtag.REFUSED,
            ),
        )
    ):
        control.set_dialect(dialect)
        assert history(bench.given(root_prefix=f"dialect-{number}")) == reference, dialect


@MAKES
@pytest.mark.parametrize("status", [204, 404])
def test_an_item_that_another_deletes_first_is_deleted(
    bench: Bench, control: ServerControl, make: str, status: int
) -> None:
    control.set_dialect(StoreDialect(delete_absent_status=status))
    d = bench.open(make)
    d["k"] = 1
    with Wire(d.s3_client.meta.events) as wire:
        wire.before_request(1, lambda: bench.delete("k.pkl"))
        assert d.discard("k")
        assert wire.operations == ["HeadObject", "DeleteObject"]
    d["k"] = DELETE_CURRENT
    d.clear()
    with pytest.raises(KeyError):
        del d["k"]


class TestUnquotedEtagsOnly:
    """Ceph RGW 16: a quoted etag in `If-Match` on PUT or DELETE is always answered 412."""

    @pytest.fixture(autouse=True)
    def _dialect(self, control: ServerControl) -> None:
        control.set_dialect(StoreDialect(unquoted_if_match_only=True, if_match_absent_status=412))

    @MAKES
    @FORMATS
    def test_the_form_is_found_once_and_remembered(
        self, bench: Bench, make: str, serialization_format: str
    ) -> None:
        d = bench.open(make, serialization_format=serialization_format)
        d["k"] = 0
        for number, requests in ((1, 3), (2, 1), (3, 1)):
            etag = d.etag("k")
            with Wire(d.s3_client.meta.events) as wire:
                result = d.set_item_if(
                    "k", value=number, condition=ETAG_IS_THE_SAME, expected_etag=etag
                )
            assert result.condition_was_satisfied
            assert len(wire) == requests, wire.operations
            assert d["k"] == number
        stale = d.set_item_if("k", value=9, condition=ETAG_IS_THE_SAME, expected_etag=etag)
        assert not stale.condition_was_satisfied
        assert stale.new_value == 3

    def test_a_subdictionary_knows_it_too(self, bench: Bench) -> None:
        d = bench.given()
        d["a", "k"] = 0
        d.transform_item(("a", "k"), transformer=lambda n: n + 1)
        sub = d.get_subdict("a")
        with Wire(d.s3_client.meta.events) as wire:
            assert sub.transform_item("k", transformer=lambda n: n + 1).new_value == 2
        assert len(wire) == 2

    def test_conditional_deletes_work(self, bench: Bench) -> None:
        d = bench.given()
        d["k"] = 1
        d["l"] = 1
        assert not d.discard_if(
            "k", condition=ETAG_IS_THE_SAME, expected_etag=d.etag("l")
        ).condition_was_satisfied
        assert d.pop("k") == 1
        assert d.discard_if(
            "l", condition=ETAG_IS_THE_SAME, expected_etag=d.etag("l")
        ).condition_was_satisfied
        assert bench.names() == []

    @pytest.mark.parametrize("lost", [0, 1])
    def test_a_lost_reply_on_the_way_is_settled(
        self, bench: Bench, control: ServerControl, lost: int
    ) -> None:
        d = bench.own()
        d["k"] = 1
        control.set_faults(FaultRule(kind=FaultKind.DROP_REPLY, methods=("PUT",), nth=(lost,)))
        assert d.transform_item("k", transformer=lambda n: n + 1).new_value == 2
        assert d["k"] == 2


class TestNeitherForm:
    """A store that answers 412 to every `If-Match`."""

    @MAKES
    def test_is_told_from_a_conflict(self, bench: Bench, control: ServerControl, make: str) -> None:
        d = bench.open(make)
        d["k"] = 1

        def refuse(request: Any, **_: Any) -> None:
            if "If-Match" in request.headers:
                del request.headers["If-Match"]
                request.headers["If-Match"] = "never"

        d.s3_client.meta.events.register("before-sign.s3.PutObject", refuse)
        with pytest.raises(BackendError, match="refuses If-Match") as raised:
            d.transform_item("k", transformer=lambda n: n + 1)
        assert not isinstance(raised.value, OutcomeUnknownError)
        assert d["k"] == 1


class TestIdentity:
    """By what a write is recognised: its id in the metadata, or the MD5 of its bytes."""

    @pytest.mark.parametrize(
        "dialect",
        [
            StoreDialect(),
            StoreDialect(metadata=Metadata.DROPPED),
            StoreDialect(metadata=Metadata.TITLE_CASED),
            StoreDialect(etag_is_md5=False),
            StoreDialect(etag_is_md5=False, metadata=Metadata.TITLE_CASED),
        ],
        ids=lambda dialect: f"{dialect.metadata}-{dialect.etag_is_md5}",
    )
    @FORMATS
    @pytest.mark.parametrize("make", ["own", "default"])
    def test_either_settles_a_lost_reply(
        self,
        bench: Bench,
        control: ServerControl,
        dialect: StoreDialect,
        serialization_format: str,
        make: str,
    ) -> None:
        control.set_dialect(dialect)
        d = bench.open(make, serialization_format=serialization_format)
        for mishap in (mishaps.DROPPED_REPLY, mishaps.SENT_TWICE):
            d.discard("k")
            control.set_faults(mishap.rule("*", method="PUT"))
            created = d.set_item_if(
                "k",
                value=1,
                condition=ETAG_IS_THE_SAME,
                expected_etag=ITEM_NOT_AVAILABLE,
            )
            assert created.condition_was_satisfied
            control.set_faults(mishap.rule("*", method="PUT"))
            swapped = d.set_item_if(
                "k",
                value=2,
                condition=ETAG_IS_THE_SAME,
                expected_etag=created.resulting_etag,
            )
            assert swapped.condition_was_satisfied
            assert swapped.resulting_etag == d.etag("k")

    @pytest.mark.parametrize("make", ["own", "default"])
    def test_a_store_with_neither_is_refused(
        self, bench: Bench, control: ServerControl, make: str
    ) -> None:
        control.set_dialect(StoreDialect(metadata=Metadata.DROPPED, etag_is_md5=False))
        d = bench.open(make)
        for write in (
            lambda: d.setdefault("a", 1),
            lambda: d.update({"b": 1}),
            lambda: d.transform_item("c", transformer=lambda _: 1),
        ):
            with pytest.raises(BackendError, match="neither") as raised:
                write()
            assert not isinstance(raised.value, OutcomeUnknownError)

    def test_the_check_costs_nothing_where_the_etag_is_the_md5(self, bench: Bench) -> None:
        d = bench.given()
        with Wire(d.s3_client.meta.events) as wire:
            d["k"] = 1
            d["l"] = 1
        assert len(wire) == 2

    def test_the_check_costs_one_request_where_it_is_not(
        self, bench: Bench, control: ServerControl
    ) -> None:
        control.set_dialect(StoreDialect(etag_is_md5=False))
        d = bench.given()
        with Wire(d.s3_client.meta.events) as wire:
            for key in ("k", "l", "m"):
                d[key] = 1
        assert len(wire) == 4
