"""Names of test cases that are the same in every process."""

import re


def shown(value: object) -> str:
    """The repr without the address, by which pytest-xdist's workers would disagree."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
