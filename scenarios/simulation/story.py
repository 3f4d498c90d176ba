"""A run told in lines, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from scenarios.simulation.plan import Plan
from scenarios.simulation.run import Outcome
from scenarios.words import many

LONGEST: Final = 200
"""Lines of a run that are told; of a longer one, the last."""

_TOLD: Final = {
    "acquired": "believes to hold",
    "renewed": "goes on believing to hold",
    "released": "gives up",
    "lost": "has lost",
    "broken": "frees what another holds:",
}


def schedule(plan: Plan) -> Iterator[str]:
    """What is to happen."""
    times = plan.times
    yield (
        f"seed {plan.seed}: requests take {times.latency:.3f} s each way and are given up after "
        f"{times.request:.3f} s; leases last {times.ttl:.3f} s; records remember {plan.ring} writes"
    )
    for seat, settings in enumerate(plan.seats):
        steps = [step for _, step in plan.steps(seat)]
        if steps:
            yield (
                f"w{seat + 1}, {many(settings.threads, 'thread')}, clock x {settings.rate:.4f}: "
                f"{', '.join(steps)}"
            )
    for one in plan.disruptions:
        yield f"{one.at:10.4f} s  w{one.seat + 1}: {one.kind} {one.seconds:.3f} s"


def told(outcome: Outcome) -> Iterator[str]:
    """What has happened."""
    calls = {
        fields["id"]: f"{fields['object']} {fields['op']}({_listed(fields['args'])})"
        for _, _, name, fields in outcome.lines
        if name == "call"
    }
    lines = [
        f"{at:10.4f} s  {actor:<9}{_line(name, fields, calls)}"
        for at, actor, name, fields in outcome.lines
    ]
    if len(lines) > LONGEST:
        yield f"... {many(len(lines) - LONGEST, 'line')} before"
    yield from lines[-LONGEST:]


def _line(name: str, fields: dict[str, Any], calls: dict[int, str]) -> str:
    match name:
        case "call":
            return f"[{fields['id']}] {calls[fields['id']]}"
        case "return":
            return f"[{fields['id']}] returned {fields['value']!r}"
        case "failed" | "unknown":
            return f"[{fields['id']}] {name}: {fields['error']}"
        case "fault":
            return f"    {fields['verb']} {fields['key']}: {fields['kind']}"
        case _ if name in _TOLD:
            until = f" until {fields['until']:.4f} s" if "until" in fields else ""
            return f"{_TOLD[name]} {fields['object']} under token {fields['token']}{until}"
        case _:
            return f"{name} {_listed(fields)}"


def _listed(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in fields.items())
