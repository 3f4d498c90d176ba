"""Words that audits put together: one of something is not told as several."""

from __future__ import annotations

from scenarios.words import many, times


def test_one_and_several():
    assert [many(count, "fault") for count in (0, 1, 2)] == ["0 faults", "1 fault", "2 faults"]
    assert many(2, "process") == "2 processes"
    assert [times(count) for count in (0, 1, 2, 3)] == ["0 times", "once", "twice", "3 times"]
