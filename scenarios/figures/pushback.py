"""F10: a store that is busy and says so costs nobody what is its own, and all finish."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from persidict import BackendError
from persidict.testing import EmbeddedS3, FaultKind, FaultPlan, FaultRule
from persidict_sync.coordinator import Coordinator
from persidict_sync.errors import LeaseLost
from persidict_sync.held import Held
from persidict_sync.lease import Lease
from scenarios.figures.claiming import TIMEOUT, Audit, Bids, Tasks, bid, owners
from scenarios.figures.counting import Additions, add, total_of
from scenarios.figures.faults import Strikes, Striking
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.places import Bucket
from scenarios.figures.pool import processes

CONTENDERS: Final = 16
TTL: Final = 15.0
NAME: Final = "hits"
_RULES: Final = (
    FaultRule(kind=FaultKind.ERROR_503_BEFORE, probability=0.1),
    # Of what the first lets pass, so that one in five is answered 503.
    FaultRule(kind=FaultKind.ERROR_503_AFTER, probability=0.1 / 0.9),
    FaultRule(kind=FaultKind.CONFLICT, probability=0.05 / 0.8, methods=("PUT",), conditional=True),
)


@dataclass
class Contender:
    """What became of one contender.

    Attributes:
        bids: What it was told of the tasks that all claim.
        additions: To the counter that all add to.
        seconds: After which it had finished.
        losses: Why it lost a lease that nobody else asked for, or one that it had.
    """

    bids: Bids
    additions: Additions
    seconds: float
    losses: list[str]


def contend(tasks: Tasks, number: int) -> Contender:
    """Claim, count and take turns, all with a lease of one's own."""
    began = time.monotonic()
    losses: list[str] = []
    with Coordinator(tasks.place.open(timeout=TIMEOUT / 3), timeout=TIMEOUT) as fleet:
        own = _acquired(fleet.lease(f"own-{number}", ttl=TTL))
        bids = bid(tasks, number, 0, 0.0)
        additions = add(tasks.place, NAME, tasks.count)
        turn = _acquired(fleet.lease("turn", ttl=TTL))
        for name, held in (("the turn", turn), ("its own lease", own)):
            try:
                held.check()
                held.release()
            except LeaseLost as loss:
                losses.append(f"contender {number} has lost {name}: {loss}")
    return Contender(bids, additions, time.monotonic() - began, losses)


def _acquired(lease: Lease) -> Held:
    while True:
        try:
            return lease.acquire()
        except BackendError:
            # Five answers of 503 in turn: whoever asks such a store asks again.
            continue


def measure(task: Task) -> Result:
    """Have them contend, and compare what each was told with what is there."""
    audit, additions, strikes = Audit(), Additions(), Strikes()
    ended: list[Contender] = []
    with EmbeddedS3() as server, processes(CONTENDERS, plant=task.plant) as pool:
        tasks = Tasks(Bucket(server.endpoint_url, server.create_bucket()), 0, task.size)
        with Striking(server.control, FaultPlan(task.seed, _RULES), strikes=strikes):
            for each in pool.run(contend, ((tasks, number) for number in range(CONTENDERS))):
                ended.append(each)
                audit.add(each.bids)
                additions.add(each.additions)
                task.progress.tell(f"contender {each.bids.owner} has finished")
            requests = server.control.log(with_entries=False).total
        for judged, owned_by in pool.run(owners, [(tasks,)]):
            audit.judge(judged, owned_by)
        (total,) = pool.run(total_of, [(tasks.place, NAME)])
    task.progress.add(task.size)
    losses = [text for each in ended for text in each.losses]
    finished = sorted(each.seconds for each in ended)
    return Result(
        counted={
            "contenders that finished": len(ended),
            **audit.counted(),
            "additions acknowledged": additions.acknowledged,
            "additions settled": additions.settled,
            "additions unknown": additions.unknown,
            "additions failed, not counted": additions.failed,
            "total": total,
            "leases lost": len(losses),
            "seconds of the first to finish": round(finished[0], 1),
            "seconds of the last": round(finished[-1], 1),
            "HTTP requests": requests,
        },
        violations=[*losses, *audit.violations, *additions.problems(total)],
        faults=strikes.all(),
    )


PUSHBACK: Final = Figure(
    name="F10",
    summary=f"20% 503 and 5% 409: no false loss of a claim, an addition or a lease, and "
    f"{CONTENDERS} contenders all finish",
    unit="claims and additions of each",
    small=3,
    full=500,
    measure=measure,
)
