"""No two writes of one key leave the same etag, so an etag stands for one state for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from persidict import (
    ANY_ETAG,
    ETAG_HAS_CHANGED,
    ETAG_IS_THE_SAME,
    ITEM_NOT_AVAILABLE,
    Codec,
    LocalDict,
    PersiDict,
)
from tests.contract.places import InBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.places import Place


def set_if(d: PersiDict[Any], value: Any, condition: Any, expected: Any) -> Any:
    result = d.set_item_if("a", value=value, condition=condition, expected_etag=expected)
    assert result.condition_was_satisfied
    return result.resulting_etag


WRITES: dict[str, Callable[[PersiDict[Any], Any], Any]] = {
    "assignment": lambda d, value: d.__setitem__("a", value),
    "update": lambda d, value: d.update(a=value),
    "transform_item": lambda d, value: d.transform_item("a", transformer=lambda _: value),
    "unconditional": lambda d, value: set_if(d, value, ANY_ETAG, ITEM_NOT_AVAILABLE),
    "swap": lambda d, value: set_if(d, value, ETAG_IS_THE_SAME, d.get_with_etag("a").actual_etag),
    "changed": lambda d, value: set_if(d, value, ETAG_HAS_CHANGED, "another"),
}


@pytest.mark.parametrize("write", WRITES)
def test_a_swap_with_the_first_etag_fails_after_1_2_1(d: PersiDict[Any], write: str) -> None:
    etags = []
    for value in (1, 2, 1):
        WRITES[write](d, value)
        etags.append(d.etag("a"))

    swap = d.set_item_if("a", value="lost", condition=ETAG_IS_THE_SAME, expected_etag=etags[0])
    deletion = d.discard_if("a", condition=ETAG_IS_THE_SAME, expected_etag=etags[0])
    look = d.get_item_if("a", condition=ETAG_HAS_CHANGED, expected_etag=etags[0])

    assert len(set(etags)) == 3
    assert not swap.condition_was_satisfied
    assert not deletion.condition_was_satisfied
    assert (look.condition_was_satisfied, look.new_value) == (True, 1)
    assert d["a"] == 1


def test_equal_values_one_after_the_other_have_etags_of_their_own(d: PersiDict[Any]) -> None:
    etags = set()
    for _ in range(20):
        d["a"] = {"state": "open"}
        etags.add(d.etag("a"))

    assert len(etags) == 20


@pytest.mark.parametrize("delete", ["del", "discard_if", "clear", "pop"])
def test_deleting_and_creating_repeats_no_etag(d: PersiDict[Any], delete: str) -> None:
    deletions: dict[str, Callable[[], Any]] = {
        "del": lambda: d.__delitem__("a"),
        "discard_if": lambda: d.discard_if("a", condition=ANY_ETAG, expected_etag="any"),
        "clear": d.clear,
        "pop": lambda: d.pop("a"),
    }
    etags = set()
    for _ in range(5):
        assert d.setdefault("a", 1) == 1
        etags.add(d.etag("a"))
        deletions[delete]()
        assert "a" not in d

    assert len(etags) == 5


def test_the_nonce_of_each_write_is_its_own(place: Place, serialization_format: str) -> None:
    """Two processes' clocks know nothing of each other, and their writes differ all the same."""
    one, two = (place.open(serialization_format=serialization_format, clock=None) for _ in range(2))
    etags = []
    for d in (one, two, one, two):
        d["a"] = 1
        etags.append(d.etag("a"))

    assert len(set(etags)) == 4


def test_plain_text_numbers_its_writes_where_the_store_does(place: Place) -> None:
    d = place.open(serialization_format="txt", base_class_for_values=str)
    etags = []
    for text in ("1", "2", "1"):
        d["a"] = text
        etags.append(d.etag("a"))

    # S3's etag is a digest of the bytes, and plain text has no room for anything else.
    repeats = isinstance(place, InBucket)
    assert (etags[0] == etags[2]) is repeats


def test_plain_text_says_that_it_cannot() -> None:
    from persidict.codecs import TextCodec

    assert "No ABA protection" in (TextCodec.__doc__ or "")
    assert "Plain text has no room" in (PersiDict.__doc__ or "")


class Stampless(Codec):
    """A codec whose bytes have no room for a nonce."""

    format = "raw"
    content_type = "application/octet-stream"

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, body: bytes) -> bytes:
        return body


def test_etags_of_memory_are_numbered_across_all_keys_and_codecs() -> None:
    d: LocalDict[Any] = LocalDict()
    raw = d.with_codec(Stampless())
    etags = []
    for n in range(3):
        for each in (d, raw):
            each[str(n)] = b"same"
            etags.append(each.etag(str(n)))

    assert len(set(etags)) == 6
