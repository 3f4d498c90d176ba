"""Whether two graphs of objects are the same value, down to types and references."""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from persidict.codecs.arrays import parts_of_array

# Earlier ones leave out things, such as the fold of a time, and later ones hand out buffers.
PROTOCOL: Final = 4
_BY_EQUALITY: Final = frozenset({str, int, bool, bytes})
_MAY_BE_SPLIT: Final = _BY_EQUALITY | {float, tuple, frozenset, set}
_NEVER_MERGED: Final = frozenset({list, dict})


def first_difference(original: Any, copy: Any) -> type | None:
    """The type of the first part of `original` that is another in `copy`; None if none is.

    Objects are compared by what pickle would store of them, not by an `==` of their own, which
    may overlook types or time zones. What is shared in one must be shared in the other, except
    for tuples, sets and scalars.
    """
    pairs = [(original, copy)]
    # Parts may be made on the fly: these keep them, so that no id is used twice.
    partners: dict[int, tuple[Any, Any]] = {}
    originals: dict[int, Any] = {}
    while pairs:
        a, b = pairs.pop()
        if a is b:
            continue
        kind = type(a)
        if kind is not type(b):
            return kind
        if id(a) in partners:
            if partners[id(a)][1] is b:
                continue
            if kind not in _MAY_BE_SPLIT:
                return kind
        if kind in _NEVER_MERGED and originals.setdefault(id(b), a) is not a:
            return kind
        partners[id(a)] = a, b
        parts = _paired_parts(a, b)
        if parts is None:
            return kind
        pairs.extend(parts)
    return None


def reduced(value: Any) -> list[Any]:
    """What pickle makes of an object: function, arguments, state, items and pairs; or a name."""
    reduce = copyreg.dispatch_table.get(type(value))
    reduction = reduce(value) if reduce else value.__reduce_ex__(PROTOCOL)
    if isinstance(reduction, str):
        return [reduction]
    function, arguments, state, items, pairs, *more = (*reduction, None, None, None, None)[:6]
    if more != [None]:
        raise TypeError(f"A {type(value).__name__} has a state setter of its own")
    return [
        function,
        arguments,
        # An instance's dictionary may come into being when it is first looked at.
        None if type(state) is dict and not state else state,
        None if items is None else tuple(items),
        None if pairs is None else tuple(pairs),
    ]


def _paired_parts(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    if type(a) in _BY_EQUALITY:
        return [] if a == b else None
    if type(a) is float:
        return [] if a.hex() == b.hex() else None
    try:
        if isinstance(a, set | frozenset):
            return _paired_elements(a, b)
        ours, theirs = _parts(a), _parts(b)
    except Exception:  # noqa: BLE001 - what cannot be taken apart cannot be shown to be the same
        return None
    return list(zip(ours, theirs, strict=True)) if len(ours) == len(theirs) else None


def _parts(value: Any) -> Sequence[Any]:
    kind = type(value)
    if kind is list or kind is tuple:
        return list(value)
    if kind is dict:
        return [part for item in value.items() for part in item]
    parts = parts_of_array(value)
    return reduced(value) if parts is None else parts


def _paired_elements(a: AbstractSet[Any], b: AbstractSet[Any]) -> list[tuple[Any, Any]] | None:
    theirs = {element: element for element in b}
    pairs = [(element, theirs.pop(element)) for element in a if element in theirs]
    ours = [element for element in a if element not in b]
    # Of those that equal nothing but themselves, as NaN, one on each side is a pair.
    if len(ours) != len(theirs) or len(ours) > 1:
        return None
    return [*pairs, *zip(ours, theirs, strict=True), (reduced(a)[2], reduced(b)[2])]
