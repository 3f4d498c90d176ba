"""Between bodies and states: exact types in, the same body out, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from persidict_sync.errors import RecordError
from persidict_sync.record import MAX_INT
from persidict_sync.state import State
from tests.shown import shown


@dataclass(frozen=True, kw_only=True)
class Part(State):
    name: str
    share: float


@dataclass(frozen=True, kw_only=True)
class Whole(State):
    kind: ClassVar[str] = "whole"

    count: int
    seconds: float
    label: str
    done: bool
    owner: str | None
    limit: int | float | None
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    anything: Any


BODY: dict[str, Any] = {
    "count": 3,
    "seconds": 1.5,
    "label": "x",
    "done": True,
    "owner": None,
    "limit": 2,
    "parts": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}],
    "notes": ["n"],
    "anything": {"deep": [1, {"er": None}]},
}


def test_there_and_back() -> None:
    whole = Whole.parse(BODY)
    assert whole.parts[1] == Part(name="b", share=0.5)
    assert whole.notes == ("n",)
    assert whole.body() == BODY


def test_what_a_newer_version_added_is_kept_at_every_level() -> None:
    body = {
        **BODY,
        "parts": [{"name": "a", "share": 1.0, "colour": "red"}],
        "added": {"x": [1]},
    }
    whole = Whole.parse(body)
    assert whole.unknown == {"added": {"x": [1]}}
    assert whole.parts[0].unknown == {"colour": "red"}
    assert whole.body() == body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", True),
        ("count", 3.0),
        ("count", "3"),
        ("count", None),
        ("count", MAX_INT + 1),
        ("count", -MAX_INT - 1),
        ("seconds", "1.5"),
        ("seconds", True),
        ("seconds", None),
        ("seconds", MAX_INT + 1),
        ("label", 1),
        ("label", None),
        ("done", 1),
        ("done", None),
        ("owner", 5),
        ("owner", []),
        ("limit", False),
        ("limit", "1"),
        ("limit", MAX_INT + 1),
        ("parts", {}),
        ("parts", None),
        ("parts", "ab"),
        ("parts", [5]),
        ("parts", [{"name": "a"}]),
        ("parts", [{"name": 1, "share": 0.5}]),
        ("notes", [1]),
        ("notes", ["a", None]),
    ],
    ids=shown,
)
def test_a_wrong_type_is_named(name: str, value: Any) -> None:
    with pytest.raises(RecordError) as caught:
        Whole.parse({**BODY, name: value})
    assert any(word in str(caught.value) for word in (name, "share", "name", "Part"))


@pytest.mark.parametrize("name", BODY)
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(RecordError, match=f"has no {name}"):
        Whole.parse({key: value for key, value in BODY.items() if key != name})


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_what_is_no_object(body: Any) -> None:
    with pytest.raises(RecordError, match="no Whole"):
        Whole.parse(body)


def test_whole_numbers_are_floats_where_floats_are_meant() -> None:
    seconds = Whole.parse({**BODY, "seconds": 2}).seconds
    assert (seconds, type(seconds)) == (2.0, float)
    limit = Whole.parse({**BODY, "limit": 2}).limit
    assert type(limit) is int
