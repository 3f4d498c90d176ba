"""Workers claim tasks with one conditional write each; every task is run at most once."""

from typing import Final

from scenarios.claim_race.audit import audit
from scenarios.claim_race.work import work
from scenarios.scenario import Scenario

CLAIM_RACE: Final = Scenario(
    name="claim-race",
    summary="workers claim tasks through setdefault_if; every task is run at most once",
    story="To claim a task is one conditional create, d.setdefault_if(task, ...).",
    unsafe_story="UNSAFE: to claim a task is to read, then write: if task not in d: d[task] = ...",
    strikes="One worker is killed and one is frozen inside a task that it has claimed;",
    program=work,
    audit=audit,
)
