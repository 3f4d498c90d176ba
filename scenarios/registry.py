"""Every scenario, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scenarios.claim_race import CLAIM_RACE
from scenarios.config_cas import CONFIG_CAS
from scenarios.counter_race import COUNTER_RACE
from scenarios.election import ELECTION
from scenarios.fenced_writer import FENCED_WRITER
from scenarios.lease_handover import LEASE_HANDOVER
from scenarios.scenario import Scenario
from scenarios.semaphore import SEMAPHORE

SCENARIOS: Final[Mapping[str, Scenario]] = {
    scenario.name: scenario
    for scenario in (
        CLAIM_RACE,
        COUNTER_RACE,
        CONFIG_CAS,
        LEASE_HANDOVER,
        ELECTION,
        FENCED_WRITER,
        SEMAPHORE,
    )
}
