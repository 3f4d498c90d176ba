"""The characters that a part of a key may consist of, the same on every store."""

from __future__ import annotations

import re
import string
from typing import Final

SAFE_CHARS_SET: Final = frozenset(string.ascii_letters + string.digits + "()_-~.=")
"""ASCII letters, digits and `()_-~.=`: safe in file names, URLs and object names alike."""

SAFE_STRING_MAX_LENGTH: Final = 254
"""The length, in characters, that a part of a key stays below."""

_UNSAFE_CHAR: Final = re.compile(f"[^{re.escape(''.join(sorted(SAFE_CHARS_SET)))}]")


def get_safe_chars() -> set[str]:
    """Return the safe characters, as a set of the caller's own.

    Example:
        >>> "~" in get_safe_chars(), "/" in get_safe_chars()
        (True, False)
    """
    return set(SAFE_CHARS_SET)


def contains_unsafe_chars(a_str: str) -> bool:
    """Tell whether any character is not in `SAFE_CHARS_SET`.

    It does not tell whether the string can be part of a key: that depends on its length, too,
    and `.` and `..` are no parts.

    Args:
        a_str: Any string, also an empty one.

    Raises:
        TypeError: `a_str` is not a string.

    Example:
        >>> contains_unsafe_chars("task-1"), contains_unsafe_chars("task/1")
        (False, True)
    """
    return _UNSAFE_CHAR.search(_checked(a_str, name="a_str")) is not None


def replace_unsafe_chars(a_str: str, replace_with: str) -> str:
    """Return `a_str` with every character that is not in `SAFE_CHARS_SET` replaced.

    Different strings may become the same one, and the result may be empty or too long for a
    part of a key.

    Args:
        a_str: Any string, also an empty one.
        replace_with: What takes the place of each unsafe character; safe itself, possibly
            empty.

    Raises:
        TypeError: One of the arguments is not a string.
        ValueError: `replace_with` has unsafe characters itself.

    Example:
        >>> replace_unsafe_chars("jobs/nightly run", "_")
        'jobs_nightly_run'
    """
    if contains_unsafe_chars(_checked(replace_with, name="replace_with")):
        raise ValueError(
            f"replace_with is {replace_with!r}; it may consist only of ASCII letters, "
            "digits and ()_-~.="
        )
    return _UNSAFE_CHAR.sub(replace_with, _checked(a_str, name="a_str"))


def _checked(value: object, *, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    return value
