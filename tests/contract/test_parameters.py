"""How a dictionary is made, described, made again, and never pickled."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from persidict import BasicS3Dict, Codec, LocalDict, NonEmptySafeStrTuple, PersiDict, SQLiteDict
from persidict.testing.clock import ManualClock
from tests.contract.interposed import interposed
from tests.contract.places import InBucket
from tests.shown import shown

if TYPE_CHECKING:
    from pathlib import Path

    from persidict.testing import EmbeddedS3
    from tests.contract.places import Place


def test_attributes_and_defaults(place: Place) -> None:
    plain = place.open()
    assert (plain.append_only, plain.base_class_for_values) == (False, None)
    assert plain.serialization_format == "pkl"
    chosen = place.open(
        append_only=True, base_class_for_values=int, serialization_format="json", root_prefix="r"
    )
    assert (chosen.append_only, chosen.base_class_for_values) == (True, int)
    assert (chosen.serialization_format, chosen.root_prefix) == ("json", "r/")


BAD_FORMATS = ["", ".", "..", "a/b", "ü", "p kl", "x" * 254, "pkl\n"]


@pytest.mark.parametrize("bad", BAD_FORMATS)
def test_an_unsafe_format(place: Place, bad: str) -> None:
    with pytest.raises(ValueError, match="serialization_format"):
        place.open(serialization_format=bad, base_class_for_values=str)


class AnyFormat(Codec):
    content_type = "text/plain"

    def __init__(self, format_: Any) -> None:
        self.format = format_

    def encode(self, value: Any) -> bytes:
        return bytes(value)

    def decode(self, body: bytes) -> bytes:
        return body


@pytest.mark.parametrize("bad", BAD_FORMATS)
def test_a_codec_of_an_unsafe_format(place: Place, bad: str) -> None:
    with pytest.raises(ValueError, match="format"):
        place.open(codec=AnyFormat(bad))
    with pytest.raises(ValueError, match="format"):
        place.open().with_codec(AnyFormat(bad))


@pytest.mark.parametrize(
    "settings",
    [
        {"serialization_format": None},
        {"serialization_format": 1},
        {"base_class_for_values": "int"},
        {"base_class_for_values": (int, str)},
        {"base_class_for_values": list[int]},
        {"codec": 1},
        {"codec": AnyFormat},
        {"codec": AnyFormat(None)},
        {"codec": AnyFormat("raw"), "base_class_for_values": 1},
        {"root_prefix": 1},
        {"root_prefix": None},
        {"operation_timeout": "30"},
        {"clock": 0},
        {"clock": "now"},
        {"clock": ManualClock},
        {"unknown": 1},
    ],
    ids=shown,
)
def test_arguments_of_the_wrong_type(place: Place, settings: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        place.open(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"serialization_format": "txt"},
        {"serialization_format": "txt", "base_class_for_values": int},
        {"serialization_format": "txt", "base_class_for_values": object},
        {"root_prefix": "../up"},
        {"root_prefix": "a/./b"},
        {"root_prefix": "a\nb"},
        {"root_prefix": "\ud800"},
        {"operation_timeout": 0},
        {"operation_timeout": -1},
        {"operation_timeout": float("nan")},
    ],
    ids=shown,
)
def test_unusable_arguments(place: Place, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of each argument in its own words
        place.open(**settings)


def test_arguments_are_keyword_only(tmp_path: Path) -> None:
    for make in (
        lambda: LocalDict(True),
        lambda: BasicS3Dict("bucket"),
        lambda: SQLiteDict(str(tmp_path / "f"), True),
    ):
        with pytest.raises(TypeError, match="positional"):
            make()


def test_the_base_class_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        PersiDict()


def test_parameters_make_an_equal_dictionary(place: Place, serialization_format: str) -> None:
    d = place.open(
        serialization_format=serialization_format, append_only=True, root_prefix="r", clock=None
    )
    d["a"] = [1]
    params = d.get_params()
    again = type(d)(**params)

    assert list(params) == sorted(params)
    assert again == d
    assert again["a"] == [1]
    assert again.get_params() == params
    assert {"append_only", "base_class_for_values", "serialization_format"} <= params.keys()


def test_parameters_of_each_store(place: Place, tmp_path: Path) -> None:
    params = place.open().get_params()
    common = [
        "append_only",
        "base_class_for_values",
        "clock",
        "codec",
        "operation_timeout",
        "root_prefix",
        "serialization_format",
    ]
    own = {
        LocalDict: ["memory"],
        SQLiteDict: ["path"],
        BasicS3Dict: [
            "bucket_name",
            "config",
            "create_bucket",
            "endpoint_url",
            "expected_bucket_owner",
            "region",
            "s3_client",
            "session",
        ],
    }[type(place.open())]

    assert list(params) == sorted([*common, *own])


def test_an_injected_client_is_a_parameter(persidict_server: EmbeddedS3) -> None:
    client = persidict_server.client()
    d: BasicS3Dict[Any] = BasicS3Dict(bucket_name="b", s3_client=client, create_bucket=False)

    assert d.get_params()["s3_client"] is client
    assert d.s3_client is client
    client.close()


def test_changing_the_parameters_changes_nothing_else(d: PersiDict[Any]) -> None:
    d.get_params()["append_only"] = True

    assert d.get_params()["append_only"] is False


def test_equal_parameters_are_equal_without_a_look(d: PersiDict[Any]) -> None:
    d.update({"a": 1, "b": 2})
    watched = interposed(d)

    assert watched == copy.copy(watched)
    assert watched.get_params()["store"].requests == []


def test_repr_shows_class_and_parameters(place: Place) -> None:
    d = place.open(append_only=True, base_class_for_values=int, root_prefix="r")
    d["a"] = 12345
    text = repr(d)

    assert text.startswith(f"{type(d).__name__}(append_only=True, ")
    for part in (
        "base_class_for_values=<class 'int'>",
        "root_prefix='r/'",
        "serialization_format='pkl'",
    ):
        assert part in text
    assert "12345" not in text


def test_str_shows_items(d: PersiDict[Any]) -> None:
    assert str(d) == "{}"
    d["a", "b"] = [1]
    assert str(d) == str({NonEmptySafeStrTuple("a", "b"): [1]})


SECRET = "hunter2"
URLS = [
    f"https://me:{SECRET}@host:9000/",
    f"https://{SECRET}@host/path",
    f"https://me:a@{SECRET}@host/",
    f"https://me:a/{SECRET}@host/",
    f"http://me:{SECRET}@host",
    f"https://host/?token={SECRET}",
    f"https://host/path?a=b&sig={SECRET}#x",
]


@pytest.mark.parametrize("url", URLS)
def test_repr_shows_no_secret_of_a_url(url: str) -> None:
    d: BasicS3Dict[Any] = BasicS3Dict(
        bucket_name="jobs",
        endpoint_url=url,
        session=_session(),
        create_bucket=False,
        region="us-east-1",
    )
    for text in (repr(d), repr(d.get_subdict("a")), f"{d!r}", repr([d])):
        assert SECRET not in text
        assert "jobs" in text
        assert "host" in text


def test_repr_shows_neither_session_nor_client(place: Place) -> None:
    session = _session()
    d: BasicS3Dict[Any] = BasicS3Dict(
        bucket_name="jobs", session=session, create_bucket=False, region="us-east-1"
    )

    assert SECRET not in repr(d)
    assert "session" not in repr(d)
    assert d.get_params()["session"] is session
    if isinstance(place, InBucket):
        assert "s3_client" not in repr(place.open())


def _session() -> Any:
    import boto3

    return boto3.Session(aws_access_key_id=SECRET, aws_secret_access_key=SECRET)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(d: PersiDict[Any], protocol: int) -> None:
    for value in (d, [d], d.get_subdict("a")):
        with pytest.raises(TypeError, match=r"get_params\(\)"):
            pickle.dumps(value, protocol)


def test_sqlite_needs_a_file(tmp_path: Path) -> None:
    for path in ("", ":memory:"):
        with pytest.raises(ValueError, match="path must name a file"):
            SQLiteDict(path)
    for path in (None, 1, b"items.db"):
        with pytest.raises(TypeError):
            SQLiteDict(path)
    d: SQLiteDict[Any] = SQLiteDict(tmp_path / "items.db")
    d["a"] = 1
    assert SQLiteDict(str(tmp_path / "items.db")) == d


def test_s3_needs_a_bucket() -> None:
    with pytest.raises(ValueError, match="bucket_name"):
        BasicS3Dict(bucket_name="", create_bucket=False)
    for name in (None, 1, b"b"):
        with pytest.raises(TypeError, match="bucket_name"):
            BasicS3Dict(bucket_name=name, create_bucket=False)


def test_local_needs_a_memory() -> None:
    with pytest.raises(TypeError, match="memory"):
        LocalDict(memory={})
