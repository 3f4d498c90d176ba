"""Each operation sends as many requests as the contract says, whether it succeeds or not."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ALWAYS_RETRIEVE,
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    IF_ETAG_CHANGED,
    ITEM_NOT_AVAILABLE,
    KEEP_CURRENT,
    NEVER_RETRIEVE,
    BasicS3Dict,
    MutationPolicyError,
)
from persidict.codecs import PickleCodec
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from persidict.testing import ServerControl
    from tests.s3.bench import Bench, Sdk

NOW = object()
"""Stands for the etag of the item `there`."""
STALE = '"0123456789abcdef0123456789abcdef"'
RETRIEVALS = (ALWAYS_RETRIEVE, IF_ETAG_CHANGED, NEVER_RETRIEVE)
SAME, CHANGED, ANY = ETAG_IS_THE_SAME, ETAG_HAS_CHANGED, ANY_ETAG
ABSENT = ITEM_NOT_AVAILABLE


@dataclass(frozen=True)
class Row:
    """How many requests a call of `method` sends; there is an item `there`, and none `gone`."""

    requests: int
    method: str
    key: str
    args: tuple[Any, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        words = [self.method, self.key, *map(str, self.args)]
        for name, value in self.settings.items():
            shown = "NOW" if value is NOW else getattr(value, "__name__", value)
            words.append(f"{name}={shown}")
        return " ".join(words)

    def run(self, d: BasicS3Dict[Any], *, now: str) -> None:
        settings = {name: now if v is NOW else v for name, v in self.settings.items()}
        with contextlib.suppress(KeyError):
            getattr(d, self.method)(self.key, *self.args, **settings)


def row(requests: int, method: str, key: str, *args: Any, **settings: Any) -> Row:
    return Row(requests, method, key, args, settings)


def under(condition: Any, expected: Any, **more: Any) -> dict[str, Any]:
    return {"condition": condition, "expected_etag": expected, **more}


def make_2(_: Any) -> int:
    return 2


def keep(_: Any) -> Any:
    return KEEP_CURRENT


def delete(_: Any) -> Any:
    return DELETE_CURRENT


READS = [
    row(1, "__getitem__", "there"),
    row(1, "__getitem__", "gone"),
    row(1, "get", "there"),
    row(1, "get", "gone"),
    row(1, "get_with_etag", "there"),
    row(1, "get_with_etag", "gone"),
    *(row(1, name, "there") for name in ("__contains__", "etag", "timestamp", "age")),
    # A HEAD answers a bare 404 for a missing key and a missing bucket; one more request tells.
    *(row(2, name, "gone") for name in ("__contains__", "etag", "timestamp", "age")),
]
CONDITIONAL_READS = [
    row(
        2 if key == "gone" and retrieve is NEVER_RETRIEVE else 1,
        "get_item_if",
        key,
        **under(condition, expected, retrieve_value=retrieve),
    )
    for key, expected in (("there", NOW), ("there", STALE), ("there", ABSENT), ("gone", STALE))
    for condition, retrieve in itertools.product((SAME, CHANGED, ANY), RETRIEVALS)
]
WRITES = [
    row(1, "__setitem__", "there", 2),
    row(1, "__setitem__", "gone", 2),
    row(0, "__setitem__", "there", KEEP_CURRENT),
    row(2, "__setitem__", "there", DELETE_CURRENT),
    row(1, "setdefault", "gone", 2),
    row(2, "setdefault", "there", 2),
    row(2, "discard", "there"),
    row(2, "discard", "gone"),
    row(2, "__delitem__", "there"),
    row(2, "__delitem__", "gone"),
    row(2, "pop", "there"),
    row(1, "pop", "gone"),
    row(2, "transform_item", "there", transformer=make_2),
    row(2, "transform_item", "gone", transformer=make_2),
    row(1, "transform_item", "there", transformer=keep),
    row(2, "transform_item", "there", transformer=delete),
    row(1, "discard_if", "there", **under(SAME, NOW)),
    row(2, "discard_if", "there", **under(SAME, STALE)),
    row(2, "discard_if", "gone", **under(SAME, STALE)),
    row(2, "discard_if", "gone", **under(SAME, ABSENT)),
    row(2, "discard_if", "there", **under(ANY, STALE)),
    row(2, "discard_if", "there", **under(CHANGED, STALE)),
    row(1, "discard_if", "there", **under(CHANGED, NOW)),
]
CONDITIONAL_WRITES = [
    row(requests, "set_item_if", key, **under(condition, expected, value=value, retrieve_value=r))
    for r in RETRIEVALS
    for requests, key, condition, expected, value in (
        (1, "gone", SAME, ABSENT, 2),
        (1, "there", SAME, NOW, 2),
        (2, "there", SAME, STALE, 2),
        (2, "gone", SAME, STALE, 2),
        (2, "there", SAME, ABSENT, 2),
        (2, "there", ANY, STALE, 2),
        (2, "gone", ANY, STALE, 2),
        (2, "there", CHANGED, STALE, 2),
        (1, "there", CHANGED, NOW, 2),
        (1, "there", SAME, NOW, DELETE_CURRENT),
        (2, "there", SAME, STALE, DELETE_CURRENT),
        (2, "there", ANY, STALE, DELETE_CURRENT),
        (1, "there", SAME, NOW, KEEP_CURRENT),
    )
] + [
    row(
        requests,
        "setdefault_if",
        key,
        **under(condition, ABSENT, default_value=2, retrieve_value=r),
    )
    for r in RETRIEVALS
    for requests, key, condition in (
        (1, "gone", SAME),
        (2, "there", SAME),
        (1, "gone", ANY),
        (2, "there", ANY),
        (1, "there", CHANGED),
    )
]


@pytest.mark.parametrize("serialization_format", ["pkl", "json"])
@pytest.mark.parametrize(
    "each", [*READS, *CONDITIONAL_READS, *WRITES, *CONDITIONAL_WRITES], ids=str
)
def test_requests_of_an_operation(
    shared_bench: Bench, each: Row, serialization_format: str, request: pytest.FixtureRequest
) -> None:
    d = shared_bench.given(
        root_prefix=request.node.name[:200], serialization_format=serialization_format
    )
    d["there"] = 1
    now = d.etag("there")
    with Wire(d.s3_client.meta.events) as wire:
        each.run(d, now=now)
    assert len(wire) == each.requests, wire.operations


@pytest.mark.parametrize("retrieve", RETRIEVALS, ids=str)
def test_an_unchanged_value_is_not_transferred(
    bench: Bench, control: ServerControl, retrieve: Any
) -> None:
    d = bench.given()
    d["k"] = 1
    etag = d.etag("k")
    control.reset_log()
    d.get_item_if("k", **under(SAME, etag, retrieve_value=retrieve))
    expected = {
        ALWAYS_RETRIEVE: {"GET": {"200": 1}},
        IF_ETAG_CHANGED: {"GET": {"304": 1}},
        NEVER_RETRIEVE: {"HEAD": {"200": 1}},
    }
    assert control.log().counts == expected[retrieve]


@pytest.mark.parametrize("conflicts", [1, 2, 3])
@pytest.mark.parametrize("method", ["transform_item", "pop", "set_item_if", "discard_if"])
def test_each_conflict_costs_two_requests(bench: Bench, method: str, conflicts: int) -> None:
    d = bench.given()
    d["k"] = 0
    settings: dict[str, dict[str, Any]] = {
        "transform_item": {"transformer": make_2},
        "pop": {},
        "set_item_if": under(ANY, STALE, value=1),
        "discard_if": under(ANY, STALE),
    }
    bench.try_conditional_delete()
    with Wire(d.s3_client.meta.events) as wire:
        # The write is request 1, and after each conflict two further on.
        for conflict in range(conflicts):
            wire.before_request(1 + 2 * conflict, lambda: bench.put("k.pkl", 10))
        getattr(d, method)("k", **settings[method])
    assert wire.has_acted
    assert len(wire) == 2 + 2 * conflicts, wire.operations


@pytest.mark.parametrize("key", ["there", "gone"])
def test_append_only(bench: Bench, key: str) -> None:
    d = bench.given(append_only=True)
    d["there"] = 1
    with Wire(d.s3_client.meta.events) as wire, contextlib.suppress(MutationPolicyError):
        d[key] = 2
    assert len(wire) == (1 if key == "gone" else 2)


@pytest.mark.parametrize("items", [0, 1, 9, 10, 11, 25])
def test_whole_dictionary(bench: Bench, items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is shortened from 1,000 names to 10; see `test_many_objects` for a whole one."""
    monkeypatch.setattr("persidict.s3.store.PAGE_SIZE", 10)
    d = bench.given()
    for number in range(items):
        bench.put(f"{number:03}.pkl", number)
    pages = max(1, -(-items // 10))
    for call, requests in (
        (len, pages),
        (lambda d: list(d.keys()), pages),
        (lambda d: list(d.keys_and_timestamps()), pages),
        (lambda d: d.oldest_keys(), pages),
        (lambda d: d.random_key(), pages),
        (bool, 1),
        (lambda d: next(iter(d), None), 1),
        (lambda d: list(d.values()), items + pages),
        (lambda d: list(d.items()), items + pages),
        (lambda d: d.newest_values(3), min(3, items) + pages),
        (lambda d: d.clear(), 2 * pages if items else 1),
        (len, 1),
    ):
        with Wire(d.s3_client.meta.events) as wire:
            call(d)
        assert len(wire) == requests, wire.operations


def test_what_needs_no_request(bench: Bench) -> None:
    d = bench.given(base_class_for_values=int)
    with Wire(d.s3_client.meta.events) as wire:
        sub = d.get_subdict("a").get_subdict(("b", "c"))
        assert sub.root_prefix == "a/b/c/"
        assert repr(sub)
        assert sub.get_params()
        assert d.with_codec(PickleCodec()).serialization_format == "pkl"
        assert d == d  # noqa: PLR0124 - it knows itself without looking
        with pytest.raises(TypeError):
            d["k"] = "no int"
        with pytest.raises(ValueError, match="1024 is the most"):
            d["x" * 250, "x" * 250, "x" * 250, "x" * 250, "x" * 250] = 1
    assert len(wire) == 0, wire.operations


@pytest.mark.parametrize("create_bucket", [True, False])
@pytest.mark.parametrize("is_given", [True, False])
def test_construction(bench: Bench, sdk: Sdk, create_bucket: bool, is_given: bool) -> None:
    with Wire(sdk.session.events) as wire:
        if is_given:
            bench.given(bench.client(), create_bucket=create_bucket)
        else:
            bench.own(create_bucket=create_bucket)
    assert wire.operations == (["HeadBucket"] if create_bucket else [])


def test_the_probe_for_conditional_deletes_is_sent_once_for_a_bucket(bench: Bench) -> None:
    first, second = bench.client("one attempt"), bench.client("one attempt")
    d = bench.given(first)
    for key in ("a", "b", "c"):
        d[key] = 1
    with Wire(first.meta.events) as wire:
        assert d.pop("a") == 1
        assert len(wire) == 2 + 5, wire.operations
        assert d.pop("b") == 1
        assert len(wire) == 2 + 5 + 2, wire.operations
    other = bench.given(second, root_prefix="elsewhere", serialization_format="json")
    other["c"] = 1
    with Wire(second.meta.events) as wire:
        assert other.pop("c") == 1
        assert other.get_subdict("deeper").pop("c", 2) == 2
    assert wire.operations == ["GetObject", "DeleteObject", "GetObject"]
    assert bench.names() == ["c.pkl"]
