"""Workers elect a leader, which publishes decisions, and all observe who leads."""

from typing import Final

from scenarios.election.audit import NAME, audit
from scenarios.election.work import work
from scenarios.leases.terms import heat_size
from scenarios.scenario import Scenario

ELECTION: Final = Scenario(
    name="election",
    summary="workers elect leaders, one a term, and every observer sees the terms in their order",
    story="Workers campaign; who leads publishes a few tasks' decisions and resigns; all observe.",
    unsafe_story="UNSAFE: to be elected is to read who leads and, if that has run out, to write.",
    strikes="One leader is killed and one is frozen until others have long taken over;",
    program=work,
    audit=audit,
    counted="begun",
    heat_size=heat_size,
    duels_over=(NAME,),
    calls_are="operations",
)
