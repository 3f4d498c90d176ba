"""Values to bytes and back: pickle, JSON, plain text, or a codec of the caller's own."""

from __future__ import annotations

from persidict.codecs.codec import Codec
from persidict.codecs.json_codec import JsonCodec
from persidict.codecs.pickle_codec import PickleCodec
from persidict.codecs.text_codec import TextCodec
from persidict.safe_chars import SAFE_STRING_MAX_LENGTH, contains_unsafe_chars

__all__ = [
    "Codec",
    "JsonCodec",
    "PickleCodec",
    "TextCodec",
    "check_base_class",
    "check_codec",
    "codec_for",
]


def codec_for(serialization_format: str, *, base_class_for_values: type | None) -> Codec:
    """Return the codec of a format: `pkl`, `json`, and plain text for any other.

    Reading `pkl` and `json` runs code that was chosen by whoever could write the store; plain
    text does not.

    Two dictionaries of different formats over one prefix share no item, unless one format ends
    with a dot and the other, as `tar.gz` and `gz` do.

    Args:
        serialization_format: The suffix of a stored object's name, of safe characters.
        base_class_for_values: What all values are; for plain text `str` or a subclass.

    Raises:
        TypeError: The format is no string, or the base class is no class.
        ValueError: The format is empty, too long, a path's `.` or `..`, or has unsafe
            characters; or it is plain text, and values are not strings.

    Example:
        >>> codec_for("html", base_class_for_values=str).content_type
        'text/plain'
    """
    _check_format(serialization_format, what="serialization_format")
    check_base_class(base_class_for_values)
    if serialization_format == "pkl":
        return PickleCodec()
    if serialization_format == "json":
        return JsonCodec()
    if base_class_for_values is None or not issubclass(base_class_for_values, str):
        raise ValueError(
            f"serialization_format {serialization_format!r} is plain text, which holds only "
            "strings: give base_class_for_values=str or a subclass, or use 'pkl' or 'json'"
        )
    return TextCodec(serialization_format, string_class=base_class_for_values)


def check_codec(codec: object) -> None:
    """Raise `TypeError` unless it is a `Codec`, `ValueError` if no name can have its format."""
    if not isinstance(codec, Codec):
        raise TypeError(f"codec must be a Codec, not a {type(codec).__name__}")
    _check_format(codec.format, what="codec.format")


def check_base_class(base_class_for_values: object) -> None:
    """Raise `TypeError` unless it is a class or None."""
    if base_class_for_values is not None and not isinstance(base_class_for_values, type):
        raise TypeError(
            "base_class_for_values must be a class or None, not a "
            f"{type(base_class_for_values).__name__}"
        )


def _check_format(text: object, *, what: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, not {type(text).__name__}")
    if (
        text in {"", ".", ".."}
        or len(text) >= SAFE_STRING_MAX_LENGTH
        or contains_unsafe_chars(text)
    ):
        raise ValueError(
            f"{what} is {text[:SAFE_STRING_MAX_LENGTH]!r}; it must be 1 to "
            f"{SAFE_STRING_MAX_LENGTH - 1} ASCII letters, digits and ()_-~.=, and neither '.' nor "
            "'..'"
        )
