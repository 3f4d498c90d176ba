"""jsonpickle's handler of numpy arrays, made safe for threads; importing this imports numpy."""

from __future__ import annotations

import copy
from typing import Any

from jsonpickle.ext.numpy import NumpyNDArrayHandlerView
from jsonpickle.handlers import BaseHandler


class OneForEach:
    """Gives each array a copy of a handler that jsonpickle shares among all.

    That one remembers for whom it was last called: of two threads that have arrays at the same
    time, one would read or write parts of the other's document.

    Args:
        shared: The handler; one of jsonpickle's own is copied as an `ArrayHandler`.
    """

    def __init__(self, shared: BaseHandler) -> None:
        is_jsonpickles = type(shared) is NumpyNDArrayHandlerView
        self._shared = ArrayHandler.like(shared) if is_jsonpickles else shared

    def __call__(self, context: Any) -> BaseHandler:
        """The copy, for this pickler or unpickler."""
        return copy.copy(self._shared)(context)


class ArrayHandler(NumpyNDArrayHandlerView):  # type: ignore[misc]
    """Writes and reads what jsonpickle's own does, without what numpy 2.5 deprecates."""

    @classmethod
    def like(cls, other: NumpyNDArrayHandlerView) -> ArrayHandler:
        """One with the settings of another."""
        return cls(other.mode, other.size_threshold, other.compression)

    def restore_dtype(self, data: dict[str, Any]) -> Any:
        """The byte order as well; that of a view is added elsewhere."""
        dtype = super().restore_dtype(data)
        order = None if "base" in data else data.get("byteorder")
        return dtype if order is None else dtype.newbyteorder(order)

    def restore_byteorder(self, data: dict[str, Any], arr: Any) -> None:
        """Nothing: it would change the dtype of an array that is there."""
