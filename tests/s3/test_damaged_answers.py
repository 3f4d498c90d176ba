"""An answer that arrives cut off, altered or slowly is read again, or refused, or right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError

from persidict import BackendError
from persidict.testing import FaultKind, FaultPlan, FaultRule
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from persidict import BasicS3Dict
    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

VALUE = {"text": "x" * 500, "numbers": list(range(100))}
READS: dict[str, Callable[[BasicS3Dict[Any]], Any]] = {
    "d[k]": lambda d: d["k"],
    "get": lambda d: d.get("k"),
    "get_with_etag": lambda d: d.get_with_etag("k").new_value,
    "setdefault": lambda d: d.setdefault("k", "nothing"),
    "transform_item": lambda d: d.transform_item("k", transformer=lambda v: v).new_value,
    "values": lambda d: next(iter(d.values())),
    "pop": lambda d: d.pop("k"),
}
MAKES = pytest.mark.parametrize("make", ["own", "default", "legacy"])
DAMAGE = pytest.mark.parametrize("kind", [FaultKind.TRUNCATE, FaultKind.FLIP_BIT], ids=str)


@DAMAGE
@MAKES
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("serialization_format", ["pkl", "json"])
def test_a_damaged_value_is_read_again(
    bench: Bench,
    control: ServerControl,
    make: str,
    read: str,
    kind: FaultKind,
    serialization_format: str,
) -> None:
    d = bench.open(make, serialization_format=serialization_format)
    d["k"] = VALUE
    control.set_faults(FaultRule(kind=kind, methods=("GET",), key="*/k.*", nth=(0,)))
    assert READS[read](d) == VALUE
    assert control.fault_report().count(kind) == 1


@DAMAGE
@MAKES
def test_a_value_that_always_arrives_damaged_is_an_error(
    bench: Bench, control: ServerControl, make: str, kind: FaultKind
) -> None:
    d = bench.open(make)
    d["k"] = VALUE
    control.set_faults(FaultRule(kind=kind, methods=("GET",)))
    for read in ("d[k]", "get", "get_with_etag", "setdefault", "transform_item", "pop"):
        with pytest.raises(BackendError) as raised:
            READS[read](d)
        assert isinstance(raised.value.__cause__, BotoCoreError)
    control.clear_faults()
    assert d["k"] == VALUE


@pytest.mark.parametrize("serialization_format", ["pkl", "json"])
def test_no_flipped_bit_is_accepted(
    bench: Bench, control: ServerControl, serialization_format: str
) -> None:
    d = bench.given(serialization_format=serialization_format)
    d["k"] = VALUE
    plan = FaultPlan(seed=7, rules=(FaultRule(kind=FaultKind.FLIP_BIT, probability=0.5),))
    control.set_plan(plan)
    refused = 0
    for _ in range(150):
        try:
            assert d["k"] == VALUE
        except BackendError:
            refused += 1
    assert control.fault_report().count(FaultKind.FLIP_BIT) > 100
    assert refused < 15


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@MAKES
def test_a_truncated_listing_or_head_is_read_again(
    bench: Bench, control: ServerControl, make: str, method: str
) -> None:
    d = bench.open(make)
    for key in ("a", "b", "c"):
        d[key] = 1
    control.set_faults(FaultRule(kind=FaultKind.TRUNCATE, methods=(method,), nth=(0,)))
    if method == "GET":
        assert [key.strings for key in d] == [("a",), ("b",), ("c",)]
    else:
        assert "a" in d
    assert control.fault_report().count(FaultKind.TRUNCATE) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "POST"])
def test_an_answer_in_drips_is_an_answer(bench: Bench, control: ServerControl, method: str) -> None:
    d = bench.own()
    d["k"] = 1
    control.set_faults(FaultRule(kind=FaultKind.DRIP, methods=(method,), seconds=0.0, nth=(0,)))
    with Wire(d.s3_client.meta.events) as wire:
        d["k"] = 2
        assert "k" in d
        assert d["k"] == 2
        assert dict(d.items()) == {("k",): 2}
        assert d.discard("k")
        d["k"] = 3
        d.clear()
        assert len(d) == 0
    assert control.fault_report().count(FaultKind.DRIP) == 1
    assert len(wire) == 11
