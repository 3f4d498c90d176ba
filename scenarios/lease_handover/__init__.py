"""Workers hand one lease over to each other, and take it over from the dead and the frozen."""

from typing import Final

from scenarios.lease_handover.audit import NAME, audit
from scenarios.lease_handover.work import work
from scenarios.leases.terms import heat_size
from scenarios.scenario import Scenario

LEASE_HANDOVER: Final = Scenario(
    name="lease-handover",
    summary="workers hand over one lease; no two hold it at once, and it outlives its holders",
    story="Under one lease workers write tasks into plain ledgers, a few a turn.",
    unsafe_story="UNSAFE: to acquire is to read the record and, if it has run out, to write it.",
    strikes="One holder is killed and one is frozen until others have long taken over;",
    program=work,
    audit=audit,
    counted="begun",
    heat_size=heat_size,
    duels_over=(NAME,),
    calls_are="operations",
)
