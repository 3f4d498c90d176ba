"""Histories made by hand."""

from __future__ import annotations

from scenarios.history import Event, history_of


class Story:
    """Events as they are told; each is a second after the one before, unless its time is said."""

    def __init__(self, **about):
        self.about = about
        self.events = []
        self.now = 0.0

    def tell(self, actor, name, *, at=None, **fields):
        self.now = self.now + 1.0 if at is None else at
        self.events.append(Event(actor, name, self.now, fields))
        return self

    def call(self, identity, object_, op, /, *, by="w1", at=None, **args):
        return self.tell(by, "call", at=at, id=identity, object=object_, op=op, args=args)

    def end(self, identity, value=None, *, at=None):
        return self.tell(self._caller(identity), "return", at=at, id=identity, value=value)

    def fail(self, identity, error="BackendError"):
        return self.tell(self._caller(identity), "failed", id=identity, error=error)

    def lose(self, identity):
        return self.tell(self._caller(identity), "unknown", id=identity, error="Unknown")

    def do(self, identity, object_, op, answer=None, /, *, by="w1", **args):
        return self.call(identity, object_, op, by=by, **args).end(identity, answer)

    def acquire(self, token, *, by="w1", of="lease/x", at=None, **fields):
        return self.tell(by, "acquired", at=at, object=of, token=token, **fields)

    def release(self, token, *, by="w1", of="lease/x", at=None):
        return self.tell(by, "released", at=at, object=of, token=token)

    def _caller(self, identity):
        return next(
            event.actor for event in self.events if event.name == "call" and event["id"] == identity
        )

    @property
    def history(self):
        return history_of(self.events, **self.about)
