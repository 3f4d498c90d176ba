"""What is taken for a clock, and what is not."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from persidict.clock import METHODS, SYSTEM_CLOCK, Clock, SystemClock, check_clock
from persidict.testing.clock import ManualClock


def test_it_has_all_methods_of_a_clock() -> None:
    assert set(METHODS) == {name for name in vars(Clock) if not name.startswith("_")}
    for clock in (SYSTEM_CLOCK, SystemClock(), ManualClock()):
        check_clock(clock)
    check_clock(SimpleNamespace(**dict.fromkeys(METHODS, lambda *_: 0.0)))


@pytest.mark.parametrize(
    ("clock", "says"),
    [
        (None, "a NoneType has no monotonic, time, sleep, uniform, nonce"),
        (0.0, "a float has no monotonic, time, sleep, uniform, nonce"),
        (time, "a module has no uniform, nonce"),
        (ManualClock, "not the class ManualClock: call that first"),
        (SimpleNamespace(**dict.fromkeys(METHODS, 5.0)), "has no monotonic, time, sleep"),
    ],
    ids=["None", "seconds", "module", "class", "values"],
)
def test_what_is_none_is_refused(clock: Any, says: str) -> None:
    with pytest.raises(TypeError, match=f"^clock must .*{says}"):
        check_clock(clock)
