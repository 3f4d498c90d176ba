"""Every scenario, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scenarios.claim_race import CLAIM_RACE
from scenarios.election import ELECTION
from scenarios.fenced_writer import FENCED_WRITER
from scenarios.lease_handover import LEASE_HANDOVER
from scenarios.scenario import Scenario

SCENARIOS: Final[Mapping[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        CLAIM_RACE,
        LEASE_HANDOVER,
        ELECTION,
        FENCED_WRITER,
    )
}
