"""Every figure, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scenarios.figures.claims import CLAIMS
from scenarios.figures.crosstalk import CROSSTALK
from scenarios.figures.damage import DAMAGE
from scenarios.figures.deadlines import DEADLINES
from scenarios.figures.figure import Figure
from scenarios.figures.hostility import HOSTILITY
from scenarios.figures.increments import INCREMENTS
from scenarios.figures.kills import KILLS
from scenarios.figures.linearizable import LINEARIZABLE
from scenarios.figures.mis_stores import MIS_STORES
from scenarios.figures.pushback import PUSHBACK

FIGURES: Final[Mapping[str, Figure]] = {
    figure.name: figure
    for figure in (
        LINEARIZABLE,
        CLAIMS,
        INCREMENTS,
        DEADLINES,
        KILLS,
        PUSHBACK,
        DAMAGE,
        CROSSTALK,
        HOSTILITY,
        MIS_STORES,
    )
}
