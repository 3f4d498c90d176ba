"""Workers' logs made by hand, for audits to judge."""

from __future__ import annotations

import itertools
import signal

from persidict_sync.record import first
from scenarios.disruptions import Struck
from scenarios.journal import Event
from scenarios.race import Course


class Logs:
    """Three workers; w1 is killed inside `b`, w2 is frozen inside `c` and goes on.

    Args:
        step: Seconds between two events.
    """

    def __init__(self, *, step=1.0):
        self.step = step
        self.logs = {"w1": [], "w2": [], "w3": []}
        self.now = 0.0
        self.ids = itertools.count(1)
        self.course = Course(
            exits={"w1": -signal.SIGKILL, "w2": 0, "w3": 0},
            killed=Struck("w1", "b", 1),
            frozen=Struck("w2", "c", 2),
            was_continued=True,
        )

    def log(self, worker, name, **fields):
        self.now += self.step
        self.logs[worker].append(Event(worker, name, self.now, fields))
        return self.now

    def call(self, worker, target, op, **args):
        identity = f"{worker}:{next(self.ids)}"
        self.log(worker, "call", id=identity, object=target, op=op, args=args)
        return identity

    def finish(self):
        for worker in ("w2", "w3"):
            self.log(worker, "finished")

    def edit(self, worker, name, number=0, **fields):
        """Change fields of the event of that name; the event."""
        places = [place for place, event in enumerate(self.logs[worker]) if event.name == name]
        before = self.logs[worker][places[number]]
        after = Event(worker, name, before.at, {**before.fields, **fields})
        self.logs[worker][places[number]] = after
        return after

    def drop(self, worker, *names):
        self.logs[worker] = [event for event in self.logs[worker] if event.name not in names]


def record_of(kind, body, generation):
    """A record as it would be after so many writes."""
    record = first(kind=kind, body=body, op=f"{1:024x}", written="")
    for number in range(2, generation + 1):
        record = record.next(body=body, op=f"{number:024x}", written="")
    return record
