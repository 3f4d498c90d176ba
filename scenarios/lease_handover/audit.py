"""The audit of a lease that is handed over: from the bucket and the workers' logs to violations."""

from __future__ import annotations

from typing import Final

from scenarios.fates import check_fates
from scenarios.leases.case import Case
from scenarios.leases.figures import figures_of
from scenarios.leases.holding import check_exclusion, check_record, check_takeover, check_tokens
from scenarios.leases.working import check_thawed, check_work
from scenarios.scenario import Audit, Evidence

NAME: Final = "lease/work"


def audit(evidence: Evidence) -> Audit:
    """Judge who held the lease and what was done under it; a pure function of what was found."""
    case = Case(evidence, NAME)
    findings = [
        check_exclusion(case),
        check_tokens(case),
        check_takeover(case),
        check_thawed(case),
        check_record(case),
        check_work(case),
        check_fates(evidence),
    ]
    return Audit(findings, figures_of(case))
