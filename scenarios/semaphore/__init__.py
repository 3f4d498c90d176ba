"""Workers do tasks under permits of one semaphore; never more hold one than there are."""

from typing import Final

from scenarios.scenario import Scenario
from scenarios.semaphore.audit import audit
from scenarios.semaphore.terms import (
    FROZEN_SECONDS,
    INSIDE,
    TARGET,
    as_many_as_workers,
    one_too_many,
)
from scenarios.semaphore.work import work

SEMAPHORE: Final = Scenario(
    name="semaphore",
    summary="workers do tasks under k permits; never more than k hold one at once",
    story=(
        "In each heat every worker does two tasks, or finds them done, under one of k permits, 3 "
        "for 8 workers; two go for each task."
    ),
    unsafe_story=(
        "UNSAFE: to acquire is to count the holders in the record and, if there are fewer than k, "
        "to write it with one more."
    ),
    strikes="One holder of a permit is killed and one is frozen until its permit has run out;",
    program=work,
    audit=audit,
    counted="begun",
    heat_size=as_many_as_workers,
    duels_over=(TARGET, INSIDE),
    racers=one_too_many,
    frozen_seconds=FROZEN_SECONDS,
    calls_are="operations",
)
