"""A history of three workers under one lease as it should be, to be spoilt by tests."""

from __future__ import annotations

import signal

from persidict_sync.record import first
from scenarios.disruptions import Struck
from scenarios.journal import Event
from scenarios.leases.terms import TERMS
from scenarios.race import Course
from scenarios.scenario import Evidence

WAIT = TERMS.patience(TERMS.ttl)
"""Seconds after which a lease is taken over."""


class LeaseHistory:
    """`a` by w1; w2 dies before `b`, which w3 does; w1 freezes before `c`, which w3 does; `d`.

    Args:
        name: The lease, `kind/name`.
        is_fenced: Whether ledgers are fenced, and w1 freezes inside its write.
        wait: Seconds that it takes to take over.
    """

    def __init__(self, name, *, is_fenced=False, wait=WAIT):
        self.name = name
        self.is_fenced = is_fenced
        self.wait = wait
        self.logs = {"w1": [], "w2": [], "w3": []}
        self.ledgers = {}
        self.tokens = {}
        self.ids = 0
        self.now = 100.0
        self.record = None
        self.live()

    def live(self):
        self.acquire("w1", 1)
        self.do("w1", "a", "ledger-0")
        self.release("w1")
        self.acquire("w2", 3)
        self.renew("w2")
        self.killed_at = self.now
        self.now += self.wait
        self.acquire("w3", 5)
        self.do("w3", "b", "ledger-0")
        self.release("w3")
        self.acquire("w1", 7)
        stale = self.begin_write("w1", "c", "ledger-1") if self.is_fenced else None
        self.frozen_at = self.now
        self.now += self.wait
        self.acquire("w3", 8)
        self.do("w3", "c", "ledger-1")
        self.release("w3")
        self.continued_at = self.now
        if stale is None:
            self.check("w1", is_held=False)
        else:
            self.log("w1", "failed", id=stale, error="StaleTokenError")
        self.log("w1", "lost", object=self.name, token=7, reason="expired")
        self.acquire("w1", 10)
        self.renew("w1")
        self.do("w1", "d", "ledger-1")
        self.release("w1")
        self.log("w1", "finished")
        self.log("w3", "finished")
        self.course = Course(
            exits={"w1": 0, "w2": -signal.SIGKILL, "w3": 0},
            killed=Struck("w2", "b", 0),
            frozen=Struck("w1", "c", 1),
            was_continued=True,
            killed_at=self.killed_at,
            frozen_at=self.frozen_at,
            continued_at=self.continued_at,
        )
        self.body = {"token": 10, "holder": None, "beat": 1, "ttl": TERMS.ttl, "data": None}
        self.generation = 12

    def log(self, worker, name, **fields):
        self.now += 0.01
        self.logs[worker].append(Event(worker, name, self.now, fields))

    def call(self, worker, on, op, value=None, **args):
        name = self.begin(worker, on, op, **args)
        self.log(worker, "return", id=name, value=value)

    def begin(self, worker, on, op, **args):
        self.ids += 1
        name = f"{worker}:{self.ids}"
        self.log(worker, "call", id=name, object=on, op=op, args=args)
        return name

    def acquire(self, worker, token):
        self.tokens[worker] = token
        self.call(worker, self.name, "acquire", token)
        fields = {
            "ttl": TERMS.ttl,
            "until": self.now + TERMS.tenure,
            "data": self.announced(worker),
        }
        self.log(worker, "acquired", object=self.name, token=token, **fields)

    def announced(self, worker):
        return f"{worker}, {self.tokens[worker]}"

    def renew(self, worker):
        token = self.tokens[worker]
        self.log(worker, "renewed", object=self.name, token=token, until=self.now + TERMS.tenure)

    def release(self, worker):
        token = self.tokens[worker]
        self.log(worker, "released", object=self.name, token=token)
        self.call(worker, self.name, "release", True, token=token)

    def check(self, worker, *, is_held=True):
        self.call(worker, self.name, "check", is_held, token=self.tokens[worker])

    def line(self, worker, task):
        return {"task": task, "worker": worker, "token": self.tokens[worker], "result": "0"}

    def begin_write(self, worker, task, ledger):
        kind = "fenced/ledgers" if self.is_fenced else "register"
        lines = [*self.ledgers.get(ledger, []), self.line(worker, task)]
        token = {"token": self.tokens[worker]} if self.is_fenced else {}
        return self.begin(worker, f"{kind}/{ledger}", "write", value=lines, **token)

    def write(self, worker, task, ledger):
        """A write that is acknowledged, whether or not the ledger shows it."""
        name = self.begin_write(worker, task, ledger)
        self.log(worker, "return", id=name, value=True)

    def do(self, worker, task, ledger):
        if not self.is_fenced:
            self.check(worker)
        self.write(worker, task, ledger)
        self.ledgers.setdefault(ledger, []).append(self.line(worker, task))

    def add(self, worker, name, *, at, **fields):
        """Log an event about the lease at some other time."""
        self.logs[worker].append(Event(worker, name, at, {"object": self.name, **fields}))

    def drop_call(self, worker, op, place=-1):
        """Take one operation out of a log, with what came of it."""
        calls = [event for event in self.logs[worker] if event.fields.get("op") == op]
        self.logs[worker] = [
            event for event in self.logs[worker] if event.fields.get("id") != calls[place]["id"]
        ]

    def drop(self, worker, name, place=-1):
        """Take one event of that name out of a log."""
        events = [event for event in self.logs[worker] if event.name == name]
        self.logs[worker].remove(events[place])

    def change(self, worker, name, place=-1, *, at=None, **fields):
        """Change one event of that name."""
        events = [event for event in self.logs[worker] if event.name == name]
        old = events[place]
        changed = Event(worker, name, old.at if at is None else at, {**old.fields, **fields})
        self.logs[worker][self.logs[worker].index(old)] = changed

    def bucket(self):
        if not self.is_fenced:
            return dict(self.ledgers)
        return {
            ledger: {"token": lines[-1]["token"], "value": lines, "generation": len(lines)}
            for ledger, lines in self.ledgers.items()
        }

    def records(self):
        record = first(kind="lease", body=self.body, op="0" * 24, written="")
        for number in range(1, self.generation):
            record = record.next(body=self.body, op=f"{number:024x}", written="")
        return {f"coordination/{self.name}": record}

    def evidence(self, **changed):
        parts = {
            "tasks": "abcd",
            "bucket": self.bucket(),
            "records": self.records(),
            "logs": {
                worker: sorted(events, key=lambda event: event.at)
                for worker, events in self.logs.items()
            },
            "course": self.course,
        }
        return Evidence(**parts | changed)
