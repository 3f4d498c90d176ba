"""Keys: immutable sequences of strings that are safe in the names of any store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import total_ordering
from typing import Any, Final, NoReturn, Self, TypeAlias, overload

from persidict.safe_chars import SAFE_CHARS_SET, SAFE_STRING_MAX_LENGTH, contains_unsafe_chars

KeyParts: TypeAlias = "str | Sequence[KeyParts]"
"""What becomes a `SafeStrTuple`: a string, or a sequence of such, nested as deep as 100."""

_MAX_DEPTH: Final = 100
_SAFE_PART: Final = re.compile(
    rf"(?!\.\.?\Z)[{re.escape(''.join(sorted(SAFE_CHARS_SET)))}]{{1,{SAFE_STRING_MAX_LENGTH - 1}}}"
)
_is_safe_part: Final = _SAFE_PART.fullmatch
_new: Final = object.__new__
_set: Final = object.__setattr__


@total_ordering
class SafeStrTuple(Sequence[str]):
    """An immutable, hashable sequence of safe strings; possibly empty.

    Every part is between 1 and 253 characters of `SAFE_CHARS_SET`, and neither `.` nor `..`.
    Equal to anything that would become the same sequence: to `"a"` and `["a"]` as well as to
    `SafeStrTuple("a")`; only equal `SafeStrTuple`s are sure to have equal hashes. Ordered among
    themselves as tuples are.

    Args:
        *args: Strings, and sequences of strings, nested up to 100 deep and flattened from left
            to right.

    Attributes:
        strings: The parts, as a tuple.
        str_chain: The same.

    Raises:
        TypeError: Something is neither a string nor a sequence of them; bytes, dicts and sets
            are not.
        ValueError: A part is empty, too long, `.` or `..`, or has unsafe characters; or the
            nesting is too deep.

    Example:
        >>> SafeStrTuple("jobs", ["2026", ("05", "17")])
        SafeStrTuple('jobs', '2026', '05', '17')
        >>> SafeStrTuple("jobs") + "task-1" == ("jobs", "task-1")
        True
        >>> SafeStrTuple("a/b")
        Traceback (most recent call last):
        ...
        ValueError: 'a/b' cannot be part of a key: it has characters other than ASCII letters, \
digits and ()_-~.=
    """

    __slots__ = ("_strings",)
    _strings: tuple[str, ...]

    def __new__(cls, *args: KeyParts) -> Self:
        """Check the parts, and flatten them."""
        if len(args) == 1 and type(args[0]) is cls:
            return args[0]
        return cls._of(_flattened(args))

    @classmethod
    def _of(cls, strings: tuple[str, ...]) -> Self:
        self = _new(cls)
        _set(self, "_strings", strings)
        return self

    @property
    def strings(self) -> tuple[str, ...]:
        """The parts, as a tuple."""
        return self._strings

    @property
    def str_chain(self) -> tuple[str, ...]:
        """The parts, as a tuple."""
        return self._strings

    def __len__(self) -> int:
        return len(self._strings)

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._strings)

    def __contains__(self, item: object) -> bool:
        return item in self._strings

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> SafeStrTuple: ...

    def __getitem__(self, index: int | slice) -> str | SafeStrTuple:
        if isinstance(index, slice):
            return SafeStrTuple._of(self._strings[index])
        return self._strings[index]

    def __hash__(self) -> int:
        return hash(self._strings)

    def __eq__(self, other: object) -> bool:
        parts = _coerced(other)
        return NotImplemented if parts is None else self._strings == parts

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, SafeStrTuple):
            return NotImplemented
        return self._strings < other.strings

    def __add__(self, other: KeyParts) -> Self:
        if not isinstance(other, str | Sequence):
            return NotImplemented
        kind = type(other) if isinstance(other, type(self)) else type(self)
        return kind(self, other)

    def __radd__(self, other: KeyParts) -> Self:
        if not isinstance(other, str | Sequence):
            return NotImplemented
        return type(self)(other, self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._strings))})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str, ...]]:
        return type(self), self._strings

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name!r}")


class NonEmptySafeStrTuple(SafeStrTuple):
    """A `SafeStrTuple` of at least one part: the key of an item.

    Slices are plain `SafeStrTuple`s, since they may be empty; sums stay non-empty.

    Args:
        *args: As for `SafeStrTuple`.

    Raises:
        TypeError: As for `SafeStrTuple`.
        ValueError: As for `SafeStrTuple`, or there is no part at all.

    Example:
        >>> NonEmptySafeStrTuple("jobs", "task-1")[-1]
        'task-1'
        >>> NonEmptySafeStrTuple()
        Traceback (most recent call last):
        ...
        ValueError: A key must have at least one part
    """

    __slots__ = ()

    @classmethod
    def _of(cls, strings: tuple[str, ...]) -> Self:
        if not strings:
            raise ValueError("A key must have at least one part")
        return super()._of(strings)


def _coerced(value: object) -> tuple[str, ...] | None:
    if isinstance(value, SafeStrTuple):
        return value.strings
    try:
        return _flattened((value,))
    except (TypeError, ValueError):
        return None


def _flattened(args: tuple[object, ...]) -> tuple[str, ...]:
    strings: list[str] = []
    _append(args, to=strings, depth=0)
    return tuple(strings)


def _append(parts: Iterable[object], *, to: list[str], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"A key's parts are nested more than {_MAX_DEPTH} deep, or in themselves")
    for part in parts:
        if isinstance(part, str):
            to.append(part if type(part) is str and _is_safe_part(part) else _checked(part))
        elif isinstance(part, SafeStrTuple):
            to.extend(part.strings)
        elif isinstance(part, Sequence) and not isinstance(part, bytes | bytearray | memoryview):
            _append(part, to=to, depth=depth + 1)
        else:
            raise TypeError(
                "A key is a str or a sequence of str, nested or not; "
                f"{type(part).__name__} is neither"
            )


def _checked(part: str) -> str:
    part = str.__str__(part)
    if not _is_safe_part(part):
        raise ValueError(
            f"{part[:SAFE_STRING_MAX_LENGTH]!r} cannot be part of a key: {_fault(part)}"
        )
    return part


def _fault(part: str) -> str:
    if not part:
        return "it is empty"
    if len(part) >= SAFE_STRING_MAX_LENGTH:
        return f"a part must be shorter than {SAFE_STRING_MAX_LENGTH} characters"
    if contains_unsafe_chars(part):
        return "it has characters other than ASCII letters, digits and ()_-~.="
    return "it has a meaning of its own in paths"
