"""Objects that stay in the process that made them."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex


class Resident:
    """Can be neither pickled nor copied: two of it would both believe to be the one.

    What it holds, has claimed or renews is this process's. Others come to the same records by the
    same address and name. A forked child inherits it, and there it says what is the child's.

    Example:
        >>> import copy
        >>> copy.copy(Resident())
        Traceback (most recent call last):
            ...
        TypeError: A Resident belongs to the process that made it, and can be neither pickled nor \
copied. Share the object among threads; to another process send its name and the address of the \
store, and make a Coordinator there.
    """

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        """Refuse what `pickle`, `copy.copy` and `copy.deepcopy` ask for.

        Raises:
            TypeError: Always.
        """
        kind = type(self).__name__.lstrip("_")
        raise TypeError(
            f"{'An' if kind[0] in 'AEIOU' else 'A'} {kind} belongs to the process that made it, "
            "and can be neither pickled nor copied. Share the object among threads; to another "
            "process send its name and the address of the store, and make a Coordinator there."
        )
