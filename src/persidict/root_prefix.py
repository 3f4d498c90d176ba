"""What every name of a dictionary begins with, checked; and addresses without their secrets."""

from __future__ import annotations

import re


def normalized(root_prefix: str) -> str:
    """The prefix, ending in `/` unless it is empty.

    Raises:
        TypeError: It is no string.
        ValueError: It has a part `.` or `..`, which some servers resolve as a path, a control
            character, or one that UTF-8 does not know.
    """
    if not isinstance(root_prefix, str):
        raise TypeError(f"root_prefix must be a str, not a {type(root_prefix).__name__}")
    if any(part in (".", "..") for part in root_prefix.split("/")):
        raise ValueError(f"root_prefix must have no part '.' or '..': {root_prefix!r}")
    if not root_prefix.isprintable():
        raise ValueError(f"root_prefix must be printable UTF-8 text: {root_prefix!r}")
    return root_prefix if root_prefix.endswith("/") or not root_prefix else root_prefix + "/"


def redacted(value: object) -> object:
    """The value; a URL without user, password and query; by its class if it may hold secrets."""
    if isinstance(value, str):
        return re.sub(r"\?.*", "?…", re.sub(r"//.*@", "//…@", value)) if "://" in value else value
    if value is None or isinstance(value, bool | int | float | type):
        return value
    return _Shown(type(value).__name__)


class _Shown:
    def __init__(self, class_name: str) -> None:
        self._class_name = class_name

    def __repr__(self) -> str:
        return f"<{self._class_name}>"
