"""The errors of coordination that a caller acts on."""

from __future__ import annotations


class RecordError(ValueError):
    """A stored record is not one that this version can work with; nothing was overwritten.

    Args:
        problem: What is wrong with it.
        key: Its key, where known.

    Attributes:
        problem: What is wrong with it.
        key: Its key, or None.

    Example:
        >>> print(RecordError("it is of format 2, and this version reads 1", key="jobs"))
        The record 'jobs' cannot be used: it is of format 2, and this version reads 1
    """

    def __init__(self, problem: str, key: object = None) -> None:
        named = "The record" if key is None else f"The record {key!r}"
        super().__init__(f"{named} cannot be used: {problem}")
        self.problem = problem
        self.key = key

    def __reduce__(self) -> tuple[type[RecordError], tuple[str, object]]:
        return type(self), (self.problem, self.key)
