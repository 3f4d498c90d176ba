"""Values as pickles."""

from __future__ import annotations

import pickle
from typing import Any, ClassVar

from persidict.codecs.codec import Codec


class PickleCodec(Codec):
    """Any value that `pickle` takes, in a form that any `pickle` reads.

    Not safe against whoever can write the store: **reading a pickle runs code that its writer
    chose**.

    Example:
        >>> codec = PickleCodec()
        >>> codec.decode(codec.stamp(codec.encode({1, 2}), b"12 any bytes"))
        {1, 2}
    """

    format = "pkl"
    content_type = "application/octet-stream"
    stamps: ClassVar[bool] = True

    def encode(self, value: Any) -> bytes:
        """Pickle with the protocol that Python takes by default."""
        try:
            return pickle.dumps(value)
        except Exception as error:
            raise TypeError(
                f"A value of type {type(value).__name__} cannot be pickled "
                f"({type(error).__name__}). Store plain data, or a class that pickle can find by "
                "its name."
            ) from error

    def decode(self, body: bytes) -> Any:
        """Read the pickle; what follows its end is no part of it."""
        try:
            return pickle.loads(body)
        except Exception as error:
            raise ValueError(
                f"These {len(body)} bytes cannot be read as a pickle ({type(error).__name__}). "
                "They are damaged, were written in another format, or need classes that this "
                "program does not have."
            ) from error

    def stamp(self, body: bytes, nonce: bytes) -> bytes:
        """Add the nonce after the pickle's end, where nothing is read."""
        return body + nonce
