"""F13: a stranger's record runs nothing, his names reach nothing, and no log shows a secret."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from persidict.testing import EmbeddedS3, FaultKind, FaultPlan, FaultRule, ServerControl
from scenarios.figures.faults import Strikes, Striking
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.hostile.keys import PREFIX, Tried, try_all, try_over_http
from scenarios.figures.hostile.reading import read_all
from scenarios.figures.hostile.secrets import use_everything
from scenarios.figures.places import Bucket
from scenarios.figures.pool import Pool, processes
from scenarios.words import many

PROCESSES: Final = 2
CHUNK: Final = 1_000
OVER_HTTP: Final = 0.01
_MALICIOUS: Final = 5
"""Keys for each malicious record; at least 100 of these, and at most all there are."""
_ROUNDS: Final = 5_000
"""Keys for each round of listening for secrets."""
_RULES: Final = tuple(
    FaultRule(kind=kind, probability=0.06)
    for kind in (
        FaultKind.FORBIDDEN,
        FaultKind.NO_SUCH_BUCKET,
        FaultKind.ERROR_500_AFTER,
        FaultKind.ERROR_503_BEFORE,
        FaultKind.DROP_REPLY,
        FaultKind.TRUNCATE,
        FaultKind.FLIP_BIT,
        FaultKind.CONFLICT,
    )
)


def measure(task: Task) -> Result:
    """Read the records, use the keys, and listen."""
    with EmbeddedS3() as server, processes(PROCESSES, plant=task.plant) as pool:
        (records,) = pool.run(read_all, [(max(100, task.size // _MALICIOUS), task.seed)])
        task.progress.tell(f"{many(records.outcomes.total(), 'malicious record')} read")
        tried = _keys(task, pool=pool)
        over_http = _keys_over_http(server.control, task, pool=pool)
        strikes, place = Strikes(), Bucket(server.endpoint_url, server.create_bucket())
        with Striking(server.control, FaultPlan(task.seed, _RULES), strikes=strikes):
            (heard,) = pool.run(use_everything, [(place, max(2, task.size // _ROUNDS))])
    return Result(
        counted={
            "malicious records": records.outcomes.total(),
            "of them refused": records.outcomes["refused"],
            "of them read as plain data": records.outcomes["read as data"],
            "hostile keys": tried.outcomes["used"] + tried.outcomes["refused"],
            "of them refused ": tried.outcomes["refused"],
            "names of objects asked for": tried.outcomes["names asked for"],
            "hostile keys over HTTP": over_http.outcomes["used"] + over_http.outcomes["refused"],
            "names of objects asked for over HTTP": over_http.outcomes["names asked for"],
            "lines of logs heard": heard.lines,
            "errors looked at": heard.errors,
            "reprs looked at": heard.reprs,
        },
        violations=[
            *records.violations,
            *tried.violations,
            *over_http.violations,
            *sorted(set(heard.leaks)),
            *([] if heard.lines and heard.errors else ["no log was written, or no error raised"]),
        ],
        faults=strikes.all(),
    )


def _keys(task: Task, *, pool: Pool) -> Tried:
    tried = Tried()
    jobs = [
        (min(CHUNK, task.size - at), hash((task.seed, at))) for at in range(0, task.size, CHUNK)
    ]
    for each in pool.run(try_all, jobs):
        tried.outcomes.update(each.outcomes)
        tried.violations += each.violations
        task.progress.add(each.outcomes["used"] + each.outcomes["refused"])
    return tried


def _keys_over_http(control: ServerControl, task: Task, *, pool: Pool) -> Tried:
    """So many that the server's log has room for all that is asked."""
    count = min(2_000, max(50, round(OVER_HTTP * task.size)))
    place = Bucket(control.endpoint_url, control.create_bucket())
    outside = _strangers(place)
    control.reset_log()
    (tried,) = pool.run(try_over_http, [(place, count, task.seed)])
    asked = Counter(entry.name for entry in control.log().entries)
    inside = f"{place.name}/{PREFIX}/"
    tried.violations += [
        f"{name!a}: outside the prefix, over HTTP"
        for name in asked
        if name != place.name and not name.startswith(inside)
    ]
    if _found(place) != outside:
        tried.violations.append("an object outside the prefix was changed over HTTP")
    tried.outcomes["names asked for"] = len(asked)
    return tried


def _strangers(place: Bucket) -> dict[str, Any]:
    """Objects whose names are near the prefix, and what they hold."""
    d = place.open()
    for key in ("mine", "k", ("mine", "k"), ("mine", "of-al", "k"), ("mine", "of-all2", "k")):
        d[key] = str(key)
    return _found(place)


def _found(place: Bucket) -> dict[str, Any]:
    """What is outside the prefix."""
    d = place.open()
    outside = [key for key in d if "/".join(key.strings[:2]) != PREFIX]
    return {str(key): d[key] for key in outside}


HOSTILITY: Final = Figure(
    name="F13",
    summary="malicious records run and import nothing, hostile keys stay inside the prefix, no "
    "secret is in captured logs",
    unit="hostile keys",
    small=2_000,
    full=100_000,
    measure=measure,
)
