"""F11: of answers that arrive cut off or altered none is taken for what was stored."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from persidict import BackendError, ConditionalOperationResult, OutcomeUnknownError, PersiDict
from persidict.testing import EmbeddedS3, FaultKind, FaultPlan, FaultRule
from persidict_sync.coordinator import Coordinator
from scenarios.figures.faults import Strikes, Striking
from scenarios.figures.figure import Figure, Result, Task
from scenarios.figures.places import Bucket
from scenarios.figures.pool import Pool, processes

PROCESSES: Final = 8
KEYS: Final = 40
CALLS: Final = 50
"""Of one job."""
FORMATS: Final = ("json", "pkl")
_SHARE: Final = 0.25
_RULES: Final = (
    FaultRule(kind=FaultKind.TRUNCATE, probability=_SHARE),
    # No listing: it has no checksum, and nothing but TLS protects it from being altered.
    FaultRule(kind=FaultKind.FLIP_BIT, probability=_SHARE, key="*/*"),
)
_DAMAGES: Final = ("truncate", "flip-bit")


@dataclass
class Read:
    """What became of the calls of one job.

    Attributes:
        outcomes: How many of which.
        wrong: What was accepted, and is not what was stored.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def value_of(number: int) -> dict[str, Any]:
    """The value under a key: anything that is not exactly this is another's, or damaged."""
    rng = random.Random(number)
    size = rng.choice((1, 30, 300, 3_000, 30_000))
    return {
        "number": number,
        "text": "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=size)),
        "list": [rng.random() for _ in range(rng.randrange(20))],
    }


def fill(place: Bucket) -> dict[str, list[str]]:
    """Store every value; the etags, by format."""
    etags: dict[str, list[str]] = {}
    for form in FORMATS:
        d = place.open(serialization_format=form)
        for number in range(KEYS):
            d[f"k{number}"] = value_of(number)
        etags[form] = [d.etag(f"k{number}") for number in range(KEYS)]
    return etags


def read(place: Bucket, etags: dict[str, list[str]], job: int, seed: int) -> Read:
    """Read, list and count, by all the ways there are; nothing but right answers or errors."""
    found, rng = Read(), random.Random(f"{job} in {seed}")
    d = {form: place.open(timeout=10.0, serialization_format=form) for form in FORMATS}
    steps = _Steps(place, job)
    for _ in range(CALLS):
        form, number = rng.choice(FORMATS), rng.randrange(KEYS)
        chosen = rng.choice([*_calls(d[form], number, etags[form][number]), None])
        kind, call, right = chosen or steps.step()
        try:
            answer = call()
        except OutcomeUnknownError:
            steps.unknown += 1
            found.outcomes["unknown"] += 1
        except BackendError:
            found.outcomes["refused"] += 1
        except Exception as error:  # noqa: BLE001 - what was damaged was taken for what it says
            found.outcomes["another error"] += 1
            found.wrong.append(f"{kind} of {form} {number}: {type(error).__name__}: {error}"[:200])
        else:
            is_right = right(answer)
            found.outcomes["right" if is_right else "wrong"] += 1
            if not is_right:
                found.wrong.append(f"{kind} of {form} {number}: {str(answer)[:200]}")
    return found


_Step = tuple[str, Callable[[], Any], Callable[[Any], bool]]


def _calls(d: PersiDict[Any], number: int, etag: str) -> list[_Step]:
    """What is called, and whether an answer to it is right."""
    key, value = f"k{number}", value_of(number)
    keys = {(f"k{each}",) for each in range(KEYS)}

    def is_pair(found: ConditionalOperationResult[Any]) -> bool:
        return bool(found.new_value == value and found.actual_etag == etag)

    return [
        ("d[k]", lambda: d[key], value.__eq__),
        ("get_with_etag", lambda: d.get_with_etag(key), is_pair),
        ("etag", lambda: d.etag(key), etag.__eq__),
        ("in", lambda: key in d, lambda found: found is True),
        ("get, absent", lambda: d.get("absent"), lambda found: found is None),
        ("setdefault", lambda: d.setdefault(key, "another"), value.__eq__),
        ("keys", lambda: {each.strings for each in d}, keys.__eq__),
    ]


class _Steps:
    """A counter that only this job adds to."""

    def __init__(self, place: Bucket, job: int) -> None:
        self._counter = Coordinator(place.open(timeout=10.0), timeout=20.0).counter(f"c{job}")
        self._last = 0
        self.unknown = 0

    def step(self) -> _Step:
        return "add", self._counter.add, self._is_next

    def _is_next(self, total: int) -> bool:
        is_next = self._last < total <= self._last + 1 + self.unknown
        self._last, self.unknown = total, 0
        return is_next


def measure(task: Task) -> Result:
    """Read until so many answers have been damaged."""
    strikes, outcomes = Strikes(), Counter[str]()
    wrong: list[str] = []
    with EmbeddedS3() as server, processes(PROCESSES, plant=task.plant) as pool:
        place = Bucket(server.endpoint_url, server.create_bucket())
        (etags,) = pool.run(fill, [(place,)])
        numbers = count()
        with Striking(server.control, FaultPlan(task.seed, _RULES), strikes=strikes) as control:
            while (left := task.size - len(control.fault_report().fired)) > 0:
                # So many calls, and more requests, of which nearly a half are damaged.
                jobs = max(1, left // (2 * CALLS))
                for each in _round(pool, place, etags, jobs, numbers=numbers, seed=task.seed):
                    outcomes.update(each.outcomes)
                    wrong += each.wrong
                task.progress.add(left - max(0, task.size - len(control.fault_report().fired)))
    fired = strikes.all()
    return Result(
        counted={
            "damaged answers": sum(fired[kind].count for kind in _DAMAGES),
            "calls": outcomes.total(),
            "answered rightly": outcomes["right"],
            "answered wrongly": outcomes["wrong"],
            "refused with an error": outcomes["refused"],
            "another error": outcomes["another error"],
            "outcome unknown": outcomes["unknown"],
        },
        violations=wrong,
        faults=fired,
    )


def _round(
    pool: Pool,
    place: Bucket,
    etags: dict[str, list[str]],
    jobs: int,
    *,
    numbers: Iterator[int],
    seed: int,
) -> Iterator[Read]:
    return pool.run(read, [(place, etags, next(numbers), seed) for _ in range(jobs)])


DAMAGE: Final = Figure(
    name="F11",
    summary="answers that arrive cut off or with a flipped bit: none is accepted",
    unit="damaged answers",
    small=300,
    full=10_000,
    measure=measure,
)
