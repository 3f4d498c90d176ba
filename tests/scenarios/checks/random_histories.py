"""Small random histories: of an object that works, and the same with answers that it never gave."""

from __future__ import annotations

from itertools import count

from scenarios.history import Event, history_of
from tests.scenarios.checks.reference import KINDS

ACTORS = ("w1", "w2", "w3")


def random_history(rng, kind, *, size):
    """A history of one object of that kind; in about two of three an answer is made up."""
    events = _Run(rng, kind, size=size).events
    if rng.random() < 2 / 3:
        for _ in range(rng.randint(1, 2)):
            _falsify(rng, events, kind=kind)
    return history_of(events)


class _Run:
    def __init__(self, rng, kind, *, size):
        self.rng = rng
        self.kind = kind
        self.thing = KINDS[kind]()
        self.etags = (f"e{number}" for number in count(1))
        self.seen_etags = [None]
        self.busy = {}
        self.adrift = []
        self.events = []
        self.calls_left = size
        self.share_unknown = rng.choice([0.0, 0.1, 0.3])
        while (self.calls_left or self.busy) and rng.random() > 0.01:
            self.step(rng.choice(ACTORS))

    def step(self, actor):
        call = self.busy.get(actor)
        if self.adrift and self.rng.random() < 0.3:
            self.apply(self.adrift.pop())
        elif call is None:
            self.call(actor)
        elif "answer" not in call and self.rng.random() < 0.6:
            self.apply(call)
        elif self.rng.random() < self.share_unknown:
            self.leave(actor)
        elif "answer" in call:
            self.tell(actor)

    def log(self, actor, name, **fields):
        self.events.append(Event(actor, name, float(len(self.events)), fields))

    def call(self, actor):
        if not self.calls_left:
            return
        self.calls_left -= 1
        op, args = random_call(self.rng, self.kind, etags=self.seen_etags)
        identity = f"{actor}.{len(self.events)}"
        self.busy[actor] = {"id": identity, "op": op, "args": args, "actor": actor}
        self.log(actor, "call", id=identity, object=f"{self.kind}/x", op=op, args=args)

    def apply(self, call):
        more = {"etag": next(self.etags)} if self.kind == "item" else {}
        if self.kind == "claim" and call["op"] == "claim":
            more = {"is_told": call["actor"] in self.busy}
        call["answer"] = self.thing.apply(call["op"], call["args"], call["actor"], **more)

    def tell(self, actor):
        call = self.busy.pop(actor)
        answer = call["answer"]
        if answer in ("StaleTokenError", "refused"):
            self.log(actor, "failed", id=call["id"], error=answer)
            return
        if self.kind == "item":
            self.seen_etags += [answer["actual"], answer["resulting"]]
            if self.rng.random() < 0.5:
                answer.pop("value", None)
        self.log(actor, "return", id=call["id"], value=answer)

    def leave(self, actor):
        call = self.busy.pop(actor)
        if self.kind == "claim" and "answer" in call and call["answer"] is True:
            self.thing.was_told = False
        if "answer" not in call and self.rng.random() < 0.5:
            self.adrift.append(call)
        if self.rng.random() < 0.5:
            self.log(actor, "unknown", id=call["id"], error="OutcomeUnknownError")


def random_call(rng, kind, *, etags):
    """Some operation and its arguments; few different ones, so that they meet."""
    small = lambda: rng.randint(0, 2)  # noqa: E731 - three letters say it
    match kind:
        case "register":
            return rng.choice(
                [
                    ("read", {}),
                    ("write", {"value": small()}),
                    ("update", {"value": small()}),
                    ("cas", {"expected": rng.choice([None, 0, 1, 2]), "value": small()}),
                ]
            )
        case "counter":
            return rng.choice(
                [
                    ("value", {}),
                    ("add", {"n": rng.choice([1, 1, 2, -1])}),
                    ("add", {"n": 1}),
                    ("reset", {"to": small()}),
                    ("compare_and_set", {"expected": small(), "new": small()}),
                ]
            )
        case "fenced":
            if rng.random() < 0.3:
                return "read", {}
            return "write", {"token": rng.randint(1, 3), "value": small()}
        case "claim":
            return rng.choice([("claim", {}), ("claim", {}), ("complete", {"result": 1})])
        case "item":
            op = rng.choice(["get_item_if", "set_item_if", "setdefault_if", "discard_if"])
            args = {
                "condition": rng.choice(["same", "same", "changed", "any"]),
                "expected": rng.choice(etags[-3:]),
            }
            return op, {**args, "value": small()} if op.startswith("set") else args
    raise AssertionError(kind)


def _falsify(rng, events, *, kind):
    """Have one operation answered as another was, or otherwise than it was."""
    answered = [place for place, event in enumerate(events) if event.name == "return"]
    if not answered:
        return
    place = rng.choice(answered)
    event = events[place]
    other = events[rng.choice(answered)]["value"]
    value = event["value"]
    if kind == "item" and rng.random() < 0.5:
        field = rng.choice(sorted(value))
        other = {**value, field: other.get(field)}
    elif kind == "fenced" and value is True:
        events[place] = Event(
            event.actor, "failed", event.at, {"id": event["id"], "error": "StaleTokenError"}
        )
        return
    elif value is True or value is False:
        other = not value
    elif type(other) is not type(value):
        return
    events[place] = Event(event.actor, "return", event.at, {"id": event["id"], "value": other})
