"""F8: while nothing is answered, every lease ends by its deadline, and so does every call."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from persidict.testing import EmbeddedS3, FaultKind, FaultPlan, FaultRule
from scenarios.figures.blackout import Call, Endured, Part, endure, prepare
from scenarios.figures.faults import Strikes, Striking
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.places import Bucket
from scenarios.figures.pool import processes

CALLS: Final = 24
LEASES: Final = 8
"""Of one process."""
TOLERANCE: Final = 1.1
SHORT: Final = 2.0
LONG: Final = 5.0
"""Seconds that calls are given, and that leases last, in few calls and in many."""
_MANY: Final = 500
_SLOW: Final = FaultRule(kind=FaultKind.DELAY, seconds=0.1, methods=("PUT",))
"""Before: a lease that counts from an answer is then a tenth of a second late."""
_BLACKOUTS: Final = (
    FaultRule(kind=FaultKind.BLACK_HOLE),
    FaultRule(kind=FaultKind.DRIP, seconds=0.25),
)


def measure(task: Task) -> Result:
    """Let a process hold leases and make calls, then answer nothing; again with another one."""
    seconds = SHORT if task.size < _MANY else LONG
    found, strikes = Endured(), Strikes()
    with EmbeddedS3() as server:
        place = Bucket(server.endpoint_url, server.create_bucket())
        for number in range(max(len(_BLACKOUTS), math.ceil(task.size / CALLS))):
            calls = min(CALLS, max(1, task.size // len(_BLACKOUTS)))
            blackout = _BLACKOUTS[number % len(_BLACKOUTS)]
            with processes(1, plant=task.plant) as pool:
                with Striking(server.control, FaultPlan(0, (_SLOW,)), strikes=Strikes()):
                    job = (place, f"r{number}", Part(seconds, LEASES, calls, task.seed))
                    [*pool.run(prepare, [job])]
                with Striking(server.control, FaultPlan(0, (blackout,)), strikes=strikes):
                    for endured in pool.run(endure, [()]):
                        found.calls += endured.calls
                        found.tenancies += endured.tenancies
                        task.progress.add(len(endured.calls))
    return Result(
        counted=_counted(found, seconds=seconds),
        violations=_violations(found),
        faults=strikes.all(),
    )


def _counted(found: Endured, *, seconds: float) -> Mapping[str, object]:
    ratios = sorted(call.ratio for call in found.calls)
    told = sorted(each.told for each in found.tenancies)
    slowest = defaultdict[str, float](float)
    for call in found.calls:
        slowest[call.name] = max(slowest[call.name], round(call.ratio, 3))
    return {
        "seconds of each call and lease": seconds,
        "calls": len(found.calls),
        "kinds of calls": len(slowest),
        "share of the time, median": _quantile(ratios, 0.5),
        "share of the time, 99 of 100": _quantile(ratios, 0.99),
        "share of the time, longest": _quantile(ratios, 1.0),
        "the slowest calls": dict(sorted(slowest.items(), key=lambda item: -item[1])[:4]),
        "outcomes": dict(Counter(call.outcome for call in found.calls)),
        "leases": len(found.tenancies),
        "leases valid after their deadline": sum(each.late > 0 for each in found.tenancies),
        "told, seconds after the deadline, median": _quantile(told, 0.5),
        "told, seconds after the deadline, last": _quantile(told, 1.0),
    }


def _violations(found: Endured) -> list[str]:
    return [
        *(
            f"a lease was valid {each.late:.3f} s after its deadline"
            for each in found.tenancies
            if each.late > 0
        ),
        *("a holder was not told of a loss" for each in found.tenancies if math.isinf(each.told)),
        *filter(None, map(_problem, found.calls)),
    ]


def _problem(call: Call) -> str | None:
    if call.ratio > TOLERANCE:
        return f"{call.name} took {call.ratio:.2f} of its time"
    if call.outcome.startswith("undocumented"):
        return f"{call.name}: {call.outcome}"
    return None


def _quantile(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


DEADLINES: Final = Figure(
    name="F8",
    summary="black holes and dripping answers: every lease is invalid by its deadline, and every "
    "call returns within its time and a tenth",
    unit="calls",
    small=40,
    full=2_000,
    measure=measure,
)
