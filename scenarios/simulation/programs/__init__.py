"""What simulated processes do: each program is one step of one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from scenarios.simulation.host import Host
from scenarios.simulation.limits import DELETABLE, LASTING
from scenarios.simulation.programs import (
    claiming,
    conditions,
    counting,
    holding,
    operating,
    sharing,
    swapping,
)
from scenarios.simulation.worker import Observer, Worker

Program = Callable[[Worker], None]

THEMES: Final[Mapping[str, Mapping[str, float]]] = {
    "counter": {"add": 6, "value": 3, "compare-and-set": 2, "reset": 0.5},
    "value": {"get": 3, "set": 2, "update": 3, "value-cas": 4},
    "sequence": {"next": 1},
    "lease": {"lease": 6, "break": 1, "holder": 0.5},
    "server-lease": {"server-lease": 1},
    "lock": {"lock": 1},
    "election": {"campaign": 2, "leader": 1},
    "semaphore": {"permit": 12, "break-permit": 1, "holders": 0.5},
    "claims": {"claim-never": 4, "claim-manual": 2, "requeue": 0.5, "run": 0.3, "orphaned": 0.2},
    "reclaim": {"claim-reclaim": 1},
    "once": {"once": 1},
    "items": {"i-get": 2, "i-set": 4, "i-insert": 2},
    "items-deletable": {"di-get": 2, "di-set": 3, "di-insert": 3, "di-discard": 3},
    "raw": {"read": 3, "insert": 1, "write": 1, "swap": 4, "transform": 3},
    "raw-deletable": {"d-read": 3, "d-insert": 3, "d-write": 1, "d-swap": 4, "d-transform": 2,
                      "d-pop": 1},
}  # fmt: skip
"""Programs that meet at the same records, and how often each is chosen."""

PROGRAMS: Final[Mapping[str, Program]] = {
    "add": counting.add,
    "value": counting.value,
    "compare-and-set": counting.compare_and_set,
    "reset": counting.reset,
    "get": sharing.get,
    "set": sharing.set_,
    "update": sharing.update,
    "value-cas": sharing.compare_and_set,
    "next": sharing.next_number,
    "lease": holding.lease,
    "break": operating.break_,
    "holder": operating.holder,
    "server-lease": holding.server_lease,
    "lock": holding.lock,
    "campaign": holding.campaign,
    "leader": holding.leader,
    "permit": holding.permit,
    "break-permit": operating.break_permit,
    "holders": operating.holders,
    "claim-never": claiming.claim_never,
    "claim-manual": claiming.claim_manual,
    "requeue": claiming.requeue,
    "claim-reclaim": claiming.claim_reclaim,
    "run": claiming.run_tasks,
    "orphaned": claiming.orphaned,
    "once": claiming.once,
    "i-get": partial(conditions.get, folder=LASTING),
    "i-set": partial(conditions.set_, folder=LASTING),
    "i-insert": partial(conditions.insert, folder=LASTING),
    "di-get": partial(conditions.get, folder=DELETABLE),
    "di-set": partial(conditions.set_, folder=DELETABLE),
    "di-insert": partial(conditions.insert, folder=DELETABLE),
    "di-discard": conditions.discard,
    "read": swapping.read,
    "insert": swapping.insert,
    "write": swapping.write,
    "swap": swapping.swap,
    "transform": swapping.transform,
    "d-read": partial(swapping.read, folder=DELETABLE),
    "d-insert": partial(swapping.insert, folder=DELETABLE),
    "d-write": partial(swapping.write, folder=DELETABLE),
    "d-swap": partial(swapping.swap, folder=DELETABLE),
    "d-transform": partial(swapping.transform, folder=DELETABLE),
    "d-pop": swapping.pop,
}


LAST: Final = (
    counting.value,
    sharing.get,
    holding.read_fenced,
    swapping.read_all,
    conditions.read_all,
)


def final_look(host: Host) -> None:
    """Read everything once more, when all others have gone."""
    worker = Observer(host, host.world.scheduler.current.random)
    for program in LAST:
        program(worker)
