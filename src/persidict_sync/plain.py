"""What a user may store in a record: JSON that comes back as it went in."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from persidict_sync.record import MAX_INT

MAX_VALUE_DEPTH: Final = 14
"""A record may be 16 deep, and at least two of that are its own."""
MAX_VALUE_BYTES: Final = 48 * 1024
"""A record may have 64 KiB as UTF-8 JSON; the rest is for its history, which grows."""


def plain(value: object, *, what: str, most_depth: int = MAX_VALUE_DEPTH) -> Any:
    """A copy of what is JSON.

    Args:
        value: None, a bool, a string, a finite float, an int between ±(2**53 - 1), or lists and
            dictionaries with string keys of these, of 48 KiB at most.
        what: What errors call it, such as `"the value"`.
        most_depth: How many lists and dictionaries may be inside one another.

    Raises:
        TypeError: It, or a part of it, is none of these.
        ValueError: It is too large, too deeply nested, or a number or string has no JSON.
    """
    document = _part(value, what, most_depth, levels=most_depth)
    try:
        size = len(json.dumps(document, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        raise ValueError(f"a string in {what} is no Unicode text: half a surrogate pair") from None
    if size > MAX_VALUE_BYTES:
        raise ValueError(f"{what} has {size} bytes as JSON, and {MAX_VALUE_BYTES} is the most")
    return document


def _part(value: object, what: str, most_depth: int, *, levels: int) -> Any:
    # Exactly these: what would come back as something else is refused.
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        if abs(value) > MAX_INT:
            raise ValueError(f"an int in {what} is beyond ±(2**53 - 1); store it as a string")
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"a float in {what} is infinite or no number, for which JSON has none")
        return value
    if isinstance(value, list | dict) and levels == 0:
        raise ValueError(f"{what} is nested more than {most_depth} deep")
    if type(value) is list:
        return [_part(one, what, most_depth, levels=levels - 1) for one in value]
    if type(value) is dict:
        if not all(type(name) is str for name in value):
            raise TypeError(f"a dictionary in {what} has a key that is no string")
        return {
            name: _part(one, what, most_depth, levels=levels - 1) for name, one in value.items()
        }
    raise TypeError(f"{what}, or a part of it, is a {type(value).__name__}, which is no JSON")
