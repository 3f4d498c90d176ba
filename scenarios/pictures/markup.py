"""Markup put together so that nothing in a history can become markup by itself."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

_UNSHOWABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LAYOUT: Final = frozenset("\n\t")


class Markup(str):
    """Text that is markup already; every other string is escaped where it is put in."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """An element.

    Args:
        name: Its name.
        children: Its content; plain strings are escaped.
        attributes: Its attributes, `_` for `-`, a `_` at the end left out; those that are None are
            left out, and numbers are rounded to three places.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_value(value))}"
        for key, value in attributes.items()
        if value is not None
    )
    content = joined(children)
    return Markup(f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>")


def joined(parts: Iterable[str], *, by: str = "") -> Markup:
    """Several pieces one after the other; plain strings are escaped."""
    return Markup(by.join(part if type(part) is Markup else escaped(part) for part in parts))


def escaped(text: str) -> Markup:
    """Plain text as markup."""
    return Markup(escape(shown(text)))


def shown(text: str) -> str:
    """Text with what cannot be seen, or changes the direction of what can, spelt out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_spelt, text))


def cut(text: str, length: int) -> str:
    """Text of at most so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def json_of(value: Any, *, length: int = 160) -> str:
    """A value as JSON, cut to a length."""
    return cut(json.dumps(value, ensure_ascii=False), length)


def _spelt(character: str) -> str:
    if character not in _LAYOUT and unicodedata.category(character) in _UNSHOWABLE:
        return f"\\u{ord(character):04x}"
    return character


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return value if type(value) is Markup else shown(value)
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
