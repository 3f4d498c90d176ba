"""Workers write in turn to a fenced dictionary, and one of them too late."""

from typing import Final

from scenarios.fenced_writer.audit import audit
from scenarios.fenced_writer.work import work
from scenarios.leases.terms import heat_size
from scenarios.scenario import Scenario

FENCED_WRITER: Final = Scenario(
    name="fenced-writer",
    summary="workers write under fencing tokens; who was frozen before its write is refused",
    story="Under one lease workers write tasks into fenced ledgers; each write carries the token.",
    unsafe_story="UNSAFE: they check the lease, and then write without the token.",
    strikes="One worker is killed and one is frozen, both between their check and their write;",
    program=work,
    audit=audit,
    counted="begun",
    heat_size=heat_size,
    duels_over=(),
    calls_are="operations",
)
