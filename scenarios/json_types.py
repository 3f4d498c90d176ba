"""Types of JSON values in histories, and what they are called where another one is met."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from scenarios.words import shortened

_LARGEST: Final = 1e15
"""Times beyond it, in seconds, have no fractions that could be told apart."""


@dataclass(frozen=True, slots=True)
class JsonType:
    """What a value must be.

    Attributes:
        words: What it is called: "name must be WORDS".
        types: The Python types that it may have; empty for any.
        also: What else must be true of it.
    """

    words: str
    types: tuple[type, ...] = ()
    also: Callable[[Any], bool] | None = None

    def admits(self, value: object) -> bool:
        """Whether the value is of this type."""
        return (not self.types or type(value) in self.types) and (
            self.also is None or self.also(value)
        )

    def check(self, value: object, *, what: str) -> None:
        """Refuse a value of another type.

        Args:
            value: The value.
            what: Where it was met.

        Raises:
            ValueError: It is of another type.
        """
        if not self.admits(value):
            raise ValueError(
                f"{what} must be {self.words}, not {shortened(json.dumps(value, default=repr))}"
            )


ANY: Final = JsonType("anything")
TEXT: Final = JsonType("a string", (str,))
FLAG: Final = JsonType("true or false", (bool,))
WHOLE: Final = JsonType("a whole number", (int,))
COUNT: Final = JsonType("a whole number from 1", (int,), lambda value: value >= 1)
ID: Final = JsonType("a whole number or a string", (int, str))
OBJECT: Final = JsonType("an object", (dict,))
NUMBER: Final = JsonType(
    "a number up to 1e15", (int, float), lambda value: -_LARGEST <= value <= _LARGEST
)
SECONDS: Final = JsonType(
    "a number from 0 to 1e15", (int, float), lambda value: 0 <= value <= _LARGEST
)
SHARE: Final = JsonType(
    "a number from 0 to less than 1", (int, float), lambda value: 0 <= value < 1
)
COUNTS: Final = JsonType(
    "an object of whole numbers from 1",
    (dict,),
    lambda value: all(COUNT.admits(each) for each in value.values()),
)
WHOLE_OR_NULL: Final = JsonType("a whole number or null", (int, type(None)))
TEXT_OR_NULL: Final = JsonType("a string or null", (str, type(None)))
WHOLES: Final = JsonType(
    "a list of whole numbers",
    (list,),
    lambda value: all(WHOLE.admits(each) for each in value),
)


def one_of(*texts: str) -> JsonType:
    """One of these strings."""
    return JsonType(" or ".join(map(repr, texts)), (str,), lambda value: value in texts)


def with_fields(**fields: JsonType) -> JsonType:
    """An object that has at least these fields."""
    words = ", ".join(f"{name} ({each.words})" for name, each in fields.items())
    return JsonType(
        f"an object with {words}",
        (dict,),
        lambda value: all(
            name in value and each.admits(value[name]) for name, each in fields.items()
        ),
    )
