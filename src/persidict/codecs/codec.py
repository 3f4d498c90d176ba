"""The seam between values and the bytes that a store keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar


class Codec(ABC):
    """Turns values into bytes and back; `PersiDict.with_codec` takes any subclass.

    A codec has no state that changes: one object serves many threads and processes.

    Attributes:
        format: The suffix of a stored object's name, without the dot; safe characters only.
        content_type: The media type that a stored object is labelled with.
        stamps: Whether `stamp` makes bytes of its own for every nonce. Where it does not, two
            writes of equal values may leave equal etags on a store whose etag is a digest of
            the bytes, and a swap that expects the first etag succeeds after both.

    Example:
        >>> class Hex(Codec):
        ...     format = "hex"
        ...     content_type = "text/plain"
        ...     def encode(self, value):
        ...         return format(value, "x").encode()
        ...     def decode(self, body):
        ...         return int(body, 16)
        >>> Hex().decode(Hex().encode(255)), Hex().stamps
        (255, False)
    """

    format: str
    content_type: str
    stamps: ClassVar[bool] = False

    @abstractmethod
    def encode(self, value: Any) -> bytes:
        """Return bytes from which `decode` makes an equal value.

        Raises:
            TypeError: The value cannot be stored so. The text names types, never the value.
        """

    @abstractmethod
    def decode(self, body: bytes) -> Any:
        """Return the value of `body`, stamped or not.

        Raises:
            ValueError: The bytes are no document of this format.
        """

    def stamp(self, body: bytes, nonce: bytes) -> bytes:  # noqa: ARG002 - for those that stamp
        """Return other bytes of the same value, different for each nonce of equal length.

        A codec that leaves `stamps` false returns `body` as it is.

        Args:
            body: What `encode` returned.
            nonce: 12 random bytes that no other write shares.
        """
        return body
