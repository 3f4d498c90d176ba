"""A missing bucket, a refused request and an unreachable endpoint are errors of every method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from persidict import (
    ANY_ETAG,
    DELETE_CURRENT,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    NEVER_RETRIEVE,
    BackendError,
    BasicS3Dict,
    OutcomeUnknownError,
)
from persidict.testing import FaultKind, FaultRule
from tests.s3.wire import Wire

if TYPE_CHECKING:
    from persidict.testing import ServerControl
    from tests.s3.bench import Bench

KEY = ("a", "k")
ETAG = '"0123456789abcdef0123456789abcdef"'
SAME = {"condition": ETAG_IS_THE_SAME, "expected_etag": ETAG}
CREATE = {"condition": ETAG_IS_THE_SAME, "expected_etag": ITEM_NOT_AVAILABLE}

Call = Callable[[BasicS3Dict[Any]], object]


def _del(d: BasicS3Dict[Any]) -> None:
    del d[KEY]


def _assign(value: Any) -> Call:
    def call(d: BasicS3Dict[Any]) -> None:
        d[KEY] = value

    return call


def _update_in_place(d: BasicS3Dict[Any]) -> None:
    d |= {KEY: 1}


OF_ONE_ITEM: dict[str, list[Call]] = {
    "__getitem__": [lambda d: d[KEY]],
    "__setitem__": [_assign(1), _assign(DELETE_CURRENT)],
    "__delitem__": [_del],
    "__contains__": [lambda d: KEY in d],
    "__ior__": [_update_in_place],
    "age": [lambda d: d.age(KEY)],
    "delete_if_exists": [lambda d: d.delete_if_exists(KEY)],
    "discard": [lambda d: d.discard(KEY)],
    "discard_if": [
        lambda d: d.discard_if(KEY, **SAME),
        lambda d: d.discard_if(KEY, **CREATE),
        lambda d: d.discard_if(KEY, condition=ANY_ETAG, expected_etag=ETAG),
    ],
    "etag": [lambda d: d.etag(KEY)],
    "get": [lambda d: d.get(KEY)],
    "get_item_if": [
        lambda d: d.get_item_if(KEY, **SAME),
        lambda d: d.get_item_if(KEY, **SAME, retrieve_value=NEVER_RETRIEVE),
    ],
    "get_with_etag": [lambda d: d.get_with_etag(KEY)],
    "pop": [lambda d: d.pop(KEY, None)],
    "set_item_if": [
        lambda d: d.set_item_if(KEY, value=1, **SAME),
        lambda d: d.set_item_if(KEY, value=1, **CREATE),
        lambda d: d.set_item_if(KEY, value=1, condition=ANY_ETAG, expected_etag=ETAG),
        lambda d: d.set_item_if(KEY, value=1, condition=ETAG_HAS_CHANGED, expected_etag=ETAG),
        lambda d: d.set_item_if(KEY, value=DELETE_CURRENT, **SAME),
    ],
    "setdefault": [lambda d: d.setdefault(KEY, 1)],
    "setdefault_if": [lambda d: d.setdefault_if(KEY, default_value=1, **CREATE)],
    "timestamp": [lambda d: d.timestamp(KEY)],
    "transform_item": [lambda d: d.transform_item(KEY, transformer=lambda _: 1)],
    "update": [lambda d: d.update({KEY: 1})],
}
OF_ALL_ITEMS: dict[str, list[Call]] = {
    "__len__": [len],
    "__iter__": [list],
    "__bool__": [bool],
    "__eq__": [lambda d: d == {}],
    "__reversed__": [],
    "__str__": [str],
    "clear": [lambda d: d.clear()],
    "items": [lambda d: list(d.items())],
    "items_and_timestamps": [lambda d: list(d.items_and_timestamps())],
    "keys": [lambda d: list(d.keys())],
    "keys_and_timestamps": [lambda d: list(d.keys_and_timestamps())],
    "newest_keys": [lambda d: d.newest_keys()],
    "newest_values": [lambda d: d.newest_values(1)],
    "oldest_keys": [lambda d: d.oldest_keys(1)],
    "oldest_values": [lambda d: d.oldest_values()],
    "popitem": [lambda d: d.popitem()],
    "random_key": [lambda d: d.random_key()],
    "subdicts": [lambda d: d.subdicts()],
    "values": [lambda d: list(d.values())],
    "values_and_timestamps": [lambda d: list(d.values_and_timestamps())],
}
WITHOUT_REQUEST = {
    "base_url",
    "get_params",
    "get_subdict",
    "is_remote",
    "s3_client",
    "with_codec",
    "with_meter",
    "with_store",
    "with_timeout",
}
OF_THE_BUCKET = {"check_bucket"}
"""Held to what it promises by the tests of the constructor."""
STRUCTURE = {
    f"__{name}__"
    for name in [
        "abstractmethods",
        "annotate",
        "annotate_func",
        "annotations",
        "annotations_cache",
        "class_getitem",
        "copy",
        "deepcopy",
        "dict",
        "doc",
        "firstlineno",
        "hash",
        "init",
        "init_subclass",
        "module",
        "orig_bases",
        "parameters",
        "reduce_ex",
        "repr",
        "slots",
        "static_attributes",
        "subclasshook",
        "weakref",
    ]
}
CALLS = [
    pytest.param(call, KEY if name in OF_ONE_ITEM else None, id=f"{name}-{number}")
    for name, calls in (OF_ONE_ITEM | OF_ALL_ITEMS).items()
    for number, call in enumerate(calls)
]


def test_no_method_is_forgotten() -> None:
    public = {name for name in dir(BasicS3Dict) if not name.startswith("_")}
    special = {
        name
        for each in BasicS3Dict.__mro__
        if each is not object
        for name in vars(each)
        if name.startswith("__")
    }
    of_items = OF_ONE_ITEM.keys() | OF_ALL_ITEMS.keys()
    assert (public | special) - STRUCTURE == of_items | OF_THE_BUCKET | WITHOUT_REQUEST


def check(d: BasicS3Dict[Any], call: Call, *, key: object) -> BackendError:
    with pytest.raises(BackendError) as raised:
        call(d)
    error = raised.value
    assert isinstance(error.__cause__, BotoCoreError | ClientError)
    assert error.backend == "S3"
    assert error.operation in ("head", "get", "put", "delete", "list")
    assert error.key == key
    return error


def use(d: BasicS3Dict[Any]) -> None:
    """Whatever is found out once, is found out."""
    d[KEY] = 1
    d.pop(KEY)


@pytest.mark.parametrize(("call", "key"), CALLS)
class TestEveryMethod:
    def test_the_bucket_is_missing(self, bench: Bench, call: Call, key: Any) -> None:
        d = bench.given(bucket_name=f"{bench.bucket}-missing")
        assert "404" in str(check(d, call, key=key))

    @pytest.mark.parametrize("make", ["own", "default"])
    def test_the_bucket_is_deleted_after_use(
        self, bench: Bench, make: str, call: Call, key: Any
    ) -> None:
        d = bench.open(make)
        use(d)
        bench.rival.delete_bucket(Bucket=bench.bucket)
        error = check(d, call, key=key)
        assert not isinstance(error, OutcomeUnknownError)

    @pytest.mark.parametrize("is_used", [True, False])
    def test_the_request_is_refused(
        self, bench: Bench, control: ServerControl, call: Call, key: Any, is_used: bool
    ) -> None:
        d = bench.given()
        if is_used:
            use(d)
        control.set_faults(FaultRule(kind=FaultKind.FORBIDDEN))
        error = check(d, call, key=key)
        assert not isinstance(error, OutcomeUnknownError)
        assert "403" in str(error)

    @pytest.mark.parametrize("make", ["own", "default"])
    def test_the_endpoint_is_unreachable(
        self, bench: Bench, nobodys_endpoint: str, make: str, call: Call, key: Any
    ) -> None:
        check(bench.open(make, endpoint_url=nobodys_endpoint), call, key=key)


def test_a_403_for_a_key_that_may_be_absent_names_the_permission_to_add(
    bench: Bench, control: ServerControl
) -> None:
    control.set_faults(FaultRule(kind=FaultKind.FORBIDDEN, methods=("GET", "HEAD")))
    for call in (*OF_ONE_ITEM["__getitem__"], *OF_ONE_ITEM["__contains__"]):
        assert "s3:ListBucket" in str(check(bench.given(), call, key=KEY))


def test_a_bucket_that_vanishes_between_the_head_and_the_get(bench: Bench) -> None:
    d = bench.given()
    with Wire(d.s3_client.meta.events) as wire:
        wire.before_request(1, lambda: bench.rival.delete_bucket(Bucket=bench.bucket))
        with pytest.raises(BackendError):
            _ = KEY in d
    assert wire.operations == ["HeadObject", "GetObject"]


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("value", [1, DELETE_CURRENT])
def test_a_bucket_that_seems_to_have_vanished_after_a_refusal(
    bench: Bench, control: ServerControl, *, is_there: bool, value: Any
) -> None:
    """What is looked at then is absent only if the answer says that the bucket is there."""
    d = bench.given()
    if is_there:
        d[KEY] = "another's"
    refused = d.set_item_if(KEY, value=value, **SAME)
    assert (refused.actual_etag is ITEM_NOT_AVAILABLE) is not is_there
    control.set_faults(FaultRule(kind=FaultKind.NO_SUCH_BUCKET, methods=("GET", "HEAD")))
    with pytest.raises(BackendError) as raised:
        d.set_item_if(KEY, value=value, **SAME)
    assert "NoSuchBucket" in str(raised.value.__cause__)


def test_a_404_of_no_known_code_is_looked_into(bench: Bench) -> None:
    """As of a gateway in front of the store; the bucket's own HEAD then decides."""
    d = bench.given()

    def unnamed(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        if http_response.status_code == 404 and parsed.get("Error"):
            parsed["Error"]["Code"] = "NotFound"

    events = d.s3_client.meta.events
    events.register("after-call.s3.GetObject", unnamed)
    try:
        assert d.get(KEY, "nothing") == "nothing"
        bench.rival.delete_bucket(Bucket=bench.bucket)
        with pytest.raises(BackendError):
            d[KEY]
    finally:
        events.unregister("after-call.s3.GetObject", unnamed)
