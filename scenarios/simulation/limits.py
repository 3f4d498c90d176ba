"""What the dictionary alone cannot tell, by its contract; records tell it, and meet every fault.

Each limit was found by a seed that breaks it:

- A request is doubled on the way, the refusal of its copy is the answer, and others have written
  before anybody looks: that looks like a failed condition.
- A create is applied and not answered, another deletes the object, and what is seen then is what
  the create expected: it is sent again. So is a copy that arrives after the delete.
- A delete is doubled on the way, and the answer to its copy is that there is nothing.

And what a record cannot tell: a write upon what has been known for longer than the write takes is
doubled, the refusal of its copy is the answer, and the ring is overrun before anybody looks. Where
rings are short that would be seen, so there a copy comes no sooner than that.
"""

from __future__ import annotations

from typing import Final

LASTING: Final = "lasting"
"""The folder of items that are never deleted."""
DELETABLE: Final = "deletable"
"""The folder of items that are."""

_BEYOND: Final = {
    (LASTING, "put"): frozenset({"doubled-and-crossed"}),
    (DELETABLE, "put"): frozenset(
        {"late", "doubled", "doubled-and-crossed", "reply-lost", "error-after"}
    ),
    (DELETABLE, "delete"): frozenset({"late", "doubled", "doubled-and-crossed"}),
}


def is_beyond(kind: str, verb: str, name: str) -> bool:
    """Whether a fault would ask more of the dictionary than its contract says."""
    return kind in _BEYOND.get((name.partition("/")[0], verb), ())
