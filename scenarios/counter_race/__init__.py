"""Workers count finished tasks on one counter; every count that is acknowledged is there once."""

from typing import Final

from scenarios.counter_race.audit import audit
from scenarios.counter_race.work import work
from scenarios.scenario import Scenario

COUNTER_RACE: Final = Scenario(
    name="counter-race",
    summary="workers count on one counter; each acknowledged add is in the total exactly once",
    story=(
        "All workers start into each heat at once and count a task of it, counter.add(); "
        "two or more count each task."
    ),
    unsafe_story="UNSAFE: to add is to read, then write: counter.reset(counter.value() + 1).",
    strikes=(
        "One worker is killed and one is frozen in the midst of an add, between its read and its "
        "write or between its write and its answer;"
    ),
    program=work,
    audit=audit,
    counted="counted",
    calls_are="operations",
)
