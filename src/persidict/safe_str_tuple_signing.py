"""Signatures for the parts of a key, which keep apart what a store would take for the same."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import TypeVar, overload

from persidict.safe_chars import SAFE_STRING_MAX_LENGTH
from persidict.safe_str_tuple import KeyParts, SafeStrTuple

_Key = TypeVar("_Key", bound=SafeStrTuple)


@overload
def sign_safe_str_tuple(str_seq: _Key, digest_len: int) -> _Key: ...


@overload
def sign_safe_str_tuple(str_seq: KeyParts, digest_len: int) -> SafeStrTuple: ...


def sign_safe_str_tuple(str_seq: KeyParts, digest_len: int) -> SafeStrTuple:
    """Add to every part `_` and the first characters of its digest.

    The digest is the MD5 of the part's characters, in lower-case base32. A part that already
    ends with its own right signature stays as it is, so that signing twice is signing once.
    There is no secret in it: a signature shows that two parts differ, not who wrote them.

    Args:
        str_seq: The parts to sign.
        digest_len: How many characters of the digest to add: 0 changes nothing, 32 and more
            add all of it.

    Returns:
        The signed parts, of the class of `str_seq` if that is a `SafeStrTuple`.

    Raises:
        TypeError: `digest_len` is no int, or `str_seq` cannot become a `SafeStrTuple`.
        ValueError: `digest_len` is negative, a part becomes too long, or `str_seq` cannot
            become a `SafeStrTuple`.

    Example:
        >>> sign_safe_str_tuple(SafeStrTuple("Task", "task"), 4)
        SafeStrTuple('Task_5lvt', 'task_i6ht')
    """
    return _each_part(_signed, of=str_seq, digest_len=digest_len)


@overload
def unsign_safe_str_tuple(str_seq: _Key, digest_len: int) -> _Key: ...


@overload
def unsign_safe_str_tuple(str_seq: KeyParts, digest_len: int) -> SafeStrTuple: ...


def unsign_safe_str_tuple(str_seq: KeyParts, digest_len: int) -> SafeStrTuple:
    """Take away from every part what `sign_safe_str_tuple` with the same length added.

    A part that does not end with its own right signature stays as it is. A part that ended
    with it before it was signed loses it here.

    Args:
        str_seq: The parts to take signatures from.
        digest_len: How many characters of the digest were added.

    Returns:
        The parts, of the class of `str_seq` if that is a `SafeStrTuple`.

    Raises:
        TypeError: `digest_len` is no int, or `str_seq` cannot become a `SafeStrTuple`.
        ValueError: `digest_len` is negative, or `str_seq` cannot become a `SafeStrTuple`.

    Example:
        >>> unsign_safe_str_tuple(SafeStrTuple("Task_5lvt", "task_none"), 4)
        SafeStrTuple('Task', 'task_none')
    """
    return _each_part(_unsigned, of=str_seq, digest_len=digest_len)


def _each_part(change: Callable[[str, int], str], *, of: KeyParts, digest_len: int) -> SafeStrTuple:
    if not isinstance(digest_len, int):
        raise TypeError(f"digest_len must be an int, not {type(digest_len).__name__}")
    if digest_len < 0:
        raise ValueError(f"digest_len is {digest_len}; it must be 0 or more")
    key = of if isinstance(of, SafeStrTuple) else SafeStrTuple(of)
    if digest_len == 0:
        return key
    return type(key)([change(part, digest_len) for part in key])


def _signed(part: str, digest_len: int) -> str:
    if _unsigned(part, digest_len) != part:
        return part
    signed = part + _signature(part, digest_len)
    if len(signed) >= SAFE_STRING_MAX_LENGTH:
        raise ValueError(
            f"{part!r} cannot be signed: with its signature it would have {len(signed)} "
            f"characters, and a part must be shorter than {SAFE_STRING_MAX_LENGTH}"
        )
    return signed


def _unsigned(part: str, digest_len: int) -> str:
    bare = part[: -len(_signature(part, digest_len))]
    signed_by_us = bare not in {"", ".", ".."} and part == bare + _signature(bare, digest_len)
    return bare if signed_by_us else part


def _signature(part: str, digest_len: int) -> str:
    digest = hashlib.md5(part.encode(), usedforsecurity=False).digest()
    return "_" + base64.b32encode(digest).decode()[:digest_len].lower()
