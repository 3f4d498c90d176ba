"""Values as plain text."""

from __future__ import annotations

from typing import Any

from persidict.codecs.codec import Codec


class TextCodec(Codec):
    """Strings as UTF-8 text, byte for byte readable by any program.

    No ABA protection: text has no room for a stamp, so two writes of one text leave equal etags
    on a store whose etag is a digest of the bytes, such as S3; a swap that expects the first
    etag succeeds although the item was changed and changed back in between. Use `pkl` or `json`
    where that matters.

    Args:
        serialization_format: The suffix of a stored object's name.
        string_class: What is read back: `str`, or a subclass that takes a `str`.

    Example:
        >>> TextCodec("txt", string_class=str).encode("ready")
        b'ready'
    """

    content_type = "text/plain"

    def __init__(self, serialization_format: str, *, string_class: type[str]) -> None:
        self.format = serialization_format
        self._string_class = string_class

    def encode(self, value: Any) -> bytes:
        """Write the characters of a str, or of any subclass."""
        if not isinstance(value, str):
            raise TypeError(f"A plain text item holds a str, not {type(value).__name__}")
        try:
            return str.encode(value, "utf-8")
        except UnicodeEncodeError as error:
            raise TypeError(
                "This str has a lone surrogate, for which UTF-8 has no bytes. Store it as pkl "
                "or json, or as bytes."
            ) from error

    def decode(self, body: bytes) -> str:
        """Read the characters as the class of strings that the dictionary holds."""
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"These {len(body)} bytes cannot be read as UTF-8 text. They are damaged, or were "
                "written in another format."
            ) from error
        return text if self._string_class is str else self._string_class(text)
