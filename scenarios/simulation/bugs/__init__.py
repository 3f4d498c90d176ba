"""Planted bugs, each of which the simulation must find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scenarios.simulation.bugs import dictionary, leases, records
from scenarios.simulation.bugs.bug import Bug

BUGS: Final[Mapping[str, Bug]] = {
    bug.name: bug for bug in (*dictionary.BUGS, *records.BUGS, *leases.BUGS)
}
"""All of them, by name."""
