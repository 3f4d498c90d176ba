"""The figures of a scenario about a lease that go into the JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenarios.leases.case import Case
from scenarios.leases.holding import takeovers


def figures_of(case: Case) -> Mapping[str, Any]:
    """How many tenures there were, how they ended, and how long takeovers took."""
    ends = [belief.is_lost for belief in case.beliefs]
    return {
        "done": len({line.task for line in case.lines}),
        "tenures": len(ends),
        "tenures_lost": sum(ends),
        "renewals": sum(belief.renewals for belief in case.beliefs),
        "last_token": case.beliefs[-1].token if case.beliefs else None,
        "takeover_seconds": {
            f"after_{blow}": None if seconds is None else round(seconds, 3)
            for blow, seconds in takeovers(case).items()
        },
    }
