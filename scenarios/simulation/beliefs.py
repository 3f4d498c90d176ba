"""Who believes to hold what until when, in true time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from persidict_sync.events import Event, Listener
from persidict_sync.held import Held

if TYPE_CHECKING:
    from scenarios.simulation.chronicle import Chronicle
    from scenarios.simulation.host import Host

KINDS = frozenset({"lease", "lock", "election", "semaphore"})
CLOCKED = frozenset({"expired", "unreachable"})
"""Losses that are there when a deadline passes, whenever they are noticed."""


class Beliefs:
    """Writes down when a process begins to believe that it holds something, and when it ends.

    A process asks its own clock, so its belief ends when that says so, noticed or not.

    Args:
        chronicle: Where it is written down.
        now: True time.
    """

    def __init__(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        self._until: dict[tuple[str, str, int], float] = {}

    def begin(self, host: Host, object: str, held: Held, **about: Any) -> None:  # noqa: A002
        """It has acquired this."""
        until = host.clock.due_in(held.remaining())
        self._until[host.name, object, held.token] = until
        self._chronicle.log(
            host.name, "acquired", object=object, token=held.token, until=until, **about
        )

    def end(self, host: Host, object: str, token: int) -> None:  # noqa: A002
        """It gives it up, if it believes to hold it."""
        if self._until.pop((host.name, object, token), 0.0) > self._chronicle.now:
            self._chronicle.log(host.name, "released", object=object, token=token)

    def crash(self, host: Host) -> None:
        """It believes nothing any more."""
        for name, object, token in [key for key in self._until if key[0] == host.name]:  # noqa: A001
            self._lose(name, object, token, "expired")

    def listener(self, host: Host) -> Listener:
        """What the process's coordinator tells."""

        def hear(event: Event) -> None:
            if event.kind in KINDS and event.name in ("renewed", "lost") and not host.is_dead:
                self._hear(host, event)

        return hear

    def _hear(self, host: Host, event: Event) -> None:
        object, token = f"{event.kind}/{event.key}", event.fields["token"]  # noqa: A001
        key = host.name, object, token
        if key not in self._until:
            return
        if event.name == "lost":
            self._lose(*key, event.fields["reason"])
            return
        until = host.clock.due_in(event.fields["remaining"])
        self._until[key] = until
        self._chronicle.log(host.name, "renewed", object=object, token=token, until=until)

    def _lose(self, name: str, object: str, token: int, reason: str) -> None:  # noqa: A002
        now, until = self._chronicle.now, self._until.pop((name, object, token))
        at = min(now, until) if reason in CLOCKED else now
        if reason in CLOCKED and until > now:
            # It has crashed before.
            return
        self._chronicle.log_at(at, name, "lost", object=object, token=token, reason=reason)
