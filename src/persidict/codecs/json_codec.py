"""Values as JSON, plain wherever they are plain, and with jsonpickle's tags where they are not."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, ClassVar, Final

from persidict.codecs.codec import Codec


class JsonCodec(Codec):
    """Any value that pickle and jsonpickle take, as standard JSON that a person can read.

    A value that is stored is read back as it was, or as pickle would bring it back: types,
    shared and recursive references, keys that are no strings, arrays and frames included. Each
    document that needs jsonpickle's tags is read back and compared before it is stored, and
    refused if anything differs.

    Not safe against whoever can write the store: **reading a tagged document runs code that its
    writer chose**, just as a pickle does.

    Dictionaries with string keys, lists, strings, numbers, booleans and None take a few
    microseconds; everything else takes jsonpickle's time, twice.

    Example:
        >>> codec = JsonCodec()
        >>> codec.encode({"state": "open", "n": 12345})
        b'{"state": "open", "n": 12345}'
        >>> codec.encode({1: "a"})
        b'{"json://1": "a"}'
        >>> codec.decode(codec.stamp(codec.encode((1, {2})), b"12 any bytes"))
        (1, {2})
    """

    format = "json"
    content_type = "application/json"
    stamps: ClassVar[bool] = True

    def encode(self, value: Any) -> bytes:
        """Write plain JSON if that says it all, and jsonpickle's otherwise."""
        if _is_plain(value, containers=set(), depth=0):
            try:
                text = _to_json(value)
                if not _may_be_tagged(text):
                    return text.encode()
            except ValueError:  # a lone surrogate, or an int of more digits than Python writes
                pass
        from persidict.codecs.tagged_json import to_tagged_json

        return to_tagged_json(value).encode()

    def decode(self, body: bytes) -> Any:
        """Read the document; the whitespace of a stamp is no part of it."""
        try:
            text = body.decode()
            if not _may_be_tagged(text):
                return json.loads(text)
            from persidict.codecs.tagged_json import from_tagged_json

            return from_tagged_json(text)
        except Exception as error:
            raise ValueError(
                f"These {len(body)} bytes cannot be read as JSON ({type(error).__name__}). They "
                "are damaged, were written in another format, or need classes or packages that "
                "this program does not have."
            ) from error

    def stamp(self, body: bytes, nonce: bytes) -> bytes:
        """Add whitespace after the document, two bits of the nonce in each character."""
        return body + b"".join([_WHITESPACE[byte] for byte in nonce])


_WHITESPACE: Final = tuple(
    bytes(b" \t\r\n"[byte >> shift & 3] for shift in (6, 4, 2, 0)) for byte in range(256)
)
_PLAIN_TYPES: Final = frozenset({str, int, bool, type(None)})
_KEY_TYPES: Final = frozenset({str})
_MAX_PLAIN_DEPTH: Final = 100
_to_json: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def _is_plain(value: Any, *, containers: set[int], depth: int) -> bool:
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return True
    if kind is float:
        return isfinite(value)
    if kind is list:
        children = value
    elif kind is dict and _KEY_TYPES.issuperset(map(type, value)):
        children = value.values()
    else:
        return False
    if depth == _MAX_PLAIN_DEPTH or id(value) in containers:
        return False
    containers.add(id(value))
    for child in children:
        if type(child) not in _PLAIN_TYPES and not _is_plain(
            child, containers=containers, depth=depth + 1
        ):
            return False
    return True


def _may_be_tagged(text: str) -> bool:
    # A tag can also be spelled with escapes, and all of its characters are ASCII.
    return '"py/' in text or '"json:' in text or "\\u00" in text or "\\/" in text
